"""The schema: which fields a profile has, how events fill them and which of them identify."""

from enum import StrEnum

import msgspec

from gatepost.model.times import Instant


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
    DATES = "[]time"
    """A set of distinct instants."""
    SEEN_STRINGS = "ts[]string"
    """A set of distinct texts, each with the time it was last given."""
    STRING_MAP = "map[string]string"
    INT_MAP = "map[string]int"
    NUMBER_MAP = "map[string]number"
    BOOL_MAP = "map[string]bool"
    DATE_MAP = "map[string]time"
    COUNTERS = "map[string]intsum"
    """Counters by key; values of one key add up."""
    VALUE_MAP = "map[string]value"
    """Values of any kind by key."""
    BUCKETS = "[]timebucket"
    """How much happened on each of the last days, by number of the day since 1970."""


class MergeOperator(StrEnum):
    """How a new value meets the one a profile holds."""

    LATEST = "latest"
    OLDEST = "oldest"
    MIN = "min"
    MAX = "max"
    SUM = "sum"
    """Numbers add up, of a map per key."""
    COUNT = "count"
    MERGE = "merge"
    """Sets unite; counters add per key; other maps keep the newest value per key."""
    LATESTMAP = "latestmap"
    """The newest value per key."""
    OLDESTMAP = "oldestmap"
    """The oldest value per key."""
    MAPMIN = "mapmin"
    MAPMAX = "mapmax"
    CAPPED = "capped"
    """Sets unite, up to the field's capacity."""


_WHOLE = (MergeOperator.LATEST, MergeOperator.OLDEST)
_ORDERED = (*_WHOLE, MergeOperator.MIN, MergeOperator.MAX)
_SET = (MergeOperator.MERGE, *_WHOLE, MergeOperator.CAPPED)
_MAP = (MergeOperator.MERGE, *_WHOLE, MergeOperator.LATESTMAP, MergeOperator.OLDESTMAP)
_ORDERED_MAP = (*_MAP, MergeOperator.MAPMIN, MergeOperator.MAPMAX)

MERGE_OPERATORS: dict[FieldType, tuple[MergeOperator, ...]] = {
    FieldType.STRING: _WHOLE,
    FieldType.INT: (*_ORDERED, MergeOperator.SUM, MergeOperator.COUNT),
    FieldType.NUMBER: (*_ORDERED, MergeOperator.SUM),
    FieldType.BOOL: _WHOLE,
    FieldType.DATE: _ORDERED,
    FieldType.STRINGS: _SET,
    FieldType.DATES: _SET,
    FieldType.SEEN_STRINGS: (MergeOperator.MERGE, MergeOperator.CAPPED),
    FieldType.STRING_MAP: _MAP,
    FieldType.INT_MAP: (*_ORDERED_MAP, MergeOperator.SUM),
    FieldType.NUMBER_MAP: (*_ORDERED_MAP, MergeOperator.SUM),
    FieldType.BOOL_MAP: _MAP,
    FieldType.DATE_MAP: _ORDERED_MAP,
    FieldType.COUNTERS: (MergeOperator.MERGE, MergeOperator.SUM),
    FieldType.VALUE_MAP: _MAP,
    FieldType.BUCKETS: (MergeOperator.MERGE,),
}
"""The operators a type allows, its default first."""

COLLECTIONS = frozenset(
    type_ for type_ in FieldType if type_.value.startswith(("[]", "ts[]", "map[")) and type_ != "[]timebucket"
)
"""Types whose values have elements, so that they can have a capacity."""


class Format(StrEnum):
    """What an assertion may ask of a text."""

    ANY = "any"
    ALPHA = "alpha"
    ALPHANUMERIC = "alphanumeric"
    UUID = "uuid"
    BASE64 = "base64"
    HEX = "hex"
    INT = "int"


class Length(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many characters a text may have; `max` 0 is any number."""

    min: int = 0
    max: int = 0


class Assertions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a value must be to be taken into a field; one that is not is ignored and counted."""

    email: bool = False
    format: Format = Format.ANY
    length: Length = Length()
    filter: str = ""
    """A FilterQL condition, in which `value` is the value."""


class Field(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field of the profile."""

    name: str
    type: FieldType = FieldType.STRING
    merge: MergeOperator = MergeOperator.LATEST
    identifier: bool = False
    """Whether its values point to profiles; only `string` (one per profile) and `[]string` (many) may."""
    description: str = ""
    long_description: str = ""
    capacity: int = 0
    """How many elements a collection holds; the one given longest ago goes first. 0 is any number."""
    keep_days: int = 0
    """After how many days a value that nobody gives again disappears; 0 is never."""
    assertions: Assertions | None = None
    pii: bool = False
    """Whether it tells who somebody is."""
    tags: tuple[str, ...] = ()


EVERY_STREAM = "*"


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule that fills a field from the events of a stream."""

    stream: str
    """A stream's name, or `*` for every stream there is and will be."""
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


IDENTIFIERS_LIMIT = 50
"""Identifiers a profile has unless its schema says otherwise; as documented for Lytics."""


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """One published version of an account's schema."""

    version: int = 0
    streams: tuple[Stream, ...] = ()
    fields: tuple[Field, ...] = ()
    mappings: tuple[Mapping, ...] = ()
    ranks: tuple[str, ...] = ()
    """Identifier fields, strongest first."""
    blocked: tuple[str, ...] = ()
    """Values that identify nobody, besides those that never do."""
    identifiers_limit: int = IDENTIFIERS_LIMIT
    """Identifiers a profile has at most; the weakest, then oldest go first."""
    published: Instant = 0
    after: int = 0
    """The last record of the log when it was published; it folds those that were received later."""
    since: Instant = 0
    """Audience time by then."""
