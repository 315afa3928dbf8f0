"""How these tests get from text to a filter ready to run."""

from gatepost.core.filterql import CompiledFilter, Node, compile_filter, parse_filter

NOW = 1_768_478_400_000
"""2026-01-15T12:00:00Z, a Thursday."""


def compiled(text: str, types: dict[str, str], audiences: dict[str, str] | None = None) -> CompiledFilter:
    """Compile a filter; `audiences` are those it may include."""

    def include(slug: str) -> Node | None:
        found = (audiences or {}).get(slug)
        return parse_filter(found).filter if found is not None else None

    return compile_filter(parse_filter(text).filter, types, include)
