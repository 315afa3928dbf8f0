"""Trouble on request: the next answers fail, come late, or never arrive."""

from typing import Annotated, Literal

import msgspec

Operation = Literal["upsert", "attribute_delete", "delete", "profile"]


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """What shall happen to the next requests."""

    count: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1
    operation: Operation | None = None
    """The call it is meant for; None is every call."""
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    """Answer with this status and do nothing else."""
    delay_ms: Annotated[int, msgspec.Meta(ge=0, le=600_000)] = 0
    """Wait before anything else happens."""
    drop: bool = False
    """Process the request, then cut the connection instead of answering."""
    retry_after: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """Send this many seconds in a Retry-After header beside the status."""

    def __post_init__(self) -> None:
        if self.status is None and not self.delay_ms and not self.drop:
            msg = "a fault needs a status, a delay_ms or drop"
            raise ValueError(msg)


class Faults:
    """Faults in the order they were asked for."""

    def __init__(self) -> None:
        self.pending: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Queue a fault behind the others."""
        self.pending.append(fault)

    def next_for(self, operation: Operation) -> Fault | None:
        """Return the fault that this request meets, and use it up by one."""
        if not self.pending:
            return None
        for fault in self.pending:
            if fault.operation in (None, operation):
                fault.count -= 1
                if not fault.count:
                    self.pending.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Forget all faults."""
        self.pending.clear()
