"""What a user configures besides schema and audiences: templates, authorizations, jobs, tokens, accounts."""

from enum import StrEnum

import msgspec

from gatepost.model.jsonvalue import JsonObject
from gatepost.model.times import Instant


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One customer of this installation."""

    number: int
    id: str
    """32 hexadecimal digits."""
    name: str = ""
    created: Instant = 0


class TemplateType(StrEnum):
    """The language of a template."""

    JSONNET = "jsonnet"
    JS1 = "js1"
    """JavaScript with a `function template(data)`."""
    HANDLEBARS = "handlebars"


class Author(msgspec.Struct, frozen=True):
    """Who changed something: the token that was used, by id and label; empty for gatepost itself."""

    id: str = ""
    label: str = ""


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """Text that turns a trigger into a request body."""

    id: str
    account: int
    name: str
    type: TemplateType
    source: str
    description: str = ""
    desired_format: str = ""
    reference_tables: tuple[str, ...] = ()
    version: int = 1
    """Counts the texts it has had."""
    author: Author = Author()
    """Who saved this text."""
    saved: Instant = 0
    """When this text was saved; a new name or description leaves it alone."""
    added: int = 0
    """Lines that the version before had not."""
    removed: int = 0
    """Lines that only the version before had."""
    origin: str = ""
    created: Instant = 0
    updated: Instant = 0


class TemplateVersion(Template, frozen=True, kw_only=True):
    """An earlier text of a template, as it was stored; `id` is the template's with `@` and the version."""


class Authorization(msgspec.Struct, frozen=True, kw_only=True):
    """Stored credentials; `config` is sealed and opened only to send."""

    id: str
    account: int
    label: str
    type: str
    """`header_param_auth` or `no_auth`."""
    provider: str = "webhooks"
    description: str = ""
    config: bytes = b""
    """Encrypted JSON."""
    fingerprint: str = ""
    """Keyed hash of the plain config, so that `config apply` can tell a change without opening it."""
    origin: str = ""
    created: Instant = 0
    updated: Instant = 0


class JobStatus(StrEnum):
    """A job's own state; `failed` is only a view on its destination."""

    RUNNING = "running"
    PAUSED = "paused"
    DELETED = "deleted"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A standing order: these audiences, this template, this destination."""

    id: str
    account: int
    name: str
    workflow: str
    """`webhook_triggers`."""
    config: JsonObject
    """As in Lytics: segment_ids, webhook_url, template_id, audience_events, user_fields, stream, ..."""
    auth_ids: tuple[str, ...] = ()
    destination: int = 0
    status: JobStatus = JobStatus.RUNNING
    description: str = ""
    origin: str = ""
    created: Instant = 0
    updated: Instant = 0


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where a queue leads: one authorization at one scheme, host and port."""

    number: int
    account: int
    authorization: str
    origin_url: str
    """Such as `https://unification.useinsider.com:443`."""
    stopped: str = ""
    """Why nothing is sent there now (bad credentials); empty when open."""


class Scope(StrEnum):
    """What a token may do; each includes the ones before it."""

    DATA = "data"
    READ = "read"
    ADMIN = "admin"


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """An access token, without its secret."""

    id: str
    account: int
    label: str
    scope: Scope
    digest: bytes
    """SHA-256 of the secret, which has 256 random bits."""
    created: Instant = 0
    expires: Instant = 0
    """0 means never."""
