"""The attribute delete call: reads which attributes or values go, and removes them."""

from dataclasses import dataclass

from gatepost.model.jsonvalue import JsonObject, JsonValue
from gatepost.model.times import Instant
from gatepost.sandbox.insider.accounts import Account
from gatepost.sandbox.insider.identity import Identity, read_identity
from gatepost.sandbox.insider.profiles import Profiles
from gatepost.sandbox.insider.upsert import find_profile
from gatepost.sandbox.insider.verdict import Verdict, shown
from gatepost.sandbox.insider.vocabulary import REMOVAL_KEYS, SHORT_NAMES


@dataclass(frozen=True, slots=True)
class Cut:
    """Names that go as a whole, and values that go from arrays."""

    whole: frozenset[str]
    partial: dict[str, list[JsonValue]]

    def __bool__(self) -> bool:
        return bool(self.whole or self.partial)


@dataclass(frozen=True, slots=True)
class Removal:
    """What one accepted user asks to be removed."""

    identity: Identity
    default: Cut
    custom: Cut


def read_removal(user: JsonObject, account: Account, verdict: Verdict) -> Removal:
    """Return what a user asks to be removed."""
    identity = read_identity(user, account, verdict)
    default = _read_cut(user, "", verdict)
    source = user.get("custom")
    if source is not None and not isinstance(source, dict):
        verdict.refuse("custom.type(object)", f"custom must be object: {shown(source)}")
        source = None
    custom = _read_cut(source or {}, "custom.", verdict)
    if not (default or custom or verdict.refused):
        verdict.refuse("whole.required", "at least one attribute must be specified for deletion")
    for key in user.keys() - REMOVAL_KEYS:
        verdict.remark("in(user)", f"{shown(key)} has no meaning in an attribute delete and was ignored")
    return Removal(identity, _with_full_names(default), custom)


def apply_removal(
    wish: Removal, account: Account, profiles: Profiles, now: Instant, verdict: Verdict
) -> None:
    """Remove attributes; an unknown user is nobody's loss, which keeps repeats harmless."""
    profile = find_profile(wish.identity, account, profiles)
    if profile is None:
        verdict.remark("identifiers.unknown", "no such user; nothing was removed")
        return
    for name in wish.default.whole & account.identifiers.keys():
        verdict.remark("whole.identifier", f"{name} is an identifier and was kept")
    default = _without(profile.default, wish.default, "", verdict)
    custom = _without(profile.custom, wish.custom, "custom.", verdict)
    if default != profile.default or custom != profile.custom:
        profiles.write(profile, default, custom, now)


def _read_cut(source: JsonObject, prefix: str, verdict: Verdict) -> Cut:
    whole = source.get("whole") or []
    if not isinstance(whole, list) or not all(isinstance(name, str) for name in whole):
        verdict.refuse(f"{prefix}whole.type(array)", f"whole must be array of names: {shown(whole)}")
        whole = []
    partial = source.get("partial") or {}
    if not isinstance(partial, dict):
        verdict.refuse(f"{prefix}partial.type(object)", f"partial must be object: {shown(partial)}")
        partial = {}
    values: dict[str, list[JsonValue]] = {}
    for name, cut in partial.items():
        if not isinstance(cut, list):
            verdict.refuse(f"{prefix}partial.*.type(array)", f"{shown(name)} must be array: {shown(cut)}")
        elif cut:
            values[name] = cut
    return Cut(frozenset(str(name) for name in whole), values)


def _with_full_names(cut: Cut) -> Cut:
    return Cut(
        frozenset(SHORT_NAMES.get(name, name) for name in cut.whole),
        {SHORT_NAMES.get(name, name): values for name, values in cut.partial.items()},
    )


def _without(stored: JsonObject, cut: Cut, prefix: str, verdict: Verdict) -> JsonObject:
    if not cut or not stored:
        return stored
    kept = {name: value for name, value in stored.items() if name not in cut.whole}
    for name, gone in cut.partial.items():
        value = kept.get(name)
        if isinstance(value, list):
            scalars = {item for item in gone if isinstance(item, str | int | float)}
            rest = [item for item in value if item not in scalars]
            kept[name] = rest
            if not rest:
                del kept[name]
        elif name in kept:
            verdict.remark(f"{prefix}partial.scalar", f"{name} is not an array and was left as it is")
    return kept
