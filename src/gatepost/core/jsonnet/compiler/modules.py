"""The files that a template may import: their functions are known where they are called."""

from gatepost.core.jsonnet.compiler.bindings import Deferred, Env, StaticFunction
from gatepost.core.jsonnet.compiler.locals import static_object
from gatepost.core.jsonnet.compiler.unit import Unit
from gatepost.core.jsonnet.nodes import Function, Local, Object


def load(unit: Unit, env: Env) -> None:
    """Make the modules of a unit known to it."""
    for name, tree in unit.modules.items():
        inner = env.child({})
        body = tree
        while isinstance(body, Local):
            for bind in body.binds:
                if isinstance(bind.value, Function):
                    inner.bind(bind.name, StaticFunction(bind.value, inner, unit.top))
                else:
                    inner.bind(bind.name, Deferred(bind.value, inner))
            body = body.body
        known = static_object(body, inner, unit.top) if isinstance(body, Object) else None
        if known:
            unit.imported[name] = known
