"""The output check: what Insider would refuse, ignore or misread in a body, and what would be right."""

import re
from collections.abc import Iterator, Mapping, Sequence

from gatepost.model.jsonvalue import JsonValue
from gatepost.providers.contract import Advice, AdviceLevel
from gatepost.providers.insider.bodies import MOST_USERS
from gatepost.providers.insider.exits import exit_advice
from gatepost.providers.insider.people import person_advice, shape
from gatepost.providers.insider.upserts import upsert_advice

_DELETES = re.compile(r"/attribute/delete/?(?:[?#]|$)", re.IGNORECASE)


def advice(url: str, body: JsonValue) -> list[Advice]:
    """Look over a body that would go to this URL; the worst comes first, else in the order of the body."""
    found = list(_body_advice(is_exit=_DELETES.search(url) is not None, body=body))
    return sorted(found, key=lambda one: one.level is not AdviceLevel.ERROR)


def pair_advice(enter: JsonValue, exit_: JsonValue) -> list[Advice]:
    """Compare the bodies that an entrance and an exit template give for the same profile."""
    found: list[Advice] = []
    ours, theirs = _custom_identifiers(enter), _custom_identifiers(exit_)
    for name, value in theirs.items():
        if name in ours and ours[name] != value:
            message = (
                f"the two templates fill {name} from different fields, so they address different people; "
                "read the same field in both"
            )
            found.append(Advice(path=f"users.0.identifiers.custom.{name}", message=message))
    return found


def _body_advice(*, is_exit: bool, body: JsonValue) -> Iterator[Advice]:
    if not isinstance(body, Mapping):
        yield Advice(
            path="", message=f"the body is {shape(body)}; Insider wants an object", level=AdviceLevel.ERROR
        )
        return
    users = body.get("users")
    if not isinstance(users, Sequence) or isinstance(users, str) or not users:
        message = f"users is {shape(users)}; Insider wants a list with at least one user"
        yield Advice(path="users", message=message, level=AdviceLevel.ERROR)
        return
    if len(users) > MOST_USERS:
        message = f"there are {len(users)} users; Insider takes {MOST_USERS} in one request"
        yield Advice(path="users", message=message, level=AdviceLevel.ERROR)
    for index, user in enumerate(users):
        path = f"users.{index}"
        if not isinstance(user, Mapping):
            message = f"a user is {shape(user)}; Insider wants an object"
            yield Advice(path=path, message=message, level=AdviceLevel.ERROR)
            continue
        yield from person_advice(path, user)
        yield from exit_advice(path, user) if is_exit else upsert_advice(path, user)


def _custom_identifiers(body: JsonValue) -> Mapping[str, JsonValue]:
    """Return the custom identifiers of the first user, or nothing."""
    value = body
    for step in ("users", 0, "identifiers", "custom"):
        if isinstance(step, int):
            value = (
                value[step] if isinstance(value, Sequence) and not isinstance(value, str) and value else None
            )
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}
