"""The configuration file."""

import os
import tempfile
import unittest

from teams_mirror_radicale import settings


def load(text):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "teams-mirror.ini")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return settings.load(path)


LEAST = "[teams-mirror]\nsecret_file = /s\naddress = {user}@example.org\n"


class Reading(unittest.TestCase):

    def test_the_least_there_must_be(self):
        read = load(LEAST)
        self.assertEqual(read.hook, "http://127.0.0.1:7460")
        self.assertEqual((read.patience, read.max_waiting, read.settings_path), (5, None, "/.teams"))
        self.assertIsNone(read.spool)

    def test_everything_there_may_be(self):
        read = load(LEAST + "hook = unix:/run/teams-mirror/hook.sock\nspool = /v/notes\nspool_limit = 7\nsettings_path =\n"
                    "patience = 9   # seconds\nmax_waiting = 0\nca_file = /ca\ntime_zone = Europe/Vienna\nlanguage = de\n")
        self.assertEqual(read.hook, "unix:/run/teams-mirror/hook.sock")
        self.assertEqual((read.spool, read.spool_limit, read.patience, read.max_waiting), ("/v/notes", 7, 9, 0))
        self.assertIsNone(read.settings_path)
        self.assertEqual((read.ca_file, read.time_zone, read.language), ("/ca", "Europe/Vienna", "de"))

    def test_what_is_wrong_is_named(self):
        for text, said in [
            ("", "lacks the section"),
            ("[teams]\n", "unknown section `[teams]`"),
            ("[teams-mirror]\n", "lacks `secret_file` and `address`"),
            ("no section", "is not in order"),
            (LEAST + "adress = x\n", "did you mean `address`"),
            (LEAST + "zzz = x\n", "known are"),
            (LEAST + "patience = 31\n", "from 1 to 30"),
            (LEAST + "hook = 127.0.0.1:7460\n", "`hook` is"),
            (LEAST + "hook = http://mail.example.org:7460\n", "readable"),
            (LEAST + "hook = http://127.0.0.1.example.org:7460\n", "readable"),
            (LEAST + "hook = http://127.0.0.1:none\n", "`hook` is"),
            (LEAST + "hook = unix:run/hook.sock\n", "unix:/path"),
            (LEAST + "settings_path = /alice/\n", "begins with a dot"),
            (LEAST + "settings_path = /.web/\n", "begins with a dot"),
        ]:
            with self.subTest(said=said), self.assertRaises(settings.SettingsError) as raised:
                load(text)
            self.assertIn(said, str(raised.exception))

    def test_a_file_that_is_not_there_is_named(self):
        with self.assertRaises(settings.SettingsError) as raised:
            settings.load("/nowhere/teams-mirror.ini")
        self.assertIn("/nowhere/teams-mirror.ini", str(raised.exception))

    def test_the_secret_itself_has_no_place_here(self):
        with self.assertRaises(settings.SettingsError):
            load(LEAST + "secret = hush\n")


class Addresses(unittest.TestCase):

    def account(self, template, user, upper=False):
        return load("[teams-mirror]\nsecret_file = /s\naddress = %s\n" % template).account(user, upper)

    def test_a_login_becomes_an_address(self):
        self.assertEqual(self.account("{user}@Example.org", "alice"), "alice@example.org")
        self.assertEqual(self.account("{user}", "alice@example.org"), "alice@example.org")
        self.assertEqual(self.account("{user}@example.org", "\u00fcnal"), "\u00fcnal@example.org")

    def test_two_logins_never_become_one_address(self):
        self.assertIsNone(self.account("{user}@example.org", "Alice"))
        self.assertIsNone(self.account("{user}", "alice@Example.org"))
        self.assertIsNone(self.account("{user}@example.org", "u\u0308nal"), "decomposed")
        self.assertIsNone(self.account("{user}@example.org", "\u212aelvin"), "the Kelvin sign is a K")
        # Where Radicale makes all names upper case, none of them is in lower case.
        self.assertEqual(self.account("{user}@example.org", "ALICE", upper=True), "alice@example.org")
        for other in ("alice", "Alice", "\u212aELVIN"):
            self.assertIsNone(self.account("{user}@example.org", other, upper=True), other)

    def test_a_login_never_becomes_somebody_elses_address(self):
        self.assertIsNone(self.account("{user}@example.org", "bob@example.org"))
        self.assertIsNone(self.account("{user}", "alice"))
        self.assertIsNone(self.account("{user}@example.org", ""))
        self.assertIsNone(self.account("{user}@example.org", "a b"))
        self.assertEqual(self.account("{user}@example.org", "{user}"), "{user}@example.org")

    def test_a_template_holds_the_login_once(self):
        for template in ("alice@example.org", "{user}{user}@example.org", "{login}@example.org", "{user", "{user!r}@x", "{user}"
                         "@", "{user}@a b"):
            with self.subTest(template), self.assertRaises(settings.SettingsError):
                self.account(template, "alice")


if __name__ == "__main__":
    unittest.main()
