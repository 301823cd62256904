"""The client of the hook API."""

import os
import socket
import tempfile
import unittest

from teams_mirror_radicale import settings
from teams_mirror_radicale.hook import Hook, Unanswered
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
        answer = self.hook(fake.address).announce("a+b@x.example", "u/1?#%2F ü", "text", "/a b/ü&c.ics", "/a b/", "c1", 5)
        self.assertEqual(answer.get("icalendar"), "text")
        method, path, headers, body = fake.requests[0]
        self.assertEqual(method, "PUT")
        self.assertEqual(path, "/v1/accounts/a%2Bb%40x.example/events/u%2F1%3F%23%252F%20%C3%BC"
                               "?object=%2Fa%20b%2F%C3%BC%26c.ics&calendar=%2Fa%20b%2F&change=c1")
        self.assertEqual((headers["Authorization"], headers["Prefer"], body), ("Bearer hush-hush", "wait=5", b"text"))

    def test_who_does_not_wait_says_so(self):
        fake = self.fake()
        self.hook(fake.address).announce("a@x.example", "e1", "text", "/o", "/", "c1", None)
        self.assertEqual(fake.requests[0][2]["Prefer"], "respond-async")

    def test_connections_are_kept_and_one_that_died_idle_is_no_failure(self):
        fake = self.fake()
        hook = self.hook(fake.address)
        for _ in range(3):
            hook.gone("a@x.example", "e1", "/o")
        self.assertEqual(fake.connections, 1)
        _, connection = hook._idle.get_nowait()
        connection.sock.shutdown(socket.SHUT_RDWR)
        hook._idle.put_nowait((os.getpid(), connection))
        self.assertTrue(hook.gone("a@x.example", "e1", "/o").taken)

    def test_a_socket_does_as_well(self):
        fake = self.fake(unix=os.path.join(self.folder.name, "hook.sock"))
        self.assertTrue(self.hook(fake.address).gone("a@x.example", "e1", "/o").taken)

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
