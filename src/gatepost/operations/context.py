"""What every operation works with."""

import secrets
from collections.abc import Callable

import msgspec

from gatepost.core.addresses import AllowList
from gatepost.model.catalog import Author
from gatepost.ports.clock import Clock
from gatepost.ports.log import EventLog
from gatepost.ports.renderer import Renderer
from gatepost.ports.secrets import Secrets
from gatepost.ports.sender import Sender
from gatepost.ports.store import Store
from gatepost.providers.registry import ProviderRegistry


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a running gatepost that operations use; built by `app`."""

    store: Store
    log: EventLog
    secrets: Secrets
    renderer: Renderer
    sender: Sender
    providers: ProviderRegistry
    clock: Clock
    allow: AllowList
    brake: int = 10
    """Percent of an audience that a change may move without a confirmation."""
    asker: Author = Author()
    """Who asks, as far as it is known."""
    wake_apply: Callable[[], None]
    """Called after a change that apply should act on at once."""
    wake_deliver: Callable[[list[int]], None]
    """Called with destinations that may have something to send now."""


def new_id() -> str:
    """Return a fresh id: 32 hexadecimal digits, as Lytics has them."""
    return secrets.token_hex(16)
