"""The JSON type: what enters over HTTP, lives in profiles and leaves in deliveries."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    JsonValue: TypeAlias = bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"] | None
    JsonObject: TypeAlias = dict[str, JsonValue]
else:
    # Records are decoded by their annotations, and the decoder knows no recursive types.
    JsonValue = Any
    JsonObject = dict[str, Any]
