local ly = import 'lytemplates.libsonnet';
if ly.isExit() then { left: ly.segSlug() } else null
