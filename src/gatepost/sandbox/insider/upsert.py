"""The upsert call: reads one user, finds or creates the profile, writes what was sent."""

from dataclasses import dataclass

from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.model.times import Instant
from gatepost.sandbox.insider.accounts import Account
from gatepost.sandbox.insider.attributes import Attributes, read_attributes
from gatepost.sandbox.insider.events import StoredEvent, read_events
from gatepost.sandbox.insider.identity import Identity, read_identity
from gatepost.sandbox.insider.profiles import Profile, Profiles
from gatepost.sandbox.insider.verdict import Verdict, shown
from gatepost.sandbox.insider.vocabulary import USER_KEYS


@dataclass(frozen=True, slots=True)
class Upsert:
    """What one accepted user asks to be written."""

    identity: Identity
    attributes: Attributes
    events: list[StoredEvent]
    append: bool


def read_upsert(
    user: JsonObject, account: Account, now: Instant, *, append: bool, verdict: Verdict
) -> Upsert:
    """Return what a user asks for; `append` is what the request says for all users."""
    identity = read_identity(user, account, verdict)
    attributes = read_attributes(user.get("attributes"), account, verdict)
    events = read_events(user.get("events"), account, now, verdict)
    if attributes is None and not user.get("events") and not verdict.refused:
        verdict.refuse("attributes.required", "either attributes or events must be specified")
    if user.get("object_attributes") is not None:
        verdict.remark("object_attributes", "arrays of objects are accepted and not stored by the sandbox")
    for key in user.keys() - USER_KEYS:
        verdict.remark("in(user)", f"{shown(key)} is not a field of a user and was ignored")
    wish = appends(user)
    return Upsert(identity, attributes or Attributes(), events, append if wish is None else wish)


def appends(source: JsonObject) -> bool | None:
    """Return whether arrays are added to or overwritten, None when nothing is said; `append` wins."""
    if isinstance(source.get("append"), bool):
        return bool(source["append"])
    if isinstance(source.get("not_append"), bool):
        return not source["not_append"]
    return None


def apply_upsert(wish: Upsert, account: Account, profiles: Profiles, now: Instant, verdict: Verdict) -> None:
    """Write an accepted user; nobody at all is created for an unknown id without identifiers."""
    profile = find_profile(wish.identity, account, profiles)
    if profile is None and not wish.identity.identifiers:
        verdict.refuse("insider_id.exists", f"no such user: {shown(wish.identity.insider_id)}")
        return
    if profile is None:
        profile = profiles.create(account.partner, now)
    _claim(profile, wish.identity, account, profiles, verdict)
    default = _merged(profile.default, wish.attributes.default, wish.append, verdict)
    custom = _merged(profile.custom, wish.attributes.custom, wish.append, verdict)
    profiles.write(profile, default, custom, now)
    for event in wish.events:
        profiles.add_event(profile, event)


def find_profile(identity: Identity, account: Account, profiles: Profiles) -> Profile | None:
    """Return who is meant: Insider's own id first, then the strongest identifier that is known."""
    found = profiles.by_number(account.partner, identity.insider_id) if identity.insider_id else None
    if found is not None:
        return found
    for name, value in identity.identifiers.items():
        found = profiles.by_address(account.partner, name, value)
        if found is not None:
            return found
    return None


def _claim(
    profile: Profile, identity: Identity, account: Account, profiles: Profiles, verdict: Verdict
) -> None:
    for name, value in identity.identifiers.items():
        holder = profiles.by_address(account.partner, name, value)
        if holder is profile:
            continue
        if len(profile.identifiers.get(name, ())) >= account.identifier_limit(name):
            verdict.remark(
                "identifiers.*.limit", f"the profile already has another {name}; the new one was left out"
            )
        elif holder is not None and _is_only_identifier(holder):
            verdict.remark(
                "identifiers.*.taken", f"{name} is the only identifier of another profile and stays there"
            )
        else:
            profiles.hold(profile, name, value)


def _is_only_identifier(holder: Profile) -> bool:
    return sum(map(len, holder.identifiers.values())) == 1


def _merged(stored: JsonObject, sent: JsonObject, append: bool, verdict: Verdict) -> JsonObject:
    if not sent:
        return stored
    merged = dict(stored)
    for name, value in sent.items():
        if not isinstance(value, list):
            merged[name] = value
        elif value:
            merged[name] = _joined(stored.get(name), value) if append else list(dict.fromkeys(value))
        elif not append:
            message = f"{name} is empty and clears nothing; delete the attribute instead"
            verdict.remark("attributes.*.empty", message)
    return merged


def _joined(stored: JsonValue, sent: list[JsonValue]) -> list[JsonValue]:
    before = stored if isinstance(stored, list) else []
    return list(dict.fromkeys([*before, *sent]))
