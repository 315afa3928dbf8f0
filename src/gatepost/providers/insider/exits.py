"""The output check of one user sent to `/api/user/v1/attribute/delete`."""

from collections.abc import Iterator, Mapping, Sequence

from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.providers.contract import Advice
from gatepost.providers.insider.people import empty_advice, error, shape

_IGNORED = ("not_append", "append", "object_attributes")


def exit_advice(path: str, user: Mapping[str, JsonValue]) -> Iterator[Advice]:
    """Check what is named for deletion, and what does not belong here."""
    yield from _wrapped(path, user)
    if "events" in user:
        yield error(
            f"{path}.events",
            "events are not allowed here and would be lost; send them by a second job to /api/user/v1/upsert",
        )
    for name in _IGNORED:
        if name in user:
            yield Advice(path=f"{path}.{name}", message=f"{name} means nothing here; leave it out")
    custom = user.get("custom")
    yield from _named(path, user)
    if isinstance(custom, Mapping):
        yield from _named(f"{path}.custom", custom)
    yield from _kept_audiences(path, user)
    if not _names_anything(user) and not _names_anything(custom) and "attributes" not in user:
        yield error(path, "nothing is named for deletion; write custom.partial.<attribute> = [<audience>]")


def corrected_exit(body: JsonValue) -> "JsonObject | None":
    """Return an exit body with its deletions where Insider reads them, or None when nothing is misplaced.

    Where the body names the audience that was left, exactly that audience is deleted.
    """
    users = body.get("users") if isinstance(body, Mapping) else None
    if not isinstance(users, Sequence) or isinstance(users, str):
        return None
    mended = [_corrected_user(user) for user in users]
    return None if mended == list(users) else {"users": mended}


def _wrapped(path: str, user: Mapping[str, JsonValue]) -> Iterator[Advice]:
    if "attributes" not in user:
        return
    attributes = user["attributes"]
    custom = attributes.get("custom") if isinstance(attributes, Mapping) else None
    for where, holder, target in (("attributes", attributes, ""), ("attributes.custom", custom, "custom.")):
        for name in ("partial", "whole"):
            if isinstance(holder, Mapping) and name in holder:
                message = f"this call has no attributes, so nothing is deleted; write {path}.{target}{name}"
                yield error(f"{path}.{where}.{name}", message)
    if not _names_anything(attributes) and not _names_anything(custom):
        message = "this call sets no attributes; name what to delete in custom.partial"
        yield error(f"{path}.attributes", message)


def _named(path: str, holder: Mapping[str, JsonValue]) -> Iterator[Advice]:
    partial, whole = holder.get("partial"), holder.get("whole")
    if isinstance(partial, Mapping):
        for name, values in partial.items():
            where = f"{path}.partial.{name}"
            if not isinstance(values, Sequence) or isinstance(values, str):
                yield error(where, f"{name} is {shape(values)}; name the values to delete in a list")
            elif not values:
                yield Advice(path=where, message=f"the list of {name} is empty, so nothing is deleted")
            else:
                yield from empty_advice(where, name, values)
    elif partial is not None:
        yield error(f"{path}.partial", f"partial is {shape(partial)}; write an object of lists")
    if whole is not None and (not isinstance(whole, Sequence) or isinstance(whole, str)):
        yield error(f"{path}.whole", f"whole is {shape(whole)}; write a list of attribute names")


def _kept_audiences(path: str, user: Mapping[str, JsonValue]) -> Iterator[Advice]:
    """Find the guide's slip: at exit, `_segments` lists the audiences somebody is still in."""
    left = _audience_left(user)
    place, partial = _partial(user)
    if left is None:
        return
    for name, values in partial.items():
        if isinstance(values, Sequence) and not isinstance(values, str) and list(values) != [left]:
            yield error(
                f"{path}.{place}.{name}",
                f"this deletes audiences that somebody is still in and keeps the one left; write [{left!r}]",
            )


def _corrected_user(user: JsonValue) -> JsonValue:
    place, partial = _partial(user)
    if not isinstance(user, Mapping) or not partial or place == "custom.partial":
        return user
    left = _audience_left(user)
    mended = {name: values if left is None else [left] for name, values in partial.items()}
    kept = {name: user[name] for name in ("insider_id", "identifiers") if user.get(name)}
    return {**kept, "custom": {"partial": mended}}


def _partial(user: JsonValue) -> tuple[str, Mapping[str, JsonValue]]:
    """Return where a user names custom values to delete, and which."""
    for place in ("custom.partial", "attributes.custom.partial"):
        value = user
        for step in place.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        if isinstance(value, Mapping):
            return place, value
    return "custom.partial", {}


def _audience_left(user: Mapping[str, JsonValue]) -> str | None:
    """Return the audience that an exit event in the same body names."""
    events = user.get("events")
    for event in events if isinstance(events, Sequence) and not isinstance(events, str) else ():
        params = event.get("event_params") if isinstance(event, Mapping) else None
        custom = params.get("custom") if isinstance(params, Mapping) else None
        audience = custom.get("audience") if isinstance(custom, Mapping) else None
        if isinstance(audience, str) and audience:
            return audience
    return None


def _names_anything(holder: JsonValue) -> bool:
    return isinstance(holder, Mapping) and bool(holder.get("partial") or holder.get("whole"))
