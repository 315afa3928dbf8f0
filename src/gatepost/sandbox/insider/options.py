"""How a sandbox is set up."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gatepost.sandbox.insider.accounts import Account

USUAL_PARTNER = "sandbox"
USUAL_TOKEN = "sandbox-token"  # noqa: S105 - public on purpose, it opens nothing but the sandbox


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """Everything that can be chosen about a sandbox."""

    data: Path
    mode: Literal["faithful", "strict"] = "faithful"
    auto_register: bool = True
    rate_per_minute: int | None = 25_000
    """Upserts and attribute deletes per partner and minute, counted together; None lifts every limit."""
    retry_after: bool = True
    """Whether a 429 says when to come back; Insider does so only sometimes."""
    clock_manual: bool = False
    requests_kept: int = 10_000

    def usual_account(self) -> Account:
        """Return the account that works without any configuration."""
        return Account(
            partner=USUAL_PARTNER,
            tokens=[USUAL_TOKEN],
            mode=self.mode,
            auto_register=self.auto_register,
        )
