"""Which part of the compiler writes which kind of node."""

from typing import Final

from gatepost.core.jsonnet import nodes
from gatepost.core.jsonnet.compiler import braces, calls, expressions, laziness
from gatepost.core.jsonnet.compiler.unit import Handler

HANDLERS: Final[dict[type, Handler]] = {
    nodes.Literal: expressions.literal,
    nodes.Variable: expressions.variable,
    nodes.Self: expressions.self_,
    nodes.SuperField: expressions.super_field,
    nodes.InSuper: expressions.in_super,
    nodes.Local: expressions.local,
    nodes.Array: braces.array,
    nodes.ArrayComp: braces.array_comp,
    nodes.Object: braces.object_,
    nodes.ObjectComp: braces.object_comp,
    nodes.Index: expressions.index,
    nodes.Slice: expressions.slice_,
    nodes.Apply: calls.call,
    nodes.Binary: expressions.binary,
    nodes.Unary: expressions.unary,
    nodes.If: expressions.if_,
    nodes.Function: laziness.function_value,
    nodes.Error: expressions.error,
    nodes.Assert: expressions.assertion,
    nodes.Import: expressions.import_,
}
