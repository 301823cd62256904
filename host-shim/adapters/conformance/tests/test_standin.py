"""The stand-in by itself. That it answers as the real hook API does, a run with `--compare` shows, which the end-to-end suite makes."""

import http.client
import io
import json
import os
import socket
import tempfile
import threading
import time
import unittest
from contextlib import redirect_stderr, redirect_stdout

from kit import options, standin, texts
from kit.main import main
from kit.standin import Fault, StandIn

_EVENT = "/v1/accounts/alice%40test.tld/events/"


class Case(unittest.TestCase):
    def setUp(self):
        self.standin = StandIn("127.0.0.1:0", "secret")
        self.standin.start()
        self.addCleanup(self.standin.stop)
        self.addCleanup(self.standin.forget)

    def call(self, method, path, body=b"", **headers):
        connection = http.client.HTTPConnection(self.standin.listen, timeout=20)
        self.addCleanup(connection.close)
        sent = {
            "Authorization": "Bearer secret",
            "Content-Type": "text/calendar",
            **{n.replace("_", "-"): v for n, v in headers.items()},
        }
        connection.request(method, path, body.encode() if isinstance(body, str) else body, sent)
        response = connection.getresponse()
        content = response.read()
        return response, json.loads(content) if content and "json" in response.headers.get_content_type() else content.decode()


class Answers(Case):
    def test_a_link_that_takes_its_time_is_waited_for_as_long_as_was_asked(self):
        self.standin.model.behaviour.delay = 1.4
        begun = time.monotonic()
        response, saved = self.call("PUT", _EVENT + "e1", texts.event("e1", "x"), Prefer="wait=1")
        self.assertEqual((response.status, saved["state"], saved["icalendar"]), (202, "pending", texts.event("e1", "x")))
        self.assertGreater(time.monotonic() - begun, 0.9)
        response, saved = self.call("PUT", _EVENT + "e1", texts.event("e1", "x"), Prefer="wait=5")
        self.assertEqual(response.status, 200)
        self.assertTrue(texts.carries(saved["icalendar"], saved["join_url"]))
        self.assertLess(time.monotonic() - begun, 5)
        self.standin.model.behaviour.delay = 60
        begun = time.monotonic()
        self.assertEqual(self.call("PUT", _EVENT + "e2", texts.event("e2", "x"), Prefer="respond-async")[0].status, 202)
        self.assertLess(time.monotonic() - begun, 0.9)

    def test_what_was_stored_without_the_link_is_offered_until_it_has_it(self):
        self.standin.model.behaviour.delay = 60
        text = texts.event("e1", "x")
        self.call("PUT", _EVENT + "e1?stored=true&object=/a", text)
        self.assertEqual(self.call("GET", "/v1/changes")[1]["changes"], [])
        threading.Timer(0.3, lambda: self.standin.model.release(self.standin.model.event("alice@test.tld", "e1"))).start()
        page = self.call("GET", "/v1/changes?wait=10")[1]
        self.assertEqual([change["objects"] for change in page["changes"]], [["/a"]])
        self.assertEqual(self.call("GET", "/v1/changes?after=" + page["cursor"])[1]["changes"], [])
        self.assertEqual(len(self.call("GET", "/v1/changes")[1]["changes"]), 1)
        self.call("PUT", _EVENT + "e1?stored=true&object=/a", page["changes"][0]["icalendar"])
        self.assertEqual(self.call("GET", "/v1/changes")[1]["changes"], [])
        self.standin.model.expire_cursors()
        self.assertEqual(self.call("GET", "/v1/changes?after=" + page["cursor"])[1]["code"], "cursor-expired")

    def test_what_nobody_reported_is_open_until_something_later_is_stored(self):
        text = texts.event("e1", "x", ())
        self.call("PUT", _EVENT + "e1?change=c1&object=/a", text)
        event = self.standin.model.event("alice@test.tld", "e1")
        self.assertEqual(len(event.open()), 1)
        self.call("PUT", _EVENT + "e1?stored=true&object=/a", text)
        self.assertEqual(event.open(), [])

    def test_bodies_in_pieces_are_bodies(self):
        with socket.create_connection(self.standin.listen.split(":")) as client:
            text = texts.event("e1", "x", ()).encode()
            head = "PUT %se1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\nContent-Type: text/calendar\r\n" % _EVENT
            client.sendall(
                head.encode()
                + b"Transfer-Encoding: chunked\r\n\r\n"
                + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (text[:50], text[50:]))
                + b"0\r\n\r\n"
            )
            self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 200"))
        self.assertEqual(self.standin.calls[0].body, text)

    def test_down_is_down_and_up_is_up_at_the_same_address(self):
        address = self.standin.listen
        for _ in range(3):
            self.standin.stop()
            with self.assertRaises(OSError):
                self.call("GET", "/healthz")
            self.standin.start()
            self.assertEqual(self.standin.listen, address)
            self.assertEqual(self.call("GET", "/healthz")[0].status, 200)

    def test_a_socket_does_as_well(self):
        with tempfile.TemporaryDirectory() as folder:
            here = StandIn("unix:%s/hook.sock" % folder, "secret")
            here.start()
            self.addCleanup(here.stop)
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(folder + "/hook.sock")
                client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 200"))

    def test_faults_are_what_they_say(self):
        for spoil, seen in ((standin.refuse(503, "store-full"), 503), (standin.answer(204), 204), (standin.cut, None)):
            self.standin.faults = [Fault(lambda call: call.kind == "account", spoil, True, 1)]
            with self.subTest(seen):
                if seen is None:
                    with self.assertRaises(http.client.HTTPException):
                        self.call("GET", "/v1/accounts/alice%40test.tld")
                else:
                    self.assertEqual(self.call("GET", "/v1/accounts/alice%40test.tld")[0].status, seen)
                self.assertTrue(self.standin.calls[-1].spoiled)
                self.assertEqual(self.call("GET", "/v1/accounts/alice%40test.tld")[0].status, 200)


class Arguments(unittest.TestCase):
    def said(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                status = main(list(arguments))
            except SystemExit as error:
                status = error.code
        return status, out.getvalue(), err.getvalue()

    def test_what_is_wrong_is_said(self):
        with tempfile.TemporaryDirectory() as folder:
            secret, empty = os.path.join(folder, "secret"), os.path.join(folder, "empty")
            for path, content in ((secret, "word\n"), (empty, "two words\n")):
                with open(path, "w", encoding="ascii") as file:
                    file.write(content)
            good = {
                "--listen": "127.0.0.1:1",
                "--secret-file": secret,
                "--caldav": "http://127.0.0.1:1",
                "--user": "a:b",
                "--calendar": "/a/b/",
            }
            for change, sentence in [
                ({"--listen": None}, "missing: --listen. A whole call:"),
                ({"--listen": "7460"}, "--listen is HOST:PORT"),
                ({"--secret-file": folder + "/nowhere"}, "cannot be read: No such file"),
                ({"--secret-file": empty}, "holds one word"),
                ({"--caldav": "localhost:5232"}, "--caldav is an address such as"),
                ({"--caldav": "http://x:y"}, "the port of"),
                ({"--user": "alice"}, "--user is NAME:PASSWORD"),
                ({"--calendar": "a/b"}, "begins and ends with a slash"),
                ({"--import-path": "/alice/import/"}, "has {name} in it"),
                ({"--draft-command": "draft"}, "has {uid} in it"),
                ({"--server-change-command": "x {path}"}, "has {path} and {summary}"),
                ({"--patience": "0"}, "more than 0"),
                ({"--account": "alice"}, "--account is an address"),
                ({"--delegate-calendar": "/x/y/"}, "of use with --delegate only"),
                ({"--only": "SAVE-99"}, "there is no requirement `SAVE-99`; --list prints them"),
            ]:
                arguments = [one for pair in {**good, **change}.items() if pair[1] is not None for one in pair]
                with self.subTest(sentence):
                    status, _, said = self.said(*arguments)
                    self.assertEqual(status, 2)
                    self.assertIn(sentence, said)

    def test_an_address_that_is_taken_is_said(self):
        with tempfile.NamedTemporaryFile("w", suffix=".secret") as secret, socket.create_server(("127.0.0.1", 0)) as taken:
            secret.write("word")
            secret.flush()
            status, _, said = self.said(
                "--listen",
                "127.0.0.1:%d" % taken.getsockname()[1],
                "--secret-file",
                secret.name,
                "--caldav",
                "http://127.0.0.1:1",
                "--user",
                "a:b",
                "--calendar",
                "/a/b/",
            )
        self.assertEqual(status, 2)
        self.assertIn("is teams-mirror itself running there?", said)

    def test_the_list_names_all(self):
        status, listed, _ = self.said("--list")
        self.assertEqual(status, 0)
        self.assertIn("SAVE-3    MUST    no ETag", listed)
        self.assertTrue(options.parser().format_help())


if __name__ == "__main__":
    unittest.main()
