"""The functions of the language: one record each, found by name or alias."""

from types import MappingProxyType

from gatepost.core.filterql.functions import (
    agents,
    buckets,
    collections,
    foreign,
    hashes,
    logic,
    numbers,
    texts,
    times,
    web,
    windows,
)
from gatepost.core.filterql.functions.record import Function, Kind

FUNCTIONS: tuple[Function, ...] = (
    *logic.FUNCTIONS,
    *texts.FUNCTIONS,
    *numbers.FUNCTIONS,
    *times.FUNCTIONS,
    *buckets.FUNCTIONS,
    *windows.FUNCTIONS,
    *collections.FUNCTIONS,
    *web.FUNCTIONS,
    *agents.FUNCTIONS,
    *hashes.FUNCTIONS,
    *foreign.FUNCTIONS,
)
BY_NAME = MappingProxyType(
    {name: function for function in FUNCTIONS for name in (function.name, *function.aliases)}
)

__all__ = ["BY_NAME", "FUNCTIONS", "Function", "Kind"]
