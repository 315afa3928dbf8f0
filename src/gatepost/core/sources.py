"""What an event adds to windows: looked up by its stream, its name and its fields, never window by window."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from gatepost.core.filterql import Guard, WindowRead, compile_guard
from gatepost.core.filterql.values import is_list, number_of, text_of
from gatepost.core.marks import mark_of
from gatepost.model.event import Event
from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.model.profile import Identifier, WindowEntry
from gatepost.model.schema import Field
from gatepost.model.times import Milliseconds

Addition = tuple[str, WindowEntry]
"""A source and what an event adds to it."""


class Source:
    """One thing that profiles keep for windows, ready to take from events."""

    __slots__ = ("guard", "key", "kind")

    def __init__(self, window: WindowRead) -> None:
        self.key = window.key
        self.kind = window.kind
        self.guard: Guard | None = compile_guard(window.condition) if window.condition else None

    def takes(self, record: JsonObject, event: Event) -> bool:
        """Say whether the condition holds for an event; one that cannot be evaluated does not."""
        if self.guard is None:
            return True
        try:
            return self.guard(record, event.at)
        except (ArithmeticError, ValueError):
            return False


class Sources:
    """All sources of an account's audiences; empty when no audience looks at a window."""

    def __init__(self, windows: Iterable[WindowRead]) -> None:
        self.keep: dict[str, Milliseconds] = {}
        """Source -> the longest window over it."""
        self._by_name: dict[str, list[Source]] = {}
        self._by_field: dict[str, list[Source]] = {}
        self._by_event_field: dict[str, list[Source]] = {}
        for window in windows:
            if window.key not in self.keep:
                self._index(window).append(Source(window))
            self.keep[window.key] = max(window.length, self.keep.get(window.key, 0))

    def __bool__(self) -> bool:
        return bool(self.keep)

    def of_mapped_fields(self, keys: Collection[str]) -> bool:
        """Say whether any of these sources takes what an event brings to the profile's fields."""
        return any(source.key in keys for sources in self._by_field.values() for source in sources)

    def _index(self, window: WindowRead) -> list[Source]:
        if not window.of_values:
            return self._by_name.setdefault(window.source, [])
        if window.event_field:
            return self._by_event_field.setdefault(window.event_field, [])
        return self._by_field.setdefault(window.source, [])

    def of_event(self, event: Event, name: str, record: JsonObject) -> Iterator[Addition]:
        """Yield what an event adds by its stream, its name and its own fields."""
        by_name = self._by_name
        if by_name:
            for called in (event.stream,) if name == event.stream else (event.stream, name):
                for source in by_name.get(called, ()):
                    if source.takes(record, event):
                        yield source.key, (event.at, 1.0 if source.kind == "count" else event.id)
        for field in self._by_event_field.keys() & record.keys():
            for source in self._by_event_field[field]:
                if source.takes(record, event):
                    yield from _of_value(source, record[field], event)

    def of_fields(
        self,
        event: Event,
        record: JsonObject,
        values: Sequence[tuple[Field, JsonValue]],
        identifiers: Sequence[Identifier],
    ) -> Iterator[Addition]:
        """Yield what an event adds by the values it brings to the profile's fields."""
        if not self._by_field:
            return
        brought = [*((field.name, value) for field, value in values), *identifiers]
        for name, value in brought:
            for source in self._by_field.get(name, ()):
                if source.takes(record, event):
                    yield from _of_value(source, value, event)


def _of_value(source: Source, value: JsonValue, event: Event) -> Iterator[Addition]:
    # A map brings its keys, a list its elements.
    items = list(value) if isinstance(value, dict) else value if is_list(value) else (value,)
    for item in items:
        if source.kind == "sum":
            amount = _amount(item)
            if amount is not None:
                yield source.key, (event.at, amount)
        elif text := text_of(item):
            yield source.key, (event.at, mark_of(text))


def _amount(item: JsonValue) -> float | None:
    number = number_of(item)
    try:
        return None if number is None else float(number)
    except OverflowError:
        return None
