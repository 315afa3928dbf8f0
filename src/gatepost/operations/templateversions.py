"""Earlier texts of templates: kept under their numbers, listed, read back, held by the jobs that stay at them."""

from collections import Counter

import msgspec

from gatepost.model.catalog import Job, Template, TemplateVersion
from gatepost.model.errors import NotFound
from gatepost.operations.context import Context
from gatepost.operations.records import live_jobs, template_of
from gatepost.ports.store import Transaction

KEPT_VERSIONS = 100
"""So many of the newest texts stay readable, and older ones that a job stays at."""


class KeptVersion(msgspec.Struct, frozen=True):
    """One text of a template, and the names of the jobs that stay at it."""

    template: Template
    jobs: tuple[str, ...]


async def list_versions(context: Context, account: int, id_: str) -> list[KeptVersion]:
    """Return a template's kept texts, the current one first."""

    def work(tx: Transaction) -> list[KeptVersion]:
        current, pins = template_of(tx, account, id_), pins_of(tx, account, id_)
        texts = sorted([current, *_earlier(tx, current)], key=_number, reverse=True)
        return [KeptVersion(text, tuple(pins.get(text.version, ()))) for text in texts]

    return await context.store.read(work)


async def get_version(context: Context, account: int, id_: str, number: int) -> Template:
    """Return one text of a template; raise NotFound when it is not kept."""

    def work(tx: Transaction) -> Template:
        current = template_of(tx, account, id_)
        found = version_at(tx, current, number)
        if found is None:
            raise NotFound("template version", str(number))
        return found

    return await context.store.read(work)


def version_at(tx: Transaction, current: Template, number: int) -> Template | None:
    """Return the text of a template under a number, or None when it is not kept."""
    if number == current.version:
        return current
    return tx.catalog.get(TemplateVersion, current.account, version_id(current.id, number))


def version_id(id_: str, number: int) -> str:
    """Return the id under which an earlier text is stored."""
    return f"{id_}@{number}"


def keep_version(tx: Transaction, old: Template) -> None:
    """Store a text that is about to be replaced, and drop those that are too old and that no job stays at."""
    kept = {**msgspec.structs.asdict(old), "id": version_id(old.id, old.version)}
    tx.catalog.put(old.account, str(kept["id"]), TemplateVersion(**kept))
    oldest = old.version + 2 - KEPT_VERSIONS
    pins = pins_of(tx, old.account, old.id)
    for id_ in tx.catalog.ids(TemplateVersion, old.account, f"{old.id}@"):
        number = int(id_.partition("@")[2])
        if number < oldest and number not in pins:
            tx.catalog.remove(TemplateVersion, old.account, id_)


def drop_versions(tx: Transaction, template: Template) -> None:
    """Remove all earlier texts of a template."""
    for id_ in tx.catalog.ids(TemplateVersion, template.account, f"{template.id}@"):
        tx.catalog.remove(TemplateVersion, template.account, id_)


def pins_of(tx: Transaction, account: int, id_: str) -> dict[int, list[str]]:
    """Return the names of the jobs that stay at a version of a template, by version."""
    pins: dict[int, list[str]] = {}
    for job in live_jobs(tx, account):
        pin = pinned_version(job)
        if pin and job.config.get("template_id") == id_:
            pins.setdefault(pin, []).append(job.name)
    return pins


def pinned_version(job: Job) -> int:
    """Return the version of its template that a job stays at; 0 when it follows the newest."""
    pin = job.config.get("template_version")
    return pin if isinstance(pin, int) else 0


def line_changes(old: str, new: str) -> tuple[int, int]:
    """Count lines added and removed; one that only moved counts as neither."""
    before, after = Counter(old.splitlines()), Counter(new.splitlines())
    return (after - before).total(), (before - after).total()


def _earlier(tx: Transaction, template: Template) -> list[Template]:
    ids = tx.catalog.ids(TemplateVersion, template.account, f"{template.id}@")
    found = (tx.catalog.get(TemplateVersion, template.account, id_) for id_ in ids)
    return [version for version in found if version is not None]


def _number(template: Template) -> int:
    return template.version
