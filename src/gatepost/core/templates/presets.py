"""The template texts that come with gatepost: its libraries and the Insider presets."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from gatepost.model.catalog import TemplateType

LIBRARY_NAME = "lytemplates.libsonnet"
"""The one name a Jsonnet template may import."""

PRESETS = ("insider_enter", "insider_exit", "insider_exit_event")
"""The presets by name: an entrance, and the two requests an exit takes."""

PRESET_ENDINGS = {TemplateType.JSONNET: ".jsonnet", TemplateType.JS1: ".js"}
"""The languages the presets are written in, and what their files end in."""

_SCRIPTS = ("lytemplates.js", "lytemplates.more.js")
_LIBRARIES = {
    TemplateType.JSONNET: (LIBRARY_NAME, "lytemplates.more.libsonnet"),
    TemplateType.JS1: _SCRIPTS,
    TemplateType.HANDLEBARS: (*_SCRIPTS, "handlebars.js", "vendor/handlebars.min.js"),
}


@cache
def library(type_: TemplateType = TemplateType.JSONNET) -> Mapping[str, str]:
    """Return the files of the template library by name; what templates ask for rarely is in a `more` of its own."""
    folder = files(__package__)
    return {
        name.rpartition("/")[2]: folder.joinpath(*name.split("/")).read_text(encoding="utf-8")
        for name in _LIBRARIES[type_]
    }


@cache
def preset(name: str, type_: TemplateType = TemplateType.JSONNET) -> str:
    """Return the source of the preset of this name, in Jsonnet or JavaScript."""
    if name not in PRESETS or type_ not in PRESET_ENDINGS:
        msg = f"there is no preset {name!r} in {type_.value}; the presets are {', '.join(PRESETS)}"
        raise KeyError(msg)
    return (files(__package__) / "presets" / f"{name}{PRESET_ENDINGS[type_]}").read_text(encoding="utf-8")


@cache
def starter(type_: str) -> str:
    """Return the text that a new template of a language begins with."""
    return (files(__package__) / "starters" / type_).read_text(encoding="utf-8")
