"""The honesty of the kit: the adapter of this repository holds, and each broken one is caught by the check that names it."""

import os
import unittest
from concurrent.futures import ThreadPoolExecutor

from kit.bench import APART, BROKEN, HOLDS, UNSEEN
from kit.requirements import ALL
from kit.runner import CannotBegin
from tests.variants import VARIANTS

try:
    import radicale  # noqa: F401
    from tests.ports import free_port
    from tests.radicale_server import Server

    ABSENT = None
except ImportError as error:
    if "TEAMS_MIRROR_REQUIRE_ALL" in os.environ:
        raise
    ABSENT = "Radicale is not installed (%s)" % error

#: What Radicale does not have, or nobody can make it do.
_APART = {"SAVE-11", "DEL-4", "COPY-1", "WHO-4", "DRAFT-1", "DRAFT-2", "DRAFT-3"}
#: What takes longest begins first.
_LONG = ("sends-a-parameter-of-its-own", "tells-of-a-move-only-its-end", "leaves-slashes-as-they-are", "notes-nothing")
#: How many servers run at the same time.
_AT_ONCE = 8
#: Of these not even the first check of a save holds.
_WITHOUT_A_SOUND_SAVE = ("announces-after-the-store", "tells-stored-before-the-store", "holds-the-lock-while-it-waits")


@unittest.skipIf(ABSENT, ABSENT)
class Radicale(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # They mostly wait, so they wait together.
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            cls.sound = pool.submit(cls.conforming)
            cls.broken = {name: pool.submit(cls.caught, name) for name in sorted(VARIANTS, key=lambda name: name not in _LONG)}

    def test_the_adapter_conforms(self):
        findings, log = self.sound.result()
        self.assertEqual(list(findings), [requirement.id for requirement in ALL])
        wrong = [finding for finding in findings.values() if finding.outcome in (BROKEN, UNSEEN)]
        self.assertEqual(wrong, [], log)
        self.assertEqual({finding.id for finding in findings.values() if finding.outcome == APART}, _APART)

    def test_each_broken_adapter_is_caught(self):
        for name, missed in self.broken.items():
            with self.subTest(name):
                self.assertEqual(missed.result()[1], [])

    @staticmethod
    def conforming():
        """What is found about the adapter as it is."""
        server = Server()
        try:
            return {finding.id: finding for finding in server.look(settle=30.0)}, server.log()
        finally:
            server.close()

    @staticmethod
    def caught(name):
        """The variant, and what did not come out as it should."""
        ids, _ = VARIANTS[name]
        server = Server(name)
        try:
            # An adapter that does nothing at all would be caught by anything.
            control = () if name in _WITHOUT_A_SOUND_SAVE else ("SAVE-4",) if "SAVE-1" in ids else ("SAVE-1",)
            findings = server.look((*ids, *control), settle=6.0)
            missed = [
                "%s: %s (%s)" % (finding.id, finding.outcome, finding.happened)
                for finding in findings
                if finding.outcome != (HOLDS if finding.id in control else BROKEN)
            ]
            return name, missed + ([server.log()] if missed else [])
        except Exception as error:
            return name, ["%r\n%s" % (error, server.log())]
        finally:
            server.close()

    def test_for_every_check_there_is_an_adapter_that_fails_it(self):
        named = {id_ for ids, _ in VARIANTS.values() for id_ in ids}
        unproved = {requirement.id for requirement in ALL} - named - _APART
        self.assertEqual(
            unproved, {"SAVE-5", "SAVE-10", "WHO-3", "LINK-4", "CONC-2"}, "the tests with the toy server break these"
        )

    def test_an_adapter_that_calls_nobody_is_told_apart_from_a_broken_one(self):
        server = Server()
        self.addCleanup(server.close)
        for more, said in [
            ({"listen": "127.0.0.1:%d" % free_port(), "settle": 2.0, "patience": 1.0}, "Nobody called"),
            ({"secret": "another", "settle": 2.0, "patience": 1.0}, "401 (secret-wrong)"),
            ({"user": "alice:wrong"}, "lets `alice` not into"),
            ({"calendar": "/alice/nowhere/"}, "there is no calendar"),
            ({"caldav": "http://127.0.0.1:9"}, "does not answer"),
            ({"only": ("SAVE-99",)}, "there is no requirement `SAVE-99`"),
        ]:
            with self.subTest(said), self.assertRaises(CannotBegin) as raised:
                server.look(**more)
            self.assertIn(said, str(raised.exception))


if __name__ == "__main__":
    unittest.main()
