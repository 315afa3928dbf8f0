"""From the tree of a template to Python code that prints what the template prints."""
