"""The accounts of the sandbox: who may call, and what each account has registered."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from gatepost.model.errors import OperatorError
from gatepost.model.times import DAY, Milliseconds
from gatepost.sandbox.insider.values import TYPES
from gatepost.sandbox.insider.vocabulary import default_retention

PartnerName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=100)]


class IdentifierRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many values of an identifier a profile may hold."""

    limit: Annotated[int, msgspec.Meta(ge=1)] = 1


def _usual_identifiers() -> dict[str, IdentifierRule]:
    return {name: IdentifierRule() for name in ("uuid", "email", "phone_number")}


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One partner: credentials, identity settings and registered names."""

    partner: PartnerName
    tokens: Annotated[list[str], msgspec.Meta(min_length=1, max_length=5)]
    allowed_addresses: list[str] = []
    """Addresses that may call; empty allows all."""
    identifiers: dict[str, IdentifierRule] = msgspec.field(default_factory=_usual_identifiers)
    """Enabled identifiers, the strongest first; custom ones by their own name."""
    blocked_values: tuple[str, ...] = ("undefined", "anonymous", "0", "1", "null")
    auto_register: bool = True
    """Accept custom names that nobody registered, so that a first run works."""
    attributes: dict[str, str] = {}
    """Registered custom attributes and their types."""
    events: list[str] = []
    """Registered custom events."""
    parameters: dict[str, str] = {}
    """Registered custom event parameters and their types."""
    retention_days: dict[str, Annotated[int, msgspec.Meta(ge=1)]] = {}
    """Days that events of a name are kept, where it differs from Insider's default."""
    mode: Literal["faithful", "strict"] = "faithful"
    """`strict` refuses a user where Insider would silently drop a value."""

    def __post_init__(self) -> None:
        for name, kind in {**self.attributes, **self.parameters}.items():
            if kind not in TYPES:
                msg = f"{name!r} has the type {kind!r}; write one of {', '.join(TYPES)}"
                raise ValueError(msg)

    @property
    def strict(self) -> bool:
        """Tell whether lost values refuse the user."""
        return self.mode == "strict"

    def identifies(self, name: str, *, custom: bool = False) -> bool:
        """Tell whether the identity settings use this identifier."""
        return name in self.identifiers or (custom and self.auto_register)

    def identifier_limit(self, name: str) -> int:
        """Return how many values of this identifier one profile may hold."""
        rule = self.identifiers.get(name)
        return rule.limit if rule else 1

    def retention(self, event_name: str) -> Milliseconds:
        """Return how long events of this name are kept."""
        days = self.retention_days.get(event_name)
        return days * DAY if days else default_retention(event_name)


class Accounts:
    """Finds the account behind a partner name and a token."""

    def __init__(self, accounts: list[Account]) -> None:
        self.by_partner = {account.partner: account for account in accounts}
        self._partners_by_token: dict[str, set[str]] = {}
        for account in self.by_partner.values():
            for token in account.tokens:
                self._partners_by_token.setdefault(token, set()).add(account.partner)

    def knows_token(self, token: str) -> bool:
        """Tell whether any account holds this token."""
        return token in self._partners_by_token

    def owns(self, partner: str, token: str) -> bool:
        """Tell whether the token belongs to this partner."""
        return partner in self._partners_by_token.get(token, ())


def load_accounts(path: Path, usual: Account) -> Accounts:
    """Read the accounts file, if there is one; the usual account stays unless the file redefines it."""
    if not path.exists():
        return Accounts([usual])
    try:
        listed = msgspec.json.decode(path.read_bytes(), type=list[Account])
    except msgspec.DecodeError as error:
        msg = f"{path}: {error}; it must hold a JSON array of accounts, each with partner and tokens"
        raise OperatorError(msg) from error
    return Accounts([usual, *listed])
