"""What is said on the command line."""

import os
import stat
import subprocess
import sys
import tempfile
import unittest

from tests.fake import FakeHook, settings_file


class CommandLine(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def run_with(self, *arguments, level="info"):
        with open(os.path.join(self.folder, "config"), "w", encoding="ascii") as file:
            file.write("[auth]\ntype = http_x_remote_user\n[logging]\nlevel = %s\n"
                       "[storage]\nfilesystem_folder = %s/new/store\n" % (level, self.folder))
        return subprocess.run(
            [sys.executable, "-m", "teams_mirror_radicale", "--config", os.path.join(self.folder, "config"), *arguments],
            check=False, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})

    def checked(self, more="", level="info"):
        hook = FakeHook()
        self.addCleanup(hook.close)
        return self.run_with(
            "--teams-mirror-check", "--teams-mirror-config", settings_file(self.folder, hook.address, more), level=level)

    def test_help_names_our_options_after_radicales(self):
        for option in ("--help", "-h"):
            ended = self.run_with(option)
            self.assertEqual(ended.returncode, 0, ended.stderr)
            radicales, ours = ended.stdout.split("\nteams-mirror:\n")
            self.assertIn("--storage-filesystem-folder", radicales)
            self.assertIn("--teams-mirror-config FILE", ours)
            self.assertIn("--teams-mirror-check", ours)

    def test_the_check_is_all_that_is_said(self):
        for level in ("info", "debug"):
            ended = self.checked(level=level)
            self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
            self.assertIn("\nteams-mirror: all is in order\n", ended.stdout)
            self.assertIn("  teams-mirror answers\n", ended.stdout)
            self.assertEqual([line for line in ended.stderr.splitlines() if "[WARNING]" not in line], [], level)

    def test_what_is_wrong_comes_last(self):
        ended = self.run_with("--teams-mirror-check", "--teams-mirror-config", settings_file(self.folder, "http://127.0.0.1:9"))
        self.assertEqual(ended.returncode, 1)
        self.assertIn("\nteams-mirror: this is not in order\n", ended.stdout)
        self.assertIn("cannot be reached", ended.stdout.splitlines()[-1])
        ended = self.run_with("--teams-mirror-check", "--teams-mirror-config", os.path.join(self.folder, "none.ini"))
        self.assertEqual(ended.returncode, 1)
        self.assertTrue(ended.stdout.splitlines()[-1].startswith("! the configuration"), ended.stdout)

    def test_the_check_makes_nothing(self):
        before = None
        for _ in range(2):
            ended = self.checked()
            self.assertIn("new/store`, is not there yet; Radicale makes it at its first start", ended.stdout)
            found = sorted(os.listdir(self.folder))
            self.assertEqual(found, ["config", "secret", "teams-mirror.ini"])
            self.assertIn(before, (None, found))
            before = found
        # A folder that is there stays as it is.
        store = os.path.join(self.folder, "new", "store")
        os.makedirs(os.path.join(store, "collection-root", "Alice"))
        notes = os.path.join(self.folder, "notes")
        os.mkdir(notes)
        ended = self.checked("spool = %s" % notes)
        self.assertEqual(os.listdir(notes), [])
        self.assertEqual(ended.returncode, 1)
        self.assertIn("! not mirrored: the calendars of `Alice`", ended.stdout)
        self.assertEqual(os.listdir(store), ["collection-root"])
        self.assertEqual(os.listdir(os.path.join(store, "collection-root")), ["Alice"])

    def test_a_folder_for_notes_that_could_not_be_made_is_said(self):
        blocker = os.path.join(self.folder, "file")
        with open(blocker, "w", encoding="ascii"):
            pass
        ended = self.checked("spool = %s/deep/notes" % blocker)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("the folder for notes", ended.stdout)
        self.assertTrue(stat.S_ISREG(os.stat(blocker).st_mode))


if __name__ == "__main__":
    unittest.main()
