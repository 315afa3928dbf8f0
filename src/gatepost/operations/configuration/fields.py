"""One field as a document declares it, checked."""

import re

from gatepost.core.builtins import RESERVED
from gatepost.model.errors import InvalidInput
from gatepost.model.schema import (
    COLLECTIONS,
    MERGE_OPERATORS,
    Assertions,
    Field,
    FieldType,
    Format,
    Length,
    MergeOperator,
)
from gatepost.operations.configuration.declaration import DeclaredAssertions, DeclaredField

LARGEST_CAPACITY = 10_000
LONGEST_KEPT_DAYS = 3_650

_FIELD = re.compile(r"[A-Za-z_@][\w.@-]{0,254}", re.ASCII)
_TEXTS = frozenset(
    {FieldType.STRING, FieldType.STRINGS, FieldType.SEEN_STRINGS, FieldType.STRING_MAP, FieldType.VALUE_MAP}
)


def field_of(name: str, declared: DeclaredField) -> Field:
    """Return a declared field; raise InvalidInput when it could not be."""
    if name in RESERVED:
        raise InvalidInput(f"{name} is what profiles show by themselves; choose another name")
    if not _FIELD.fullmatch(name):
        raise InvalidInput(f"{name!r} is no field; write letters, digits and _, such as total_spend")
    type_ = _type(declared.type)
    field = Field(
        name=name,
        type=type_,
        merge=_operator(type_, declared),
        identifier=declared.identifier,
        description=declared.description,
        long_description=declared.long_description,
        capacity=declared.capacity,
        keep_days=declared.keep_days,
        assertions=_assertions(type_, declared.assertions),
        pii=declared.pii,
        tags=declared.tags,
    )
    _check_room(field)
    return field


def _type(text: str) -> FieldType:
    try:
        return FieldType(text)
    except ValueError:
        known = ", ".join(one.value for one in FieldType)
        msg = f"Type for Field is not a valid Data Type: {text!r}; the types are {known}"
        raise InvalidInput(msg) from None


def _operator(type_: FieldType, declared: DeclaredField) -> MergeOperator:
    operators = MERGE_OPERATORS[type_]
    if declared.identifier and type_ not in (FieldType.STRING, FieldType.STRINGS):
        raise InvalidInput(f"an identifier is string or []string, not {type_.value}")
    if declared.identifier and declared.merge:
        raise InvalidInput("Identifier Field cannot define a Merge Operation.")
    if declared.merge and declared.merge not in operators:
        valid = " ".join(operator.value for operator in operators)
        raise InvalidInput(
            f"Merge operation '{declared.merge}' is invalid for data type '{type_.value}'. "
            f"Valid merge operations are: [{valid}]"
        )
    return MergeOperator(declared.merge) if declared.merge else operators[0]


def _check_room(field: Field) -> None:
    """Raise InvalidInput when a field could not hold as much, or as long, as it should."""
    if not 0 <= field.capacity <= LARGEST_CAPACITY:
        raise InvalidInput(
            f"capacity is 1 to {LARGEST_CAPACITY:,}, or 0 for any number, not {field.capacity}"
        )
    if not 0 <= field.keep_days <= LONGEST_KEPT_DAYS:
        raise InvalidInput(f"keep_days is 1 to {LONGEST_KEPT_DAYS:,}, or 0 for ever, not {field.keep_days}")
    if field.capacity and field.type not in COLLECTIONS:
        raise InvalidInput(f"a capacity is for sets and maps; a {field.type.value} has none")
    if field.merge is MergeOperator.CAPPED and not field.capacity:
        raise InvalidInput("capped wants a capacity: how many values the set holds")
    if field.keep_days and field.identifier:
        raise InvalidInput("an identifier does not fade, so it has no keep_days; give it a capacity")
    if field.keep_days and field.type is FieldType.BUCKETS:
        raise InvalidInput("a []timebucket goes back 62 days by itself, so it has no keep_days")


def _assertions(type_: FieldType, declared: DeclaredAssertions | None) -> Assertions | None:
    if declared is None:
        return None
    if (declared.email or declared.format != "any" or declared.length) and type_ not in _TEXTS:
        raise InvalidInput(f"email, format and length are asserted of texts; {type_.value} wants a filter")
    length = declared.length or Length()
    if not 0 <= length.min <= (length.max or length.min):
        raise InvalidInput(f"a length between {length.min} and {length.max} is none; write min and max")
    return Assertions(
        email=declared.email, format=_format(declared.format), length=length, filter=declared.filter
    )


def _format(text: str) -> Format:
    try:
        return Format(text)
    except ValueError:
        known = ", ".join(one.value for one in Format)
        raise InvalidInput(f"{text!r} is no format; the formats are {known}") from None
