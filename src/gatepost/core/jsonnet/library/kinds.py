"""What a value is, how long, and whether it equals another."""

from gatepost.core.jsonnet.library.registry import standard
from gatepost.core.jsonnet.objects import is_object, names_of
from gatepost.core.jsonnet.operators import equals as _equals
from gatepost.core.jsonnet.values import Doubt, Function, Value, as_text, truth
from gatepost.core.jsonnet.values import is_number as _is_number


@standard("x", gives="text", name="type")
def kind(x: Value) -> str:
    """The name of a value's type."""
    if x is None:
        return "null"
    if is_object(x):
        return "object"
    names = {
        bool: "boolean",
        int: "number",
        float: "number",
        str: "string",
        list: "array",
        Function: "function",
    }
    return names[type(x)]


@standard("x", name="id")
def id_(x: Value) -> Value:
    """The value itself."""
    return x


@standard("v", gives="boolean", name="isString")
def is_string(v: Value) -> bool:
    """Whether it is a text."""
    return type(v) is str


@standard("v", gives="boolean", name="isNumber")
def is_number(v: Value) -> bool:
    """Whether it is a number."""
    return _is_number(v)


@standard("v", gives="boolean", name="isBoolean")
def is_boolean(v: Value) -> bool:
    """Whether it is true or false."""
    return type(v) is bool


@standard("v", gives="boolean", name="isArray")
def is_array(v: Value) -> bool:
    """Whether it is an array."""
    return type(v) is list


@standard("x", gives="boolean", name="isNull")
def is_null(x: Value) -> bool:
    """Whether it is null."""
    return x is None


@standard("v", gives="boolean", name="isObject")
def is_an_object(v: Value) -> bool:
    """Whether it is an object."""
    return is_object(v)


@standard("v", gives="boolean", name="isFunction")
def is_function(v: Value) -> bool:
    """Whether it is a function."""
    return type(v) is Function


@standard("x", gives="number")
def length(x: Value) -> int:
    """How many characters, items, visible fields or parameters a value has."""
    if type(x) is str or type(x) is list:
        return len(x)
    if is_object(x):
        return len(names_of(x))
    if type(x) is Function:
        return sum(not optional for optional in x.optional)
    raise Doubt("without a length")


@standard("str", gives="boolean", name="isEmpty")
def is_empty(text: Value) -> bool:
    """Whether a text has no characters."""
    return not as_text(text)


@standard("x y", gives="boolean")
def equals(x: Value, y: Value) -> bool:
    """Whether two values are equal, whatever their kind."""
    return _equals(x, y)


@standard("x y", gives="boolean", name="primitiveEquals")
def primitive_equals(x: Value, y: Value) -> bool:
    """Whether two values are equal, neither an array nor an object."""
    if (type(x) is list and type(y) is list) or (is_object(x) and is_object(y)):
        raise Doubt("not primitive")
    return _equals(x, y)


@standard("a b", gives="boolean", name="assertEqual")
def assert_equal(a: Value, b: Value) -> bool:
    """True; two values that differ are an error."""
    if not _equals(a, b):
        raise Doubt("an assertion that does not hold")
    return True


@standard("x y", gives="boolean")
def xor(x: Value, y: Value) -> bool:
    """Whether exactly one of two truth values is true."""
    return truth(x) is not truth(y)


@standard("x y", gives="boolean")
def xnor(x: Value, y: Value) -> bool:
    """Whether two truth values are the same."""
    return truth(x) is truth(y)
