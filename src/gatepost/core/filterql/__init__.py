"""FilterQL: the language of audiences, and the expressions that map events to profiles."""

from gatepost.core.filterql.compiler import CompiledFilter, Verdict, compile_filter
from gatepost.core.filterql.expressions import CompiledExpression, Guard, compile_expression, compile_guard
from gatepost.core.filterql.functions import FUNCTIONS, Function
from gatepost.core.filterql.includes import inlined
from gatepost.core.filterql.nodes import Node, Statement
from gatepost.core.filterql.parser import parse_filter, parse_statements
from gatepost.core.filterql.printer import print_filter
from gatepost.core.filterql.spelling import UnknownField, unknown_fields
from gatepost.core.filterql.tree import from_ast, to_ast
from gatepost.core.filterql.windowcalls import WindowRead

__all__ = [
    "FUNCTIONS",
    "CompiledExpression",
    "CompiledFilter",
    "Function",
    "Guard",
    "Node",
    "Statement",
    "UnknownField",
    "Verdict",
    "WindowRead",
    "compile_expression",
    "compile_filter",
    "compile_guard",
    "from_ast",
    "inlined",
    "parse_filter",
    "parse_statements",
    "print_filter",
    "to_ast",
    "unknown_fields",
]
