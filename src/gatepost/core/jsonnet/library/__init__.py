"""Jsonnet's standard library on the values of compiled templates."""
