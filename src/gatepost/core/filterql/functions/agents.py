"""Functions on user agents: what a browser says of itself."""

import re

from gatepost.core.filterql.functions.record import Function
from gatepost.core.filterql.values import text_of
from gatepost.model.jsonvalue import JsonValue

_LONGEST = 1_024
"""Characters that are looked at; what is longer is no browser's own."""
_PRODUCT = re.compile(r"([A-Za-z][\w .!-]{0,60}?)/([\w.+-]{1,60})", re.ASCII)
_DETAILS = re.compile(r"\(([^()]{0,400})\)")
_BOT = re.compile(r"bot\b|crawl|spider|slurp|facebookexternalhit|https?://", re.IGNORECASE)
_MOBILE = re.compile(r"mobile|iphone|ipod|android|windows phone|blackberry|opera mini", re.IGNORECASE)
_WINDOWS = {
    "5.1": "Windows XP",
    "6.0": "Windows Vista",
    "6.1": "Windows 7",
    "6.2": "Windows 8",
    "6.3": "Windows 8.1",
    "10.0": "Windows 10",
}
_BROWSERS = {
    "Edg": "Edge",
    "EdgA": "Edge",
    "EdgiOS": "Edge",
    "Edge": "Edge",
    "OPR": "Opera",
    "SamsungBrowser": "Samsung Browser",
    "Vivaldi": "Vivaldi",
    "CriOS": "Chrome",
    "FxiOS": "Firefox",
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Version": "Safari",
    "Safari": "Safari",
}
"""By what each adds to the line: those that also carry another's name come before it."""
_ENGINES = ("AppleWebKit", "Gecko", "Trident", "Presto")
_PARTS = (
    *("bot", "mobile", "mozilla", "platform", "os"),
    *("engine", "engine_version", "browser", "browser_version"),
)


def _parts(value: JsonValue) -> dict[str, str] | None:
    """Take a user agent apart; parts it does not tell are left out."""
    text = (text_of(value) or "")[:_LONGEST]
    if not text:
        return None
    products = {name.strip(): version for name, version in _PRODUCT.findall(text)}
    details = [one.strip() for one in (_DETAILS.findall(text) or [""])[0].split(";")]
    bot = _BOT.search(text) is not None
    engine = next((name for name in _ENGINES if name in products), "")
    browser = next((name for name in _BROWSERS if name in products), "")
    known = {
        "bot": str(bot).lower(),
        "mobile": str(_MOBILE.search(text) is not None).lower(),
        "mozilla": products.get("Mozilla", ""),
        "platform": _platform(details),
        "os": _system(details),
        "engine": engine,
        "engine_version": products.get(engine, ""),
        "browser": _BROWSERS.get(browser, ""),
        "browser_version": products.get(browser, ""),
    }
    return {part: told for part, told in known.items() if told}


def _platform(details: list[str]) -> str:
    first = details[0]
    return "Windows" if first.startswith("Windows") else "" if first == "compatible" else first


def _system(details: list[str]) -> str:
    for detail in details:
        if detail.startswith("Windows NT "):
            return _WINDOWS.get(detail.removeprefix("Windows NT "), detail)
        if detail.startswith(("Android", "CPU ", "CrOS", "Windows Phone")) or "Mac OS X" in detail:
            return detail
    return next((detail for detail in details if detail.startswith("Linux")), "")


def _part(value: JsonValue, part: JsonValue) -> str | None:
    return (_parts(value) or {}).get(part) if isinstance(part, str) else None


def _part_problem(position: int, literal: JsonValue) -> str:
    if position != 1 or literal in _PARTS:
        return ""
    return f"a user agent has no part {literal}; it has {', '.join(_PARTS)}"


_FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko/20100101 Firefox/128.0"

FUNCTIONS = (
    Function(
        name="useragent",
        params=("text", "text"),
        returns="text",
        call=_part,
        check=_part_problem,
        summary=f"One part of a user agent: {', '.join(_PARTS[:-1])} or {_PARTS[-1]}.",
        examples=(
            (f'useragent("{_FIREFOX}", "browser")', "Firefox"),
            (f'useragent("{_FIREFOX}", "os")', "Windows 10"),
            ('useragent("Googlebot/2.1 (+http://www.google.com/bot.html)", "bot")', "true"),
        ),
    ),
    Function(
        name="useragent.map",
        params=("text",),
        returns="map",
        call=_parts,
        summary="Everything that a user agent tells, by part.",
        examples=(
            ('mapkeys(useragent.map("curl/8.0"))', ["bot", "mobile"]),
            ("useragent.map(missing)", None),
        ),
    ),
)
