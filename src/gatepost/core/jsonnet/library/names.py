"""What the code of compiled templates may name: nothing of Python beyond this."""

import operator
from json.encoder import encode_basestring
from typing import Any, Final

from gatepost.core.jsonnet import manifest, objects, operators, values
from gatepost.core.jsonnet.library import (
    documents,
    encodings,
    escapes,
    formatting,
    hashing,
    kinds,
    lists,
    numbers,
    patches,
    paths,
    records,
    sets,
    texts,
    toml,
    yaml,
)
from gatepost.core.jsonnet.library.registry import BUILTINS, FunctionValues
from gatepost.core.jsonnet.values import BUDGET, DEEPEST, MISSING, Doubt, Function, Thunk, Value

PYTHON: Final[dict[str, Any]] = {
    "type": type,
    "str": str,
    "list": list,
    "bool": bool,
    "int": int,
    "float": float,
    "dict": dict,
}

# Being imported is what puts the functions into the registry; a module named here is surely imported.
REGISTERED: Final = (
    *(documents, encodings, escapes, hashing, kinds, lists, numbers),
    *(patches, paths, records, sets, texts, toml, yaml),
)


def deeper(frames: int) -> None:
    """Note that the render goes deeper."""
    BUDGET[0] += frames
    if BUDGET[0] > DEEPEST:
        raise Doubt("depth")


def fields(items: list[tuple[Value, Value]]) -> dict[str, Value]:
    """Return the fields of an object by name; a null name leaves the field out, no name may come twice."""
    made: dict[str, Value] = {}
    for name, value in items:
        if type(name) is str:
            if name in made:
                raise Doubt("a field given twice")
            made[name] = value
        elif name is not None:
            raise Doubt("a name that is not a text")
    return made


_SAME_NAME: Final = (
    (values, ("apply", "truth", "is_number", "as_text", "as_list", "doubt", "charge")),
    (objects, ("is_object", "field_of", "has_field")),
    (manifest, ("layout_at", "listed", "paid", "printed", "put")),
    (operators, ("add", "subtract", "multiply", "divide", "negative", "positive", "complement")),
    (operators, ("shift_left", "shift_right", "text_sum", "compare", "equals", "at", "sliced")),
)

RUNTIME: Final[dict[str, Any]] = {
    "T": Thunk,
    "F": values.force,
    "M": MISSING,
    "d": BUDGET,
    "q": encode_basestring,
    "Function": Function,
    "Obj": objects.Obj,
    "Layer": objects.Layer,
    "std": FunctionValues(),
    "deeper": deeper,
    "fields": fields,
    "bit_and": operators.bits(operator.and_),
    "bit_or": operators.bits(operator.or_),
    "bit_xor": operators.bits(operator.xor),
    "mod": formatting.mod,
    **{name: getattr(module, name) for module, names in _SAME_NAME for name in names},
    **{f"std_{name}": builtin.call for name, builtin in BUILTINS.items()},
}
"""The runtime by its names in the code."""
