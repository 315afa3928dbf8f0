"""Functions on lists and maps."""

from collections.abc import Callable, Iterable, Mapping

from gatepost.core.filterql.functions.record import Function
from gatepost.core.filterql.values import is_list, text_of
from gatepost.core.filterql.wildcards import is_pattern, matcher
from gatepost.model.jsonvalue import JsonValue


def _items(value: JsonValue) -> list[JsonValue]:
    return list(value) if is_list(value) else [value]


def _spread(values: Iterable[JsonValue]) -> list[JsonValue]:
    return [item for value in values for item in _items(value) if item is not None]


def _len(value: JsonValue) -> int | None:
    if value is None:
        return None
    return len(value) if isinstance(value, str | Mapping) or is_list(value) else 0


def _set(*values: JsonValue) -> list[JsonValue] | None:
    seen: set[tuple[type, JsonValue]] = set()
    distinct: list[JsonValue] = []
    for item in _spread(values):
        if isinstance(item, list | dict):
            fresh = item not in distinct
        else:
            # With its type, for true is not 1.
            fresh = (type(item), item) not in seen
            seen.add((type(item), item))
        if fresh:
            distinct.append(item)
    return distinct or None


def _valuect(*values: JsonValue) -> dict[str, JsonValue] | None:
    counts: dict[str, JsonValue] = {text: 1 for item in _spread(values) if (text := text_of(item))}
    return counts or None


def _map(key: JsonValue, value: JsonValue) -> dict[str, JsonValue] | None:
    name = text_of(key)
    return {name: value} if name and value is not None and value != "" else None


def _match(event: Mapping[str, JsonValue], *prefixes: JsonValue) -> dict[str, JsonValue] | None:
    wanted = tuple(prefix for prefix in prefixes if isinstance(prefix, str) and prefix)
    found: dict[str, JsonValue] = {}
    for prefix in wanted:
        found.update((name[len(prefix) :], value) for name, value in event.items() if name.startswith(prefix))
    found.pop("", None)
    return found or None


def _at(value: JsonValue, index: JsonValue) -> JsonValue:
    items = _items(value) if is_list(value) else []
    return items[index] if isinstance(index, int) and -len(items) <= index < len(items) else None


def _slice(value: JsonValue, start: JsonValue, end: JsonValue = None) -> list[JsonValue] | None:
    if not is_list(value) or not isinstance(start, int):
        return None
    items = _items(value)
    stop = len(items) if end is None else end
    if not isinstance(stop, int):
        return None
    first, last = (place + len(items) if place < 0 else place for place in (start, stop))
    return items[first:last] if 0 <= first <= last <= len(items) else None


def _sieve(*, keep: bool) -> Callable[..., JsonValue]:
    def call(value: JsonValue, *patterns: JsonValue) -> JsonValue:
        tests = [_fits(text) for item in _spread(patterns) if (text := text_of(item)) is not None]

        def chosen(item: JsonValue) -> bool:
            return any(test(text_of(item) or "") for test in tests) is keep

        if isinstance(value, Mapping):
            return {key: held for key, held in value.items() if chosen(key)} or None
        if is_list(value):
            return [item for item in _items(value) if chosen(item)] or None
        return value if value is not None and chosen(value) else None

    return call


def _fits(pattern: str) -> Callable[[str], bool]:
    return matcher(pattern) if is_pattern(pattern) else lambda text: text.startswith(pattern)


def _mapinvert(value: JsonValue) -> dict[str, JsonValue] | None:
    if not isinstance(value, Mapping):
        return None
    return {text: key for key, held in value.items() if (text := text_of(held))} or None


FUNCTIONS = (
    Function(
        name="len",
        params=("any",),
        returns="number",
        call=_len,
        summary="The length of a text, list or map; 0 for other values.",
        examples=(('len("abc")', 3), ('len(["a"])', 1), ("len(5)", 0), ("len(missing)", None)),
    ),
    Function(
        name="set",
        params=("any",),
        rest=True,
        returns="list",
        call=_set,
        summary="The distinct values of the arguments, lists spread.",
        examples=(('set("a", ["b", "a"])', ["a", "b"]),),
    ),
    Function(
        name="valuect",
        params=("any",),
        rest=True,
        returns="map",
        call=_valuect,
        summary="A map from every value to 1, to be added up in the profile.",
        examples=(('valuect(["a", "b"])', {"a": 1, "b": 1}), ("valuect(missing)", None)),
    ),
    Function(
        name="map",
        params=("any", "any"),
        returns="map",
        call=_map,
        summary="A map with one entry; no value when key or value is empty.",
        examples=(('map("a", 5)', {"a": 5}), ('map("", 5)', None)),
    ),
    Function(
        name="match",
        params=("text",),
        rest=True,
        returns="map",
        takes="event",
        changes="always",
        call=_match,
        summary="A map of all fields of the event that start with a prefix, the prefix cut off.",
        examples=(('match("utm_")', {"source": "mail"}), ('match("zzz")', None)),
    ),
    Function(
        name="array.index",
        params=("list", "number"),
        call=_at,
        summary="One element of a list; negative positions count from the end.",
        examples=(('array.index(["a", "b"], -1)', "b"), ('array.index(["a"], 3)', None)),
    ),
    Function(
        name="array.slice",
        params=("list", "number", "number"),
        optional=1,
        returns="list",
        call=_slice,
        summary="The elements of a list from one position up to, and without, another.",
        examples=(('array.slice(["a", "b", "c"], 1)', ["b", "c"]), ('array.slice(["a"], 5)', None)),
    ),
    Function(
        name="filter",
        params=("any", "any"),
        rest=True,
        call=_sieve(keep=False),
        summary="The list, map or text without what fits a pattern; a pattern without * or % is a prefix.",
        examples=(('filter(["ab", "cd"], "a")', ["cd"]), ('filter("ab", "*b")', None)),
    ),
    Function(
        name="filtermatch",
        params=("any", "any"),
        rest=True,
        call=_sieve(keep=True),
        summary="What of a list, map or text fits a pattern; a pattern without * or % is a prefix.",
        examples=(('filtermatch(["ab", "cd"], "*d")', ["cd"]),),
    ),
    Function(
        name="mapkeys",
        params=("map",),
        returns="list",
        call=lambda value: list(value) or None if isinstance(value, Mapping) else None,
        summary="The keys of a map.",
        examples=(('mapkeys(map("a", 5))', ["a"]), ("mapkeys(5)", None)),
    ),
    Function(
        name="mapvalues",
        params=("map",),
        returns="list",
        call=lambda value: list(value.values()) or None if isinstance(value, Mapping) else None,
        summary="The values of a map.",
        examples=(('mapvalues(map("a", 5))', [5]),),
    ),
    Function(
        name="mapinvert",
        params=("map",),
        returns="map",
        call=_mapinvert,
        summary="A map with keys and values swapped.",
        examples=(('mapinvert(map("a", 5))', {"5": "a"}),),
    ),
)
