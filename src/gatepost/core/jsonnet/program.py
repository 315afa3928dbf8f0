"""A compiled template: source in, a function from entity to text out."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from gatepost.core.jsonnet.compiler.bindings import Env, StandardLibrary
from gatepost.core.jsonnet.compiler.blocks import Block
from gatepost.core.jsonnet.compiler.handlers import HANDLERS
from gatepost.core.jsonnet.compiler.modules import load
from gatepost.core.jsonnet.compiler.output import Printer
from gatepost.core.jsonnet.compiler.tidying import tidied
from gatepost.core.jsonnet.compiler.unit import Uncovered, Unit
from gatepost.core.jsonnet.library import names
from gatepost.core.jsonnet.manifest import escaped
from gatepost.core.jsonnet.nodes import Node
from gatepost.core.jsonnet.parser import parse
from gatepost.core.jsonnet.scoping import check
from gatepost.core.jsonnet.tokens import SyntaxFault
from gatepost.core.jsonnet.values import BUDGET, DEEPEST, STEPS, Doubt
from gatepost.model.jsonvalue import JsonObject, JsonValue

_LONGEST_CODE: Final = 512 * 1024
_PARAMETERS: Final = "entity, job_config, auth_config, association, stream"

__all__ = ["Doubt", "Program", "Uncovered", "compile_template"]


class Program:
    """A template as Python code; `render` is a function of its arguments alone."""

    def __init__(self, run: Callable[..., str], frames: int, code: str, fixed: int) -> None:
        self._run = run
        self._frames = frames
        self.code = code
        """The Python source, for whoever wants to see it."""
        self.size = len(code) + fixed
        """Characters of the source and of the texts it prints."""

    def render(self, entity: JsonObject, job_config: JsonValue, auth_config: JsonValue) -> str:
        """Return what the template prints; raise Doubt where only the reference engine may answer.

        The budget is one for all programs, so one render runs at a time.
        """
        BUDGET[0] = self._frames
        BUDGET[1] = STEPS
        try:
            return escaped(self._run(entity, job_config, auth_config, {}, ""))
        except Doubt:
            raise
        except Exception as error:
            # Whatever goes wrong is the engine's to say: a missing key, a number out of bounds.
            raise Doubt(type(error).__name__) from error


def compile_template(source: str, library: Mapping[str, str]) -> Program:
    """Compile a template with the files that it may import; raise Uncovered, with the reason."""
    try:
        tree = parse(source)
        check(tree)
        return _compiled(tree, _parsed(tuple(library.items())))
    except SyntaxFault as fault:
        raise Uncovered(str(fault)) from fault
    except RecursionError as error:
        raise Uncovered("the template nests too deeply") from error


@cache
def _parsed(files: tuple[tuple[str, str], ...]) -> dict[str, Node]:
    return {name: parse(text) for name, text in files}


def _compiled(tree: Node, modules: Mapping[str, Node]) -> Program:
    unit = Unit(HANDLERS, modules)
    env = Env({"std": StandardLibrary()})
    load(unit, env)
    printer = Printer(unit)
    block = Block()
    body = block.nested(f"def render({_PARAMETERS}):")
    body.take(unit.top)
    result = printer.code(tree, env, body)
    body.add(f"return {result} + {unit.constant(chr(10))}")
    frames = printer.frames + 2
    if frames > DEEPEST:
        raise Uncovered("what depends on what is too long a chain")
    code = "\n".join(tidied(block.lines()))
    fixed = sum(len(text) for text in unit.table.values() if isinstance(text, str))
    return Program(_function(code, unit.table), frames, code, fixed)


def _function(code: str, table: Mapping[str, object]) -> Callable[..., str]:
    if len(code) > _LONGEST_CODE:
        raise Uncovered("the template is too large")
    namespace: dict[str, Any] = {"__builtins__": names.PYTHON, **names.RUNTIME, **table}
    try:
        exec(compile(code, "<template>", "exec"), namespace)  # noqa: S102 - of our own words alone; see Unit.constant
    except (SyntaxError, MemoryError, RecursionError) as error:
        raise Uncovered("the template nests too deeply") from error
    render: Callable[..., str] = namespace["render"]
    return render
