"""Which program renders which kind of template."""

from collections.abc import Callable, Mapping

import msgspec

from gatepost.core.templates.presets import library
from gatepost.core.templates.vetting import vet, vet_text
from gatepost.model.catalog import TemplateType


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A program for helper processes: what is started, handed over to it, and kept from it."""

    module: str
    """Run with `python -m`."""
    package: str
    """The distribution that holds its engine."""
    files: Mapping[str, str]
    vet: Callable[[str], None]
    """Raises TemplateError for a source the engine must not see."""


def program(type_: TemplateType) -> Program:
    """Return the program for templates of a kind."""
    jsonnet = type_ is TemplateType.JSONNET
    return Program(
        module=f"gatepost.engines.{type_.value}",
        package="gojsonnet" if jsonnet else "quickjs-ng",
        files=library(type_),
        vet=vet if jsonnet else vet_text,
    )
