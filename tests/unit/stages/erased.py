"""Ada, who asks to be forgotten, and what there is to be seen of it."""

from pathlib import Path
from typing import Any

from gatepost.model.erasure import Erasure
from gatepost.model.event import RecordKind, Submission
from gatepost.model.schema import Field
from gatepost.stages.excluding import command_body
from tests.factories import ACCOUNT
from tests.pipeline import Pipeline, shop_with

REQUEST = "e" * 32
MAIL, NAME = "ada.lovelace@example.com", "Augusta Ada Byron"
NAMED = shop_with(Field(name="name", pii=True), "name")


def ask(pipeline: Pipeline, value: str = MAIL, field: str = "email", request: str = REQUEST) -> None:
    """Append the request to erase somebody."""
    body = command_body(pipeline.keys, request, (field, value))
    pipeline.log.append(ACCOUNT, [Submission("", 0, body, kind=RecordKind.ERASE)]).result()


def receipt(pipeline: Pipeline, request: str = REQUEST) -> Erasure:
    found = pipeline.store.write_blocking(lambda tx: tx.erasures.get(ACCOUNT, request))
    assert found is not None
    return found


def raw_bytes(folder: Path) -> bytes:
    """Every byte of both files, with their write-ahead logs."""
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if not path.name.endswith("-shm"))


def tell(pipeline: Pipeline, **more: Any) -> None:
    pipeline.send(email=MAIL, name=NAME, **more)
