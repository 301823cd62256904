"""The user's way to the settings: behind Radicale's own login, to a one-time link of teams-mirror."""

from __future__ import annotations

import html
from typing import Any, Dict, Optional

from radicale import httputils

from teams_mirror_radicale.hook import Unanswered
from teams_mirror_radicale.log import logger
from teams_mirror_radicale.mirror import Mirror

_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "Content-Security-Policy": "default-src 'none'"}


def answer(mirror: Mirror, environ: Dict[str, Any], user: str) -> Any:
    """Leads a user who logged in to his or her own settings; never to those of a calendar's owner."""
    if mirror.configuration.get("auth", "type") == "none":
        return _page(403, "Radicale does not ask who you are, so your settings are closed. Ask your administrator.")
    account = mirror.account(user)
    if account is None:
        return _page(404, "Your login belongs to no address, so there is nothing to set. Ask your administrator.")
    if environ.get("REQUEST_METHOD") == "HEAD":
        return _shaped(200, {**_HEADERS, "Content-Type": "text/plain"}, "")
    try:
        _introduce(mirror, account, environ)
        link = mirror.hook.settings_link(account)
    except Unanswered as error:
        mirror.unanswered(error)
        return _page(503, "Your Teams settings cannot be reached just now. Your calendar works; try again later.")
    if not link.taken:
        logger.warning("teams-mirror: no settings for %s: %s", account, link.sentence)
        status = link.status if link.status in (403, 409) else 502
        return _page(status, str(link.get("detail") or "There are no settings for you."))
    headers = dict(_HEADERS)
    headers.update({"Location": str(link.get("url")), "Content-Type": "text/plain"})
    return _shaped(303, headers, "Your settings are at another address; your browser goes there by itself.")


def _introduce(mirror: Mirror, account: str, environ: Dict[str, Any]) -> None:
    """Tells zone and language of a user of whom none is known."""
    known = mirror.hook.account(account)
    if not known.taken:
        return
    wanted = {
        "time_zone": mirror.settings.time_zone,
        "language": _first_language(environ.get("HTTP_ACCEPT_LANGUAGE", "")) or mirror.settings.language,
    }
    fresh = {name: value for name, value in wanted.items() if value and not known.get(name)}
    if not fresh:
        return
    told = {name: known.get(name) for name in ("display_name", "time_zone", "language", "class") if known.get(name)}
    answer = mirror.hook.describe(account, {"addresses": known.get("addresses") or [], **told, **fresh})
    if not answer.taken:
        logger.warning("teams-mirror: %s could not be told of: %s", account, answer.sentence)


def _first_language(header: str) -> Optional[str]:
    first = header.split(",", 1)[0].split(";", 1)[0].strip()
    return first if first and first != "*" and len(first) <= 35 and first.replace("-", "").isalnum() and first.isascii() else None


def _page(status: int, sentence: str) -> Any:
    headers = dict(_HEADERS)
    headers["Content-Type"] = "text/html"
    return _shaped(status, headers, (
        "<!doctype html><html lang=\"en\"><meta name=\"viewport\" content=\"width=device-width\">"
        "<title>Microsoft Teams</title><h1>Microsoft Teams</h1><p>%s</p></html>" % html.escape(sentence)))


def _shaped(status: int, headers: Dict[str, str], text: str) -> Any:
    """An answer as this version of Radicale wants it: some have a fourth part."""
    return (status, headers, text, *([None] * (len(httputils.NOT_ALLOWED) - 3)))
