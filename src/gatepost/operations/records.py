"""Reading configured things inside a transaction: by id, by slug, without those that are on their way out."""

from gatepost.core.plans import AccountPlan
from gatepost.core.versions import Versions
from gatepost.model.audience import Audience
from gatepost.model.catalog import Account, Authorization, Destination, Job, JobStatus, Template
from gatepost.model.errors import InvalidInput, NotFound
from gatepost.model.schema import Schema
from gatepost.ports.store import Transaction

LONGEST_NAME = 255


def account_of(tx: Transaction, number: int) -> Account:
    """Return an account by its number."""
    return next(account for account in tx.catalog.list(Account, number))


def current_schema(tx: Transaction, account: int) -> Schema:
    """Return the newest published schema, an empty one when nothing was published."""
    return tx.catalog.newest(Schema, account) or Schema()


def versions_of(tx: Transaction, account: int, plan: AccountPlan) -> Versions:
    """Return all versions of the schema to fold the past with again; `plan` is of the newest."""
    return Versions(plan, tx.catalog.list(Schema, account))


def live_audiences(tx: Transaction, account: int) -> list[Audience]:
    """Return the audiences that nobody has deleted, oldest first."""
    return [audience for audience in tx.catalog.list(Audience, account) if not audience.deleted]


def audience_of(tx: Transaction, account: int, id_or_slug: str) -> Audience:
    """Return a live audience by id or slug; raise NotFound."""
    audience = tx.catalog.get(Audience, account, id_or_slug)
    if audience is not None and not audience.deleted:
        return audience
    for candidate in live_audiences(tx, account):
        if candidate.slug == id_or_slug:
            return candidate
    raise NotFound("audience", id_or_slug)


def still_leaving(tx: Transaction, account: int, id_: str) -> bool:
    """Say whether an audience is there, or is deleted and has members who have not left yet."""
    audience = tx.catalog.get(Audience, account, id_)
    return audience is not None and not audience.gone


def template_of(tx: Transaction, account: int, id_: str) -> Template:
    """Return a template by id; raise NotFound."""
    template = tx.catalog.get(Template, account, id_)
    if template is None:
        raise NotFound("template", id_)
    return template


def authorization_of(tx: Transaction, account: int, id_: str) -> Authorization:
    """Return an authorization by id; raise NotFound."""
    authorization = tx.catalog.get(Authorization, account, id_)
    if authorization is None:
        raise NotFound("authorization", id_)
    return authorization


def job_of(tx: Transaction, account: int, id_: str) -> Job:
    """Return a job by id, a killed one too; raise NotFound."""
    job = tx.catalog.get(Job, account, id_)
    if job is None:
        raise NotFound("job", id_)
    return job


def live_jobs(tx: Transaction, account: int) -> list[Job]:
    """Return the jobs that nobody has killed, oldest first."""
    return [job for job in tx.catalog.list(Job, account) if job.status is not JobStatus.DELETED]


def destinations_of(tx: Transaction, account: int) -> dict[int, Destination]:
    """Return an account's destinations by number."""
    return {destination.number: destination for destination in tx.catalog.list(Destination, account)}


def checked_name(name: str, path: str, longest: int = LONGEST_NAME) -> str:
    """Return a name without blanks around it; raise InvalidInput when it is empty or too long."""
    plain = name.strip()
    if not 0 < len(plain) <= longest:
        msg = f"a {path} has 1 to {longest} characters, this one has {len(plain)}"
        raise InvalidInput(msg, path=path)
    return plain
