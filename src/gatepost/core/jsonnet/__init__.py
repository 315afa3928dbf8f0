"""Jsonnet compiled to Python: a template's fast path. The language's reference engine has the last word."""
