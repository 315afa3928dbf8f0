-- Earlier texts of templates are a kind of their own, so that reading the templates does not read them all.
UPDATE catalog SET kind = 'TemplateVersion' WHERE kind = 'Template' AND instr(id, '@') > 0;
