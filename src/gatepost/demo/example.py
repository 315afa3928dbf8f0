"""The configuration a demo applies: `examples/insider`, from the wheel or from a checkout."""

from importlib.resources import files
from pathlib import Path

import yaml

from gatepost.model.errors import OperatorError

_IN_CHECKOUT = Path(__file__).parents[3]


def example_folder() -> Path:
    """Return the folder of the example."""
    for root in (Path(str(files("gatepost.demo"))), _IN_CHECKOUT):
        folder = root / "examples" / "insider"
        if folder.is_dir():
            return folder
    msg = "examples/insider is missing from this installation; install gatepost again"
    raise OperatorError(msg)


def example_audiences(folder: Path) -> list[str]:
    """Return the slugs of the audiences that the example defines."""
    return list(yaml.safe_load((folder / "gatepost.yaml").read_text(encoding="utf-8"))["audiences"])
