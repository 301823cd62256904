"""Notes on disk."""

import os
import subprocess
import sys
import tempfile
import unittest

from teams_mirror_radicale.spool import Spool, SpoolFull, look, look_through

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

    def test_only_so_many_are_kept(self):
        spool = self.open(limit=2)
        notes = [spool.note([LOOK]), spool.note([LOOK])]
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
