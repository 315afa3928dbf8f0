"""What a request needs, and how its token is found."""

import pytest

from gatepost.model.catalog import Scope
from gatepost.web.access import needed_scope, token_text


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/collect/json/web", Scope.DATA),
        ("POST", "/collect/bulk/web", Scope.DATA),
        ("GET", "/v2/job", Scope.READ),
        ("HEAD", "/api/account", Scope.READ),
        ("OPTIONS", "/v2/job", Scope.READ),
        ("POST", "/api/segment/validate", Scope.READ),
        ("POST", "/api/segment/size", Scope.READ),
        ("POST", "/api/segment/scan", Scope.READ),
        ("POST", "/api/segment/loyal/scan", Scope.READ),
        ("POST", "/v2/template/test", Scope.READ),
        ("POST", "/v2/template/5f0d/test", Scope.READ),
        ("POST", "/api/segment", Scope.ADMIN),
        ("POST", "/v2/template", Scope.ADMIN),
        ("POST", "/v2/template/5f0d/test/again", Scope.ADMIN),
        ("DELETE", "/api/segment/scan", Scope.ADMIN),
        ("PUT", "/v2/template/test", Scope.ADMIN),
        ("POST", "/v2/job/f825/verify", Scope.ADMIN),
        ("POST", "/v2/job/f825/pause", Scope.ADMIN),
        ("POST", "/v2/config", Scope.ADMIN),
        ("POST", "/api/clock", Scope.ADMIN),
        ("BREW", "/v2/job", Scope.ADMIN),
    ],
)
def test_reading_needs_less_than_changing(method: str, path: str, scope: Scope) -> None:
    assert needed_scope(method, path) is scope


@pytest.mark.parametrize(
    ("header", "query", "token"),
    [
        (b"at.1.2", [], "at.1.2"),
        (b"Bearer at.1.2", [], "at.1.2"),
        (b"BEARER   at.1.2 ", [], "at.1.2"),
        (b"", [("key", "at.1.2")], "at.1.2"),
        (b"", [("access_token", "at.1.2")], "at.1.2"),
        (b"", [("key", ""), ("access_token", "at.1.2")], "at.1.2"),
        (b"at.1.2", [("key", "other")], "at.1.2"),
        (b"Bearer", [], "Bearer"),
        (b"", [("token", "at.1.2")], ""),
    ],
)
def test_a_token_is_found_in_the_header_first(
    header: bytes, query: list[tuple[str, str]], token: str
) -> None:
    scope = {"headers": [(b"authorization", header)] if header else []}

    assert token_text(scope, query) == token
