"""The calls of the hook API: which there are, what they take, and what the stand-in does for them.

What is refused here is refused by the real API with the same status and code; `compare` sees to that.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Tuple
from urllib.parse import parse_qsl, unquote_to_bytes

from kit.model import Event, Model, Refused

LARGEST = 8 * 1024 * 1024
_BOOLEANS = ("draft", "stored", "import")
_SAVE = {"object", "calendar", "calendar_name", "meeting", "draft", "draft_of", "change", "stored", "import"}
_RESULTS = ("stored", "stored-original", "refused")
_ACCOUNT_FIELDS = {"addresses", "display_name", "time_zone", "language", "class"}
_ADDRESS = re.compile(r"[^@\s<>\"(),:;\[\]\\]{1,64}@[^@\s<>\"(),:;\[\]\\/]{1,253}\Z")


@dataclass
class Call:
    """A request as it arrived, and what became of it."""

    method: str
    target: str
    headers: List[Tuple[str, str]]
    body: bytes
    at: float = field(default_factory=time.monotonic)
    #: ``announce``, ``stored``, ``draft``, ``report``, ``gone``, ``discard``, ``look``, ``changes``, ``account`` or empty.
    kind: str = ""
    account: str = ""
    uid: str = ""
    query: Dict[str, str] = field(default_factory=dict)
    #: Of a report: the change and the result.
    change: str = ""
    result: str = ""
    status: int = 0
    #: The problem's code, where it was refused.
    code: str = ""
    #: A check made this answer, not the API's rules.
    spoiled: bool = False
    #: What a check saw at the server when this arrived.
    seen: Any = None

    def header(self, name: str) -> Optional[str]:
        """A header's first value."""
        return next((value for known, value in self.headers if known.lower() == name), None)

    @property
    def object(self) -> str:
        """The object it names."""
        return self.query.get("object", "")

    @property
    def text(self) -> str:
        """The body as a text."""
        return self.body.decode("utf-8", "replace")

    def __str__(self) -> str:
        target = self.target if len(self.target) <= 220 else self.target[:217] + "…"
        more = " %s %s" % (self.result, self.change) if self.kind == "report" else ""
        what = "%d%s" % (self.status, " " + self.code if self.code else "") if self.status else "no answer"
        return "%s %s%s → %s" % (self.method, target, more, what)


@dataclass
class Answer:
    """An answer before it is written."""

    status: int
    body: Any = None
    headers: Dict[str, str] = field(default_factory=dict)


def understand(call: Call, secret: str, domains: List[str]) -> None:
    """Finds out what a call is. Raises `Refused` where the API would not take it."""
    raw_path, _, raw_query = call.target.partition("?")
    # The order is the real one: what is addressed, then who calls, then how.
    kind, found = _route(call.method, raw_path)
    if kind != "open":
        _let_in(call, secret)
    segments = [_segment(one) for one in found]
    call.kind = kind
    call.query = _query(raw_query, _parameters(kind))
    if segments:
        call.account = _account(segments[0], domains)
    if len(segments) > 1:
        call.uid = segments[1]
    if kind == "save":
        call.kind = (
            "draft" if call.query.get("draft") == "true" else "stored" if call.query.get("stored") == "true" else "announce"
        )
        if len(call.body) > LARGEST:
            raise Refused(413, "body-too-large", "the body is over 8 MiB; store the event as it is, it is not mirrored")
        if (call.header("content-type") or "").split(";")[0].strip().lower() != "text/calendar":
            raise Refused(
                415, "not-text-calendar", "the body must be `text/calendar`, this is: `%s`" % call.header("content-type")
            )
        try:
            call.body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Refused(422, "not-icalendar", "the text is not UTF-8 (RFC 5545 §3.1.4)") from error
        if call.query.get("draft") == "true" and call.query.get("stored") == "true":
            raise Refused(400, "query-invalid", "a draft is not stored: `draft` and `stored` exclude each other")
        call.change = call.query.get("change", "")
    elif kind == "report":
        told = _json(call, {"change", "result", "object"}, {"change", "result"})
        if not isinstance(told["change"], str) or told["result"] not in _RESULTS:
            raise Refused(400, "body-invalid", "`result` is one of %s" % ", ".join(_RESULTS))
        call.change, call.result = told["change"], told["result"]
    elif kind == "gone":
        call.kind = "discard" if call.query.get("draft") == "true" else "gone"


def take(call: Call, model: Model) -> Answer:
    """Does what a call asks for."""
    if call.kind in ("announce", "stored", "draft"):
        status, saved = model.save(call.account, call.uid, call.text, call.query, _patience(call))
        call.change = saved["change"]
        headers = {"Mirror-Change": saved["change"], "Mirror-State": saved["state"]}
        if "reason" in saved:
            headers["Mirror-Reason"] = saved["reason"]
        wants_text = any(kind.strip().lower().startswith("text/calendar") for kind in (call.header("accept") or "").split(","))
        return Answer(status, saved["icalendar"] if wants_text else saved, headers)
    if call.kind == "report":
        told = json.loads(call.body)
        return _event(model, model.report(call.account, call.uid, call.change, call.result, told.get("object")))
    if call.kind in ("gone", "discard"):
        return _event(model, model.delete(call.account, call.uid, call.query.get("object"), call.kind == "discard"))
    if call.kind == "look":
        return _event(model, model.event(call.account, call.uid))
    if call.kind == "changes":
        after = model.number(call.query.get("after"))
        number, changes = model.changes(after, min(int(call.query.get("wait", "0")), 60))
        return Answer(200, {"cursor": model.cursor(number), "changes": changes})
    if call.kind == "settings-link":
        return Answer(
            200, {"url": "https://teams-mirror.invalid/signin?ticket=conformance", "expires": "2030-01-01T00:00:00.000Z"}
        )
    if call.kind == "account-told":
        told = _json(call, _ACCOUNT_FIELDS, set())
        model.describe(call.account, told)
    elif call.kind == "rename":
        _json(call, {"to"}, {"to"})
    elif call.kind == "account-gone":
        return Answer(204)
    elif call.kind == "open":
        return Answer(200, {})
    known = {name: value for name, value in model.account(call.account).items() if value is not None}
    return Answer(
        200,
        {
            "account": call.account,
            "button": "ready",
            "usable": True,
            "reason": "ok",
            "message": "It is ready.",
            "connected": True,
            "notices": [],
            **known,
        },
    )


def problem(refused: Refused) -> Answer:
    """As RFC 9457 has it."""
    titles = {
        400: "Bad Request",
        401: "Unauthorized",
        403: "Forbidden",
        404: "Not Found",
        405: "Method Not Allowed",
        409: "Conflict",
        410: "Gone",
        413: "Payload Too Large",
        415: "Unsupported Media Type",
        422: "Unprocessable Entity",
        500: "Internal Server Error",
        503: "Service Unavailable",
    }
    headers = {"Content-Type": "application/problem+json", **refused.headers}
    if refused.status == 503:
        headers["Retry-After"] = "5"
    if refused.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="teams-mirror"'
    return Answer(
        refused.status,
        {
            "type": "urn:teams-mirror:problem:" + refused.code,
            "code": refused.code,
            "title": titles.get(refused.status, "Problem"),
            "status": refused.status,
            "detail": refused.detail,
        },
        headers,
    )


_ROUTES = [
    (re.compile(r"/v1/accounts/([^/]+)/events/([^/]+)/stored\Z"), {"POST": "report"}),
    (re.compile(r"/v1/accounts/([^/]+)/events/([^/]+)\Z"), {"PUT": "save", "DELETE": "gone", "GET": "look"}),
    (re.compile(r"/v1/accounts/([^/]+)/settings-link\Z"), {"POST": "settings-link"}),
    (re.compile(r"/v1/accounts/([^/]+)/rename\Z"), {"POST": "rename"}),
    (re.compile(r"/v1/accounts/([^/]+)\Z"), {"GET": "account", "PUT": "account-told", "DELETE": "account-gone"}),
    (re.compile(r"/v1/changes\Z"), {"GET": "changes"}),
    (re.compile(r"/v1/openapi\.json\Z|/healthz\Z"), {"GET": "open"}),
]


def _route(method: str, path: str) -> Tuple[str, Tuple[str, ...]]:
    for pattern, methods in _ROUTES:
        found = pattern.match(path)
        if found:
            if method == "HEAD" and "GET" in methods:
                method = "GET"
            if method not in methods:
                allowed = ",".join([*methods, *(["HEAD"] if "GET" in methods else [])])
                raise Refused(
                    405, "no-such-method", "this address does not take that method; see /v1/openapi.json", {"Allow": allowed}
                )
            return methods[method], tuple(one for one in found.groups() if one is not None)
    raise Refused(404, "no-such-route", "there is nothing here; see /v1/openapi.json")


def _parameters(kind: str) -> set:
    # Calls without parameters of their own look at none.
    return {"save": _SAVE, "gone": {"object", "draft"}, "changes": {"after", "wait"}}.get(kind, set())


def _let_in(call: Call, secret: str) -> None:
    scheme, _, presented = (call.header("authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or presented.strip() != secret:
        raise Refused(
            401,
            "secret-wrong",
            "send the server's hook secret as `Authorization: Bearer …`; `teams-mirror secret add NAME` makes one",
        )


def _segment(raw: str) -> str:
    try:
        return unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(400, "path-invalid", "Invalid UTF-8 in `%s`" % raw) from error


def _query(raw: str, known: set) -> Dict[str, str]:
    if not known:
        return {}
    query: Dict[str, str] = {}
    for name, value in parse_qsl(raw, keep_blank_values=True, errors="replace"):
        if name not in known:
            raise Refused(400, "query-invalid", "unknown field `%s`, expected one of %s" % (name, ", ".join(sorted(known))))
        if name in query:
            raise Refused(400, "query-invalid", "duplicate field `%s`" % name)
        if name in _BOOLEANS and value not in ("true", "false"):
            raise Refused(400, "query-invalid", "`%s` is `true` or `false`, not `%s`" % (name, value))
        if name == "meeting" and value not in ("wanted", "none"):
            raise Refused(400, "query-invalid", "`meeting` is `wanted` or `none`, not `%s`" % value)
        if name == "wait" and not (value.isascii() and value.isdigit()):
            raise Refused(400, "query-invalid", "`wait` is a number of seconds, not `%s`" % value)
        query[name] = value
    return query


def _account(text: str, domains: List[str]) -> str:
    account = text.lower()
    if not _ADDRESS.match(account):
        raise Refused(400, "account-invalid", "`%s` is no address" % text)
    domain = account.rsplit("@", 1)[1]
    if domains and domain not in domains:
        raise Refused(403, "other-domain", "the hook secret may not speak for the domain `%s`" % domain)
    return account


def _json(call: Call, known: set, needed: set) -> Dict[str, Any]:
    kind = (call.header("content-type") or "").split(";")[0].strip().lower()
    try:
        told = json.loads(call.body)
    except ValueError as error:
        raise Refused(400, "body-invalid", "the body is no JSON") from error
    if kind != "application/json" or not isinstance(told, dict) or set(told) - known or needed - set(told):
        raise Refused(
            400,
            "body-invalid",
            "the body is a JSON object (`application/json`) with %s and nothing else"
            % ", ".join("`%s`" % name for name in sorted(known)),
        )
    return told


def _patience(call: Call) -> float:
    """As RFC 7240 has it; 5 seconds where nothing is preferred, 1 to 30."""
    patience = 5.0
    for preference in re.split("[,;]", ",".join(value for name, value in call.headers if name.lower() == "prefer")):
        name, _, value = preference.strip().partition("=")
        if name.strip().lower() == "respond-async":
            return 0.0
        if name.strip().lower() == "wait" and value.strip().strip('"').isdigit():
            patience = float(min(max(int(value.strip().strip('"')), 1), 30))
    return patience


def _event(model: Model, event: Optional[Event]) -> Answer:
    if event is None:
        return Answer(204, None, {"Mirror-Reason": "unknown-event"})
    return Answer(200, model.view(event))
