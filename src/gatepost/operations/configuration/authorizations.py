"""The authorizations of a document; a report says that they changed, never what they hold."""

from functools import partial
from urllib.parse import quote

from gatepost.core.authorize import HEADERS_KEY, PARAMS_KEY
from gatepost.model.catalog import Authorization
from gatepost.model.errors import InvalidInput
from gatepost.model.jsonvalue import JsonObject
from gatepost.operations.authorizations import (
    AuthorizationDraft,
    Sealed,
    checked_authorization,
    put_authorization,
    remove_authorization,
    replace_authorization,
    sealed_config,
)
from gatepost.operations.configuration.declaration import Declaration, DeclaredAuthorization
from gatepost.operations.configuration.jobs import planned_uses
from gatepost.operations.configuration.state import (
    ORIGIN,
    Draft,
    Moment,
    State,
    by_name,
    differences,
    own,
)
from gatepost.ports.secrets import Secrets

_PLACES = {f"config.{HEADERS_KEY}": "headers", f"config.{PARAMS_KEY}": "parameters"}


def plan_authorizations(declaration: Declaration, state: State, secrets: Secrets, draft: Draft) -> None:
    """Plan a document's authorizations."""
    for label, one in declaration.authorizations.items():
        wanted = _checked(label, one, draft)
        if wanted is not None:
            sealed = sealed_config(secrets, wanted)
            _plan_one(by_name(state.authorizations, label, _label), wanted, sealed, draft)


def plan_authorization_farewells(declaration: Declaration, state: State, draft: Draft) -> None:
    """Plan the removal of authorizations that a document made and has no more."""
    uses = planned_uses(declaration, state)
    for auth in own(state.authorizations, set(declaration.authorizations), _label):
        users = [job for job, used in uses if auth.id in used]
        if users:
            draft.problems.add(f"authorizations.{auth.label}", f"used by {', '.join(users)}; keep it")
        draft.remove("authorization", auth.label, f"the credentials of {auth.label} are forgotten")
        draft.part(partial(_remove, auth))


def config_of(declared: DeclaredAuthorization) -> JsonObject:
    """Return declared headers and parameters as the texts an authorization keeps."""
    lines = "\n".join(f"{name}: {value}" for name, value in declared.headers.items())
    pairs = "&".join(
        f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in declared.parameters.items()
    )
    texts = {HEADERS_KEY: lines, PARAMS_KEY: pairs}
    return {key: text for key, text in texts.items() if text}


def _checked(label: str, declared: DeclaredAuthorization, draft: Draft) -> AuthorizationDraft | None:
    wanted = AuthorizationDraft(
        label, declared.type, description=declared.description, config=config_of(declared), origin=ORIGIN
    )
    try:
        return checked_authorization(wanted)
    except InvalidInput as error:
        place = _PLACES.get(error.path, error.path)
        draft.problems.add(f"authorizations.{label}.{place}", error.message)
        return None


def _plan_one(old: Authorization | None, wanted: AuthorizationDraft, sealed: Sealed, draft: Draft) -> None:
    if old is None:
        draft.change("create", "authorization", wanted.label)
        draft.do(partial(_create, wanted, sealed))
        return
    details = differences(
        {
            "type": (old.type, wanted.type),
            "description": (old.description, wanted.description),
            "headers or parameters": (old.fingerprint, sealed.fingerprint),
        }
    )
    draft.change("update" if details else "unchanged", "authorization", wanted.label, details)
    if details:
        draft.do(partial(_replace, old, wanted, sealed))


def _create(wanted: AuthorizationDraft, sealed: Sealed, moment: Moment) -> None:
    put_authorization(moment.tx, moment.account, wanted, sealed, moment.now)


def _replace(old: Authorization, wanted: AuthorizationDraft, sealed: Sealed, moment: Moment) -> None:
    _, opened = replace_authorization(moment.tx, moment.account, old.id, wanted, sealed, moment.now)
    moment.opened.extend(opened)


def _remove(authorization: Authorization, moment: Moment) -> None:
    remove_authorization(moment.tx, moment.account, authorization.id)


def _label(authorization: Authorization) -> str:
    return authorization.label
