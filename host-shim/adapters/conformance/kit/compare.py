"""Looks whether the stand-in answers as a real hook API does: the same calls to both, status, code and reason compared.

A stand-in that is more lenient than the real one would find an adapter in order that is not. The real one must know the account
as connected, so that a meeting can be made.
"""

from __future__ import annotations

import http.client
import json
import uuid
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple
from urllib.parse import quote, urlsplit

from kit import texts
from kit.standin import StandIn

_CALENDAR = {"Content-Type": "text/calendar"}
_JSON = {"Content-Type": "application/json"}
_EQUAL_HEADERS = ("mirror-reason", "mirror-state", "www-authenticate", "cache-control", "content-type")


@dataclass
class _Case:
    name: str
    method: str
    path: str
    body: bytes = b""
    headers: Optional[Dict[str, str]] = None
    secret: Optional[str] = ""


def run(url: str, secret: str, account: str) -> int:
    """Prints what differs; gives the status: 0, nothing; 1, something; 2, the real one does not answer."""
    standin = StandIn("127.0.0.1:0", secret, [account.lower().rsplit("@", 1)[1]])
    standin.start()
    real, ours = _Api(url, secret), _Api("http://" + standin.listen, secret)
    differences = 0
    try:
        cases = _cases(account)
        for case in cases:
            wanted, got = real.answer(case), ours.answer(case)
            said = _differences(wanted, got)
            differences += bool(said)
            print("%s %s" % ("✗" if said else "✓", case.name))
            for sentence in said:
                print("                  " + sentence)
    except OSError as error:
        print("conformance: `%s` does not answer: %s" % (url, error))
        return 2
    finally:
        standin.stop()
    print("\n%d calls, %d answered otherwise by the stand-in" % (len(cases), differences))
    return 1 if differences else 0


class _Api:
    def __init__(self, url: str, secret: str) -> None:
        self._parts, self._secret = urlsplit(url), secret
        #: Cursors and change ids as this one gave them.
        self.cursor, self.change = "", ""

    def answer(self, case: _Case) -> Tuple[int, Dict[str, str], Any]:
        headers = dict(case.headers or {})
        if case.secret is not None:
            headers["Authorization"] = "Bearer " + (case.secret or self._secret)
        connection = http.client.HTTPConnection(self._parts.hostname or "", self._parts.port or 80, timeout=60)
        try:
            path = case.path.replace("{cursor}", self.cursor)
            connection.request(case.method, path, case.body.replace(b"{change}", self.change.encode()) or None, headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        given = {name.lower(): value for name, value in response.getheaders()}
        kind = given.get("content-type", "").split(";")[0]
        body = json.loads(content) if kind.endswith("json") and content else content.decode("utf-8", "replace")
        if isinstance(body, dict):
            self.cursor = body.get("cursor", self.cursor)
            self.change = body.get("change", self.change)
        return response.status, {**given, "content-type": kind}, body


def _differences(wanted: Tuple[int, Dict[str, str], Any], got: Tuple[int, Dict[str, str], Any]) -> List[str]:
    said = []
    wanted_code = wanted[2].get("code") if isinstance(wanted[2], dict) else None
    got_code = got[2].get("code") if isinstance(got[2], dict) else None
    if (wanted[0], wanted_code) != (got[0], got_code):
        return ["the real one answers %d %s, the stand-in %d %s" % (wanted[0], wanted_code or "", got[0], got_code or "")]
    # Behind the real one is a Microsoft at which a change has to arrive first.
    pending = wanted[1].get("mirror-state") == "pending" or isinstance(wanted[2], dict) and wanted[2].get("state") == "pending"
    for name in _EQUAL_HEADERS:
        if (wanted[1].get(name) or None) != (got[1].get(name) or None) and not (pending and name == "mirror-state"):
            said.append("`%s`: `%s`, the stand-in `%s`" % (name, wanted[1].get(name), got[1].get(name)))
    if {*wanted[1].get("allow", "").split(",")} != {*got[1].get("allow", "").split(",")}:
        said.append("`allow`: `%s`, the stand-in `%s`" % (wanted[1].get("allow"), got[1].get("allow")))
    if isinstance(wanted[2], dict) and isinstance(got[2], dict):
        more = set(got[2]) - set(wanted[2])
        if more:
            said.append("only the stand-in says %s" % ", ".join("`%s`" % name for name in sorted(more)))
        for name in ("state", "reason", "objects", "uid", "account", "type", "title", "status"):
            if name in got[2] and wanted[2].get(name) != got[2][name] and not (pending and name == "state"):
                said.append("`%s`: %s, the stand-in %s" % (name, wanted[2].get(name), got[2][name]))
        if "icalendar" in wanted[2]:
            for what, found in (("DESCRIPTION", "DESCRIPTION"), ("the link's property", "X-MICROSOFT-SKYPETEAMSMEETINGURL")):
                if (found in wanted[2]["icalendar"]) != (found in got[2].get("icalendar", "")):
                    said.append("only one of the texts to store has %s" % what)
    return said


def _cases(account: str) -> List[_Case]:
    run_ = uuid.uuid4().hex[:8]
    base = "/v1/accounts/" + quote(account, safe="")
    cases: List[_Case] = []

    def event(name: str) -> Tuple[str, str]:
        uid = "kit-%s-%s" % (run_, name)
        return uid, base + "/events/" + quote(uid, safe="")

    def put(name: str, path: str, text: str, headers: Optional[Dict[str, str]] = None, **more: Any) -> None:
        cases.append(_Case(name, "PUT", path, text.encode("utf-8"), {**_CALENDAR, **(headers or {})}, **more))

    def call(name: str, method: str, path: str, body: Any = None, headers: Optional[Dict[str, str]] = None, **more: Any) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        cases.append(
            _Case(name, method, path, content, headers if headers is not None else _JSON if body is not None else {}, **more)
        )

    # A life.
    uid, path = event("life")
    wanted = texts.event(uid, "Life")
    put("a first save that asks for a meeting", path + "?object=/a/work/1.ics&calendar=/a/work/&change=%s-1" % run_, wanted)
    call("its report", "POST", path + "/stored", {"change": "%s-1" % run_, "result": "stored"})
    call("its report again", "POST", path + "/stored", {"change": "%s-1" % run_, "result": "stored"})
    call("its report with another result", "POST", path + "/stored", {"change": "%s-1" % run_, "result": "refused"})
    put("an announce with the change again", path + "?change=%s-1" % run_, wanted)
    call("how it stands", "GET", path)
    put("a save without the wish keeps the meeting", path + "?object=/a/work/1.ics&stored=true", texts.event(uid, "Life", ()))
    put("a second object", path + "?object=/a/home/1.ics&stored=true", texts.event(uid, "Life", ()))
    call("the first object goes", "DELETE", path + "?object=/a/work/1.ics")
    call("a parameter twice", "DELETE", path + "?object=a&object=b")
    call("a parameter that is none", "DELETE", path + "?path=a")
    put("a save with Accept: text/calendar", path + "?object=/a/home/1.ics&stored=true", wanted, {"Accept": "text/calendar"})
    call("the second object goes", "DELETE", path + "?object=/a/home/1.ics")
    uid, path = event("refused")
    put("a save that is refused", path + "?change=%s-2" % run_, texts.event(uid, "Refused", ()))
    call("its report", "POST", path + "/stored", {"change": "%s-2" % run_, "result": "refused"})
    call("how it stands", "GET", path)
    uid, path = event("own-id")
    put("a change id of the API's", path, texts.event(uid, "Plain", ()))
    call("its report", "POST", path + "/stored", b'{"change": "{change}", "result": "stored-original"}', _JSON)
    # What is none of ours.
    uid, path = event("attendee")
    theirs = texts.event(uid, "Theirs", ("ORGANIZER:mailto:boss@elsewhere.example", "ATTENDEE:mailto:%s" % account))
    put("an attendee's copy", path, theirs)
    call("its report", "POST", path + "/stored", {"change": "unrecorded", "result": "stored"})
    uid, path = event("task")
    put("a task", path, texts.event(uid, "Task", (), "VTODO"))
    call("an event that nobody knows", "GET", event("nobody")[1])
    call("the delete of it", "DELETE", event("nobody")[1] + "?object=/a")
    call("a report of it", "POST", event("nobody")[1] + "/stored", {"change": "nobody", "result": "stored"})
    # Drafts.
    uid, path = event("draft")
    put("a draft", path + "?draft=true&meeting=wanted", texts.event(uid, "Draft", ()))
    put("a draft that is stored", path + "?draft=true&stored=true", texts.event(uid, "Draft", ()))
    call("its discard", "DELETE", path + "?draft=true")
    # Texts.
    uid, path = event("texts")
    good = texts.event(uid, "Text", ())
    put("no iCalendar", path, "BEGIN:NOTHING\r\nEND:NOTHING\r\n")
    put("an empty text", path, "")
    put("no UID", path, good.replace("UID:" + uid + "\r\n", ""))
    put("another UID", path, texts.event(uid + "x", "Text", ()))
    put("several UIDs", path, texts.merged([good, texts.event(uid + "x", "Text", ())]))
    cases.append(_Case("not UTF-8", "PUT", path, good.encode() + b"\xff", _CALENDAR))
    cases.append(_Case("no text/calendar", "PUT", path, good.encode(), {"Content-Type": "text/plain"}))
    cases.append(_Case("no type", "PUT", path, good.encode(), {}))
    cases.append(_Case("over 8 MiB", "PUT", path, good.encode() + b"x" * (8 << 20), _CALENDAR))
    for name, odd in (
        ("a slash", "a/b"),
        ("letters of all kinds", "Prüfung-日本-🎈"),
        ("escapes", "a,b;c\\d"),
        ("1,024 octets", "y" * 1024),
    ):
        odd = odd if len(odd) > 1000 else odd + run_
        put("a UID with " + name, base + "/events/" + quote(odd, safe=""), texts.event(odd, "Odd", ()))
    put("a UID of 1,025 octets", base + "/events/" + "y" * 1025, texts.event("y" * 1025, "Odd", ()))
    put("a UID with a control character", base + "/events/a%01b", good)
    # Addresses.
    put("an account that is no address", "/v1/accounts/alice/events/e", good)
    put("another domain", "/v1/accounts/alice%40elsewhere.example/events/e", good)
    put("no UTF-8 in the path", base + "/events/%ff", good)
    put("a UID whose slash is not encoded", base + "/events/a/b", good)
    call("no such route", "GET", "/v2/accounts")
    call("no such method", "PATCH", path)
    call("no such method of changes", "DELETE", "/v1/changes")
    for name, query in (
        ("an unknown parameter", "path=/a"),
        ("a boolean that is none", "stored=1"),
        ("a meeting that is none", "meeting=yes"),
        ("a change id with a space", "change=a%20b"),
        ("the change id `unrecorded`", "change=unrecorded"),
        ("a change id of 65", "change=" + "c" * 65),
    ):
        put(name, path + "?" + query, good)
    # Reports.
    for name, body in (
        ("a result that is none", {"change": "x", "result": "done"}),
        ("an unknown field", {"change": "x", "result": "stored", "a": 1}),
        ("no change", {"result": "stored"}),
        ("no object", ["stored"]),
    ):
        call("a report with " + name, "POST", path + "/stored", body)
    call("a report that is no JSON", "POST", path + "/stored", b"stored", _JSON)
    call("a report without a type", "POST", path + "/stored", b'{"change":"x","result":"stored"}', {})
    # Who calls.
    call("no secret", "GET", base, secret=None)
    call("a wrong secret", "GET", base, secret="wrong")
    call("no secret, and no such route", "GET", "/v1/nothing", secret=None)
    call("no secret, and no such method", "PATCH", path, secret=None)
    # Changes and accounts.
    call("changes", "GET", "/v1/changes")
    call("changes after a cursor", "GET", "/v1/changes?after={cursor}&wait=0")
    call("changes after no cursor", "GET", "/v1/changes?after=x")
    call("changes after a foreign cursor", "GET", "/v1/changes?after=abc.1")
    call("changes with a wait that is none", "GET", "/v1/changes?wait=long")
    call("the account", "GET", base)
    call("a link to the settings", "POST", base + "/settings-link")
    call("an account with an unknown field", "PUT", base, {"nick": "x"})
    call("a body of a settings link", "POST", base + "/settings-link", {"x": 1})
    return cases
