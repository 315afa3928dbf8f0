"""What a provider asks of its user, as data: the tile, and the fields of its authorization."""

from importlib.resources import files

import msgspec


class CredentialField(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing to type in; it becomes a request header when `header` is set."""

    key: str
    label: str
    help: str = ""
    header: str = ""
    pattern: str = ""
    """A regular expression the whole value must match; empty means anything."""
    example: str = ""
    secret: bool = False
    lines: bool = False
    """Several lines of text."""
    required: bool = False


class Descriptor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A provider as the pages show it."""

    name: str
    title: str
    summary: str
    fields: tuple[CredentialField, ...] = ()
    urls: dict[str, str] = {}
    """Proposed webhook URLs by audience trigger: `enter`, `exit`."""
    batching: bool = False
    """Whether requests may carry several deliveries when batching is switched on."""


def load_descriptor(package: str) -> Descriptor:
    """Read the `descriptor.json` that lies beside a provider; done once, when the provider is imported."""
    text = files(package).joinpath("descriptor.json").read_bytes()
    return msgspec.json.decode(text, type=Descriptor)
