"""The template texts that come with gatepost: its library and the Insider presets."""

from functools import cache
from importlib.resources import files

LIBRARY_NAME = "lytemplates.libsonnet"
"""The one name a template may import."""

PRESETS = ("insider_enter", "insider_exit", "insider_exit_event")
"""The presets by name: an entrance, and the two requests an exit takes."""


@cache
def library() -> dict[str, str]:
    """Return the files of the template library by name; the rarer part is imported by the other one only."""
    names = (LIBRARY_NAME, "lytemplates.more.libsonnet")
    return {name: (files(__package__) / name).read_text(encoding="utf-8") for name in names}


@cache
def preset(name: str) -> str:
    """Return the Jsonnet source of the preset of this name."""
    if name not in PRESETS:
        msg = f"there is no preset {name!r}; the presets are {', '.join(PRESETS)}"
        raise KeyError(msg)
    return (files(__package__) / "presets" / f"{name}.jsonnet").read_text(encoding="utf-8")


@cache
def starter(type_: str) -> str:
    """Return the text that a new template of a language begins with."""
    return (files(__package__) / "starters" / type_).read_text(encoding="utf-8")
