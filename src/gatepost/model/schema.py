"""The schema: which fields a profile has, how events fill them and which of them identify."""

from enum import StrEnum

import msgspec


class FieldType(StrEnum):
    """What a profile field holds; the spelling is Lytics'."""

    STRING = "string"
    INT = "int"
    NUMBER = "number"
    BOOL = "bool"
    DATE = "date"
    """An instant, milliseconds inside, RFC 3339 outside."""
    STRINGS = "[]string"
    """A set of distinct texts, oldest first."""
    COUNTERS = "map[string]intsum"
    """Counters by key; values of one key add up."""


class MergeOperator(StrEnum):
    """How a new value meets the one a profile holds."""

    LATEST = "latest"
    OLDEST = "oldest"
    MIN = "min"
    MAX = "max"
    SUM = "sum"
    COUNT = "count"
    MERGE = "merge"
    """Sets unite; counters add per key."""


MERGE_OPERATORS: dict[FieldType, tuple[MergeOperator, ...]] = {
    FieldType.STRING: (MergeOperator.LATEST, MergeOperator.OLDEST),
    FieldType.INT: (
        MergeOperator.LATEST,
        MergeOperator.OLDEST,
        MergeOperator.MIN,
        MergeOperator.MAX,
        MergeOperator.SUM,
        MergeOperator.COUNT,
    ),
    FieldType.NUMBER: (
        MergeOperator.LATEST,
        MergeOperator.OLDEST,
        MergeOperator.MIN,
        MergeOperator.MAX,
        MergeOperator.SUM,
    ),
    FieldType.BOOL: (MergeOperator.LATEST, MergeOperator.OLDEST),
    FieldType.DATE: (MergeOperator.LATEST, MergeOperator.OLDEST, MergeOperator.MIN, MergeOperator.MAX),
    FieldType.STRINGS: (MergeOperator.MERGE, MergeOperator.LATEST),
    FieldType.COUNTERS: (MergeOperator.MERGE,),
}
"""The operators a type allows, its default first."""


class Field(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field of the profile."""

    name: str
    type: FieldType = FieldType.STRING
    merge: MergeOperator = MergeOperator.LATEST
    identifier: bool = False
    """Whether its values point to profiles; only `string` (one per profile) and `[]string` (many) may."""
    description: str = ""


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule that fills a field from the events of a stream."""

    stream: str
    field: str
    expression: str
    """A field name of the event, or a function of it, such as `email(mail)`."""
    guard: str = ""
    """A FilterQL condition on the event; empty means always."""


class Stream(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A named kind of incoming data."""

    name: str
    timestamp_field: str = ""
    """The event field that holds its time; empty means the receive time."""
    event_name_field: str = ""
    """The event field that names the event for `count("<name>", ...)`; empty means `event`, then `_e`."""
    description: str = ""


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """One published version of an account's schema."""

    version: int = 0
    streams: tuple[Stream, ...] = ()
    fields: tuple[Field, ...] = ()
    mappings: tuple[Mapping, ...] = ()
    ranks: tuple[str, ...] = ()
    """Identifier fields, strongest first."""
