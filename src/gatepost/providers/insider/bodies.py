"""Insider's request bodies, taken apart and put together again without touching a user."""

from collections.abc import Iterator, Sequence

import msgspec

from gatepost.providers.contract import Message

MOST_USERS = 1_000
MOST_BYTES = 4_500_000
"""Insider takes 5,000,000; the rest is room for what a proxy may add."""


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    users: list[msgspec.Raw]


class _Person(msgspec.Struct):
    insider_id: msgspec.Raw = msgspec.Raw()
    identifiers: msgspec.Raw = msgspec.Raw()


_body = msgspec.json.Decoder(_Body)
_person = msgspec.json.Decoder(_Person)

Person = tuple[bytes, bytes]


def only_user(body: bytes) -> tuple[bytes, Person] | None:
    """Return the one user of a body and who it is; None when the body is anything else."""
    try:
        users = _body.decode(body).users
        if len(users) != 1:
            return None
        person = _person.decode(users[0])
    except msgspec.DecodeError:
        return None
    return bytes(users[0]), (bytes(person.insider_id), bytes(person.identifiers))


def merged(users: Sequence[bytes]) -> bytes:
    """Return one body with these users, byte for byte."""
    return b'{"users":[' + b",".join(users) + b"]}"


def batches(messages: Sequence[Message]) -> Iterator[tuple[list[Message], bytes | None]]:
    """Group neighbouring messages that one request can carry, each group with its body.

    The body is None for a message that goes alone as it is. A person is at most once in a batch, because
    Insider does not say in which order it works through one.
    """
    group: list[Message] = []
    users: list[bytes] = []
    people: set[Person] = set()
    size = 0
    for message in messages:
        found = only_user(message.body)
        fits = (
            found is not None
            and bool(group)
            and _same_envelope(group[0], message)
            and found[1] not in people
            and len(users) < MOST_USERS
            and size + len(found[0]) <= MOST_BYTES
        )
        if not fits and group:
            yield group, merged(users) if len(group) > 1 else None
            group, users, people, size = [], [], set(), 0
        if found is None:
            yield [message], None
            continue
        group.append(message)
        users.append(found[0])
        people.add(found[1])
        size += len(found[0]) + 1
    if group:
        yield group, merged(users) if len(group) > 1 else None


def _same_envelope(one: Message, other: Message) -> bool:
    return (
        one.url == other.url
        and one.method == other.method
        and one.headers == other.headers
        and one.do_not_retry == other.do_not_retry
    )
