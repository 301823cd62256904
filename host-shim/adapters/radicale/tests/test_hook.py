"""The client of the hook API."""

import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from teams_mirror_radicale import settings
from teams_mirror_radicale.connection import Connection
from teams_mirror_radicale.hook import Hook, Unanswered
from teams_mirror_radicale.stored import Calendar
from tests.fake import FakeHook, settings_file


class Calls(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def hook(self, address, more=""):
        return Hook(settings.load(settings_file(self.folder.name, address, more)))

    def fake(self, *arguments, **named):
        fake = FakeHook(*arguments, **named)
        self.addCleanup(fake.close)
        return fake

    def test_every_part_of_an_address_is_encoded(self):
        fake = self.fake()
        answer = self.hook(fake.address).announce("a+b@x.example", "u/1?#%2F ü", "text", "/a b/ü&c.ics", Calendar("/a b/", "A & Ü"), "c1", 5, True)
        self.assertEqual(answer.get("icalendar"), "text")
        method, path, headers, body = fake.requests[0]
        self.assertEqual(method, "PUT")
        self.assertEqual(path, "/v1/accounts/a%2Bb%40x.example/events/u%2F1%3F%23%252F%20%C3%BC"
                               "?object=%2Fa%20b%2F%C3%BC%26c.ics&calendar=%2Fa%20b%2F&calendar_name=A%20%26%20%C3%9C&change=c1")
        self.assertEqual((headers["Authorization"], headers["Prefer"], body), ("Bearer hush-hush", "wait=4", b"text"))

    def test_who_does_not_wait_says_so(self):
        fake = self.fake()
        self.hook(fake.address).announce("a@x.example", "e1", "text", "/o", Calendar("/", None), "c1", 5, False)
        self.hook(fake.address).announce("a@x.example", "e1", "text", "/o", Calendar("/", None), "c1", 1, True)
        self.assertEqual([request[2]["Prefer"] for request in fake.requests], ["respond-async", "respond-async"])

    def test_connections_are_kept_and_one_that_died_idle_is_no_failure(self):
        fake = self.fake()
        hook = self.hook(fake.address)
        for _ in range(3):
            hook.gone("a@x.example", "e1", "/o")
        self.assertEqual(fake.connections, 1)
        _, connection = hook._idle.get_nowait()
        connection.sock.wrapped.shutdown(socket.SHUT_RDWR)
        hook._idle.put_nowait((os.getpid(), connection))
        self.assertTrue(hook.gone("a@x.example", "e1", "/o").taken)

    def test_a_socket_does_as_well(self):
        fake = self.fake(unix=os.path.join(self.folder.name, "hook.sock"))
        self.assertTrue(self.hook(fake.address).gone("a@x.example", "e1", "/o").taken)

    def test_however_slowly_it_answers_it_is_waited_for_so_long_and_no_longer(self):
        """A socket's own time-out would begin anew with each octet."""
        done = threading.Event()
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        self.addCleanup(done.set)

        def dribble():
            client, _ = listener.accept()
            with client:
                for octet in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Slow: " + b"x" * 100:
                    if done.wait(0.1):
                        return
                    try:
                        client.sendall(bytes([octet]))
                    except OSError:
                        return

        threading.Thread(target=dribble, daemon=True).start()
        begun = time.monotonic()
        with self.assertRaises(Unanswered) as raised:
            self.hook("http://127.0.0.1:%d" % listener.getsockname()[1]).announce(
                "a@x.example", "e1", "text", "/o", Calendar("/", None), "c1", 1, True)
        self.assertIn("does not answer in time", str(raised.exception))
        self.assertLess(time.monotonic() - begun, 5, "all of it takes 15 seconds")

    def test_a_second_try_takes_no_time_of_its_own_and_is_the_last(self):
        """A kept connection that ends after a while, as when the service stops slowly, and then nobody or a mute one."""
        for mute in (True, False):
            fake = self.fake()
            hook = self.hook(fake.address)
            for _ in range(2):
                hook.gone("a@x.example", "e1", "/o")
            ends = threading.Event()
            fake.answer = lambda *_, ends=ends: ends.wait(10) and None
            timer = threading.Timer(2.0, ends.set)
            if mute:
                listener = socket.create_server(("127.0.0.1", 0))
                self.addCleanup(listener.close)
                port = listener.getsockname()[1]
            else:
                with socket.create_server(("127.0.0.1", 0)) as closed:
                    port = closed.getsockname()[1]
            tries = []

            def fresh(port=port, tries=tries):
                tries.append(port)
                return Connection("127.0.0.1", port)

            hook._fresh = fresh
            timer.start()
            begun = time.monotonic()
            with self.subTest(mute=mute), self.assertRaises(Unanswered):
                hook.announce("a@x.example", "e1", "text", "/o", Calendar("/", None), "c1", 3, True)
            took = time.monotonic() - begun
            timer.join()
            self.assertEqual(tries, [port])
            self.assertGreaterEqual(took, 1.9)
            self.assertLess(took, 4.7, "two seconds on the first, and what is left of three on the second")

    def test_tls_is_for_the_authority_and_the_name_that_were_meant(self):
        if not shutil.which("openssl") and "TEAMS_MIRROR_REQUIRE_ALL" not in os.environ:
            self.skipTest("there is no openssl to make a certificate with")
        key, certificate = (os.path.join(self.folder.name, name) for name in ("key.pem", "certificate.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                        "2", "-subj", "/CN=hook", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True)
        fake = self.fake()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        fake.server.socket = context.wrap_socket(fake.server.socket, server_side=True)
        port = fake.server.server_port
        hook = self.hook("https://localhost:%d" % port, "ca_file = %s" % certificate)
        for _ in range(2):
            self.assertTrue(hook.gone("a@x.example", "e1", "/o").taken)
        for address, more, said in [("https://127.0.0.1:%d", "ca_file = %s" % certificate, "is not trusted"),
                                    ("https://localhost:%d", "", "is not trusted")]:
            with self.subTest(address), self.assertRaises(Unanswered) as raised:
                self.hook(address % port, more).gone("a@x.example", "e1", "/o")
            self.assertIn(said, str(raised.exception))

    def test_what_counts_as_no_answer(self):
        for answered, down in [(None, True), ((401, {}), True), ((404, {"code": "no-such-route"}), True),
                               ((503, {"detail": "full"}), False), ((500, {}), False), ((429, {}), False)]:
            fake = self.fake(lambda *_, answered=answered: answered)
            with self.subTest(answered=answered), self.assertRaises(Unanswered) as raised:
                self.hook(fake.address).gone("a@x.example", "e1", "/o")
            self.assertEqual(raised.exception.down, down, str(raised.exception))
            self.assertNotIn("hush", str(raised.exception))

    def test_what_counts_as_a_refusal(self):
        for status, code in [(400, "x"), (403, "other-domain"), (404, "no-such-change"), (409, "change-closed"), (413, "x"),
                             (422, "uid-differs")]:
            fake = self.fake(lambda *_, status=status, code=code: (status, {"code": code, "detail": "why"}))
            answer = self.hook(fake.address).gone("a@x.example", "e1", "/o")
            self.assertEqual((answer.taken, answer.sentence), (False, "%d why" % status))

    def test_a_secret_counts_as_soon_as_it_is_written(self):
        fake = self.fake()
        hook = self.hook(fake.address)
        secret = os.path.join(self.folder.name, "secret")
        for content, said in [("", "holds no hook secret"), ("two words", "holds no hook secret"), ("\u00fc", "holds no")]:
            with open(secret, "w", encoding="utf-8") as file:
                file.write(content)
            with self.subTest(content), self.assertRaises(Unanswered) as raised:
                hook.gone("a@x.example", "e1", "/o")
            self.assertIn(said, str(raised.exception))
        os.unlink(secret)
        with self.assertRaises(Unanswered):
            hook.gone("a@x.example", "e1", "/o")
        with open(secret, "w", encoding="ascii") as file:
            file.write("another\n")
        hook.gone("a@x.example", "e1", "/o")
        self.assertEqual(fake.requests[-1][2]["Authorization"], "Bearer another")

    def test_the_environments_proxies_are_not_asked(self):
        fake = self.fake()
        os.environ["http_proxy"] = "http://127.0.0.1:9"
        self.addCleanup(os.environ.pop, "http_proxy")
        self.assertTrue(self.hook(fake.address).gone("a@x.example", "e1", "/o").taken)


if __name__ == "__main__":
    unittest.main()
