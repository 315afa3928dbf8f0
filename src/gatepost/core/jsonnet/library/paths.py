"""Paths of files, as texts."""

from gatepost.core.jsonnet.library.arguments import read
from gatepost.core.jsonnet.library.registry import standard
from gatepost.core.jsonnet.values import Value, as_text


@standard("f r", gives="text", name="resolvePath")
def resolve_path(f: Value, r: Value) -> str:
    """A path beside a file, instead of the file."""
    folder, slash, _ = read(f).rpartition("/")
    return f"{folder}{slash}{as_text(r)}"
