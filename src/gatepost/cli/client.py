"""Talks to a running gatepost over HTTP, and says what would be right when that fails."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from json import loads
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import quote, urlsplit

import httpx

from gatepost.cli.failure import CommandError

TEXT = {"Content-Type": "text/plain"}
"""Headers of a body that is no JSON."""

_TOKEN_FILE = "admin-token"  # noqa: S105 - the name of a file
_TIMEOUT = httpx.Timeout(60, connect=5)
_PATIENT = httpx.Timeout(600, connect=5)
"""For work that tells how far it is: so long may it be silent."""
_SHOWN = 300
"""Characters shown of an answer that is no JSON."""
_PAGE = 100
IS_IT = "Is that address a gatepost? See --url and GATEPOST_URL."


class Target(NamedTuple):
    """Where a gatepost is, and the token for it."""

    url: str
    token: str = ""

    @classmethod
    def found(cls, url: str, token: str, data: Path | None) -> Self:
        """Return the target; without a token, a gatepost on this machine lends its administrator token."""
        if urlsplit(url).scheme not in {"http", "https"}:
            msg = f"{url!r} is not the address of a gatepost"
            raise CommandError(msg, hint="Write it like http://127.0.0.1:8400, in --url or GATEPOST_URL.")
        if not token and data is not None and _is_loopback(url):
            token = _token_in(data.expanduser())
        return cls(url.rstrip("/"), token.strip())


class Unreached(CommandError):
    """No answer came."""


class Refused(CommandError):
    """The server answered with an error; `problems` lists what it found, as it came."""

    retry_after = 0
    """Seconds after which to try again; 0 when that would be of no use."""

    def __init__(self, message: str, *, status: int, hint: str = "", problems: list[dict[str, Any]]) -> None:
        super().__init__(message, excerpt=_excerpt(problems[0]) if problems else "", hint=hint)
        self.status = status
        self.problems = problems


def _excerpt(problem: dict[str, Any]) -> str:
    """Return the line that is wrong under the place where it stands."""
    excerpt, line, column = (problem.get(key) for key in ("excerpt", "line", "column"))
    place = f"line {line}, column {column}:"
    said = place in str(problem.get("message", "")) or not line
    return str(excerpt or "") if said or not excerpt else f"{place}\n{excerpt}"


class Client:
    """One gatepost; every call returns the decoded answer or raises a CommandError."""

    def __init__(self, target: Target, transport: httpx.BaseTransport | None = None) -> None:
        self._target = target
        headers = {"Authorization": target.token} if target.token else {}
        # A proxy of the environment must not see tokens meant for this machine.
        self._http = httpx.Client(
            base_url=target.url,
            headers=headers,
            timeout=_TIMEOUT,
            transport=transport,
            trust_env=not _is_loopback(target.url),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    @property
    def url(self) -> str:
        """The address it talks to."""
        return self._target.url

    def get(self, path: str, **query: object) -> Any:
        """Return what lies at a path: the `data` of the answer."""
        answer = self.call("GET", path, query=query)
        if "data" not in answer:
            msg = f"{self._target.url} answered GET {path}, but not as a gatepost does"
            raise CommandError(msg, hint=IS_IT)
        return answer["data"]

    def post(self, path: str, body: object = None, **query: object) -> Any:
        """Post JSON and return the `data` of the answer."""
        return self.call("POST", path, query=query, json=body).get("data")

    def put(self, path: str, body: object = None, **query: object) -> Any:
        """Put JSON and return the `data` of the answer."""
        return self.call("PUT", path, query=query, json=body).get("data")

    def delete(self, path: str, **query: object) -> Any:
        """Delete what lies at a path."""
        return self.call("DELETE", path, query=query).get("data")

    def pages(
        self, path: str, *, at_most: int = 0, content: bytes | None = None, **query: object
    ) -> Iterator[dict[str, Any]]:
        """Yield the items of a list that comes in pages, `at_most` of them unless that is 0."""
        taken, start = 0, ""
        method = "GET" if content is None else "POST"
        while True:
            size = min(_PAGE, at_most - taken) if at_most else _PAGE
            page = self.call(method, path, query={**query, "limit": size, "start": start}, content=content)
            items: list[dict[str, Any]] = page.get("data") or []
            yield from items
            taken += len(items)
            following = str(page.get("_next") or "")
            if not items or following in ("", start) or taken == at_most:
                return
            start = following

    def lines(self, path: str, body: object) -> Iterator[dict[str, Any]]:
        """Post JSON and yield the objects of an answer that comes in lines, as they come."""
        try:
            with self._http.stream("POST", path, json=body, timeout=_PATIENT) as answer:
                if not answer.is_success:
                    answer.read()
                    self._read(answer, f"POST {path}")
                for line in answer.iter_lines():
                    yield loads(line)
        except httpx.TransportError as error:
            raise self._unreached(error) from None

    def pieces(self, path: str) -> Iterator[bytes]:
        """Yield the bytes of a document that may be large, as they come."""
        try:
            with self._http.stream("GET", path, timeout=_PATIENT) as answer:
                if not answer.is_success:
                    answer.read()
                    self._read(answer, f"GET {path}")
                yield from answer.iter_bytes()
        except httpx.TransportError as error:
            raise self._unreached(error) from None

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        json: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Make one request and return the whole answer, an object; empty when it has no body."""
        given = {name: _text(value) for name, value in (query or {}).items() if value not in (None, "")}
        body: dict[str, Any] = (
            {"json": json} if content is None and json is not None else {"content": content}
        )
        try:
            answer = self._http.request(method, path, params=given, headers=headers, **body)
        except httpx.TransportError as error:
            raise self._unreached(error) from None
        return self._read(answer, f"{method} {path}")

    def _read(self, answer: httpx.Response, asked: str) -> dict[str, Any]:
        document = _decoded(answer)
        if answer.is_success:
            if document is None and answer.content:
                msg = f"{self._target.url} answered {asked} with something that is no JSON"
                raise CommandError(msg, hint=IS_IT)
            return document or {}
        raise self._refused(answer, document or {}, asked)

    def _refused(self, answer: httpx.Response, document: dict[str, Any], asked: str) -> Refused:
        problems = [item for item in document.get("errors") or [] if isinstance(item, dict)]
        message = document.get("message") or (problems[0].get("message") if problems else "")
        if not message and answer.is_client_error:
            msg = f"{self._target.url} answered {asked} with {answer.status_code}, but not as a gatepost does"
            return Refused(msg, status=answer.status_code, hint=IS_IT, problems=[])
        message = message or f"{asked} answered {answer.status_code}: {answer.text[:_SHOWN].strip()}"
        hint = self._hint(answer, problems)
        refused = Refused(str(message), status=answer.status_code, hint=hint, problems=problems)
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            after = answer.headers.get("Retry-After", "")
            refused.retry_after = int(after) if after.isdecimal() else 5
        return refused

    def _hint(self, answer: httpx.Response, problems: list[dict[str, Any]]) -> str:
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            return "Try again in a while."
        if answer.status_code != httpx.codes.UNAUTHORIZED:
            return str(problems[0].get("hint") or "") if problems else ""
        if self._target.token:
            return f"{self._target.url} does not take this token for that; see --token and GATEPOST_TOKEN."
        return (
            "Give a token with --token or GATEPOST_TOKEN, or name the data folder of a gatepost on this machine "
            "with --data or GATEPOST_DATA."
        )

    def _unreached(self, error: httpx.TransportError) -> Unreached:
        if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
            return Unreached(
                f"{self._target.url} did not answer in time", hint="Is it busy? Look at GET /api/status."
            )
        return Unreached(
            f"no gatepost answers at {self._target.url}",
            hint="Start one with `gatepost up`, or say where it is with --url or GATEPOST_URL.",
        )


def path_of(*parts: str) -> str:
    """Return a path with every part escaped."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


def _decoded(answer: httpx.Response) -> dict[str, Any] | None:
    try:
        document = answer.json()
    except ValueError:
        return None
    return document if isinstance(document, dict) else {"data": document}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _token_in(folder: Path) -> str:
    try:
        return (folder / _TOKEN_FILE).read_text(encoding="utf-8")
    except OSError as error:
        msg = f"no administrator token can be read in {folder}: {error.strerror}"
        raise CommandError(
            msg, hint="Name the folder that `gatepost up --data` uses, or give --token or GATEPOST_TOKEN."
        ) from None
