"""Notes on disk."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from teams_mirror_radicale.spool import ShareFull, Spool, SpoolFull, look, look_through

LOOK = look("alice@example.org", "e1", "/alice/work/e1.ics", "c1")


class Notes(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.spool = self.open()

    def open(self, limit=100):
        spool = Spool(os.path.join(self.folder.name, "spool"), limit)
        spool.make()
        return spool

    def test_what_is_done_is_gone_and_what_is_left_is_there(self):
        done, left = self.spool.note([LOOK]), self.spool.note([LOOK])
        self.assertEqual(len(self.spool.names()), 2)
        done.done()
        left.leave()
        self.assertEqual(self.spool.names(), [left.name])
        self.assertTrue(self.spool.left.is_set())
        taken = self.open().take(left.name)
        self.assertEqual(taken.looks, [LOOK])
        taken.done()
        self.assertEqual(self.spool.names(), [])

    def test_nobody_takes_what_an_operation_holds(self):
        note = self.spool.note([LOOK])
        self.assertIsNone(self.open().take(note.name))
        note.leave()
        taken = self.open().take(note.name)
        self.assertIsNotNone(taken)
        self.assertIsNone(self.open().take(note.name), "and not twice")
        taken.leave()

    def test_a_killed_process_leaves_its_notes(self):
        script = ("import os, signal, sys\n"
                  "from teams_mirror_radicale.spool import Spool, look\n"
                  "spool = Spool(sys.argv[1], 9)\n"
                  "note = spool.note([look('a@b.example', 'e1', '/a/e1.ics')])\n"
                  "os.kill(os.getpid(), signal.SIGKILL)\n")
        ended = subprocess.run([sys.executable, "-c", script, self.spool.folder], check=False,
                               env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
        self.assertEqual(ended.returncode, -9)
        (name,) = self.spool.names()
        taken = self.spool.take(name)
        self.assertEqual(taken.looks, [look("a@b.example", "e1", "/a/e1.ics")])
        taken.done()

    def test_they_are_in_order(self):
        names = [self.spool.note([LOOK]).name for _ in range(20)]
        self.assertEqual(self.spool.names(), names)

    def test_of_what_says_the_same_one_waits(self):
        same = look("alice@example.org", "e1", "/alice/work/e1.ics")
        for _ in range(35):
            self.spool.note([same]).leave()
        (kept,) = self.spool.names()
        # What is about another object, another event, another account, or an announced save, is another thing.
        others = [look("alice@example.org", "e1", "/alice/work/e2.ics"), look("alice@example.org", "e2", "/alice/work/e1.ics"),
                  look("bob@example.org", "e1", "/alice/work/e1.ics"), {**same, "change": "c1"}, {**same, "change": "c1"}]
        for other in [*others, others[0]]:
            self.spool.note([other]).leave()
        self.assertEqual(len(self.spool.names()), 1 + len(others))
        self.assertEqual(self.spool.names()[0], kept, "and it keeps its place")
        # So does another process, and one that was started again.
        self.open().note([same]).leave()
        self.assertEqual(len(self.spool.names()), 1 + len(others))

    def test_one_that_is_worked_on_is_not_enough(self):
        """Whoever works on it may have looked already."""
        same = look("alice@example.org", "e1", "/alice/work/e1.ics")
        self.spool.note([same]).leave()
        (name,) = self.spool.names()
        taken = self.open().take(name)
        for _ in range(3):
            self.spool.note([same]).leave()
        self.assertEqual(len(self.spool.names()), 2)
        taken.done()
        (left,) = self.spool.names()
        self.assertNotEqual(left, name)
        self.spool.note([same]).leave()
        self.assertEqual(self.spool.names(), [left])
        self.spool.take(left).done()
        self.spool.note([same]).leave()
        self.assertEqual(len(self.spool.names()), 1, "one that is gone is not waited for")

    def test_operations_at_the_same_time_do_not_take_each_others_notes_for_waiting(self):
        same = look("alice@example.org", "e1", "/alice/work/e1.ics")
        first, second = self.spool.note([same]), self.spool.note([same])
        second.leave()
        self.assertEqual(len(self.spool.names()), 2, "the first may be withdrawn")
        first.done()
        self.assertEqual(self.spool.names(), [second.name])

    def test_one_account_leaves_room_for_the_others(self):
        spool = self.open(limit=20)

        def as_many_as_fit(account):
            for number in range(100):
                try:
                    spool.note([look(account, "e%d" % number, "/x/e%d.ics" % number)]).leave()
                except SpoolFull as error:
                    return number, error
            return 100, None

        for account, expected in [("alice@example.org", 10), ("bob@example.org", 5), ("carol@example.org", 3)]:
            fitted, error = as_many_as_fit(account)
            self.assertEqual(fitted, expected)
            self.assertIsInstance(error, ShareFull)
            self.assertIn(account, str(error))
        # A note about two accounts counts for whose event it was; notes of an earlier version count for nobody.
        spool.note([look("dave@example.org", "e1", "/d/e1.ics"), look("alice@example.org", "e1", "/a/e1.ics")]).leave()
        with open(os.path.join(self.spool.folder, "00000000000000000001-abcdef12.json"), "w", encoding="ascii") as file:
            file.write("[]")
        self.assertEqual(spool.count(), 20)
        with self.assertRaises(SpoolFull) as raised:
            spool.note([LOOK])
        self.assertNotIsInstance(raised.exception, ShareFull)

    def test_a_storage_hook_commits_none_of_them(self):
        with open(os.path.join(self.spool.folder, ".gitignore"), encoding="ascii") as file:
            self.assertEqual(file.read(), "*\n")
        self.assertEqual(self.spool.names(), [])
        if not shutil.which("git") and "TEAMS_MIRROR_REQUIRE_ALL" not in os.environ:
            self.skipTest("there is no git to try it with")
        self.spool.note([LOOK]).leave()
        for arguments in (["init", "-q"], ["add", "-A"]):
            subprocess.run(["git", *arguments], cwd=self.folder.name, check=True)
        staged = subprocess.run(["git", "ls-files"], cwd=self.folder.name, check=True, capture_output=True)
        self.assertEqual(staged.stdout, b"")

    def test_only_so_many_are_kept(self):
        spool = self.open(limit=2)
        notes = [spool.note([LOOK]), spool.note([look("bob@example.org", "e1", "/bob/work/e1.ics")])]
        spool.count()
        with self.assertRaises(SpoolFull):
            spool.note([LOOK])
        self.assertEqual(len(spool.names()), 2)
        notes[0].done()
        spool.count()
        spool.note([LOOK]).done()
        notes[1].done()

    def test_one_that_cannot_be_read_is_kept_aside(self):
        path = os.path.join(self.spool.folder, "1-x.json")
        with open(path, "w", encoding="ascii") as file:
            file.write("[{")
        with self.assertRaises(ValueError):
            self.spool.take("1-x.json")
        aside = self.spool.set_aside("1-x.json")
        self.assertEqual(self.spool.names(), [])
        self.assertTrue(os.path.exists(os.path.join(self.spool.folder, aside)))

    def test_it_is_for_its_owner_alone(self):
        note = self.spool.note([look_through("a@b.example", "/a/work/", [["e1", "/a/work/e1.ics"]], True)])
        self.assertEqual(os.stat(self.spool.folder).st_mode & 0o777, 0o700)
        self.assertEqual(os.stat(os.path.join(self.spool.folder, note.name)).st_mode & 0o777, 0o600)
        note.done()

    def test_one_process_works_them_off(self):
        lock = self.spool.only_worker()
        self.assertIsNotNone(lock)
        self.assertIsNone(self.open().only_worker())
        os.close(lock)
        again = self.open().only_worker()
        self.assertIsNotNone(again)
        os.close(again)

    def test_what_was_only_begun_is_tidied_away_when_it_is_old(self):
        path = os.path.join(self.spool.folder, ".begun-1-x.json")
        with open(path, "w", encoding="ascii"):
            pass
        self.spool.tidy()
        self.assertTrue(os.path.exists(path), "somebody may be about to lock it")
        os.utime(path, (1, 1))
        self.spool.tidy()
        self.assertFalse(os.path.exists(path))

    def test_a_folder_that_cannot_be_is_an_error(self):
        with self.assertRaises(OSError):
            Spool(os.path.join(__file__, "spool"), 1).make()
        self.assertEqual(Spool(os.path.join(__file__, "spool"), 1).names(), [])


if __name__ == "__main__":
    unittest.main()
