"""What gets into Radicale's log."""

import glob
import os
import re
import unittest

import teams_mirror_radicale
from teams_mirror_radicale.hook import Answer, Unanswered
from teams_mirror_radicale.log import logger, printable
from tests.fake import EVENT, FakeHook, Server

FORGED = "/alice/work/e\n[2026-01-01 00:00:00 +0000] [1] [ERROR] \x1b[2Jforged\u2028.ics"


class Lines(unittest.TestCase):

    def test_a_message_is_one_line(self):
        with self.assertLogs("radicale", "INFO") as seen:
            logger.info("plain 100%")
            logger.warning("`%s` of %d", FORGED, 3)
            logger.error("it broke: %s", ValueError("a\rb"), exc_info=True)
        self.assertEqual(seen.records[0].getMessage(), "plain 100%")
        self.assertIn("e\\n[2026-01-01 00:00:00 +0000] [1] [ERROR] \\x1b[2Jforged\\u2028.ics` of 3", seen.records[1].getMessage())
        self.assertIn("a\\rb", seen.records[2].getMessage())
        self.assertEqual(seen.records[1].filename, "test_log.py", "whoever says it is named")

    def test_letters_stay_what_they_are(self):
        self.assertEqual(printable("Grüße, 会议 `x`"), "Grüße, 会议 `x`")

    def test_what_clients_and_the_hook_send_forges_no_line(self):
        hook = FakeHook(lambda method, path, body: (422, {"detail": "the UID is\n[ERROR] forged"}))
        self.addCleanup(hook.close)
        server = Server(hook.address)
        self.addCleanup(server.close)
        server.calendar()
        with self.assertLogs("radicale", "INFO") as seen:
            status, _, _ = server.request("PUT", FORGED, EVENT % ("e1", "One"))
            # The newest versions of Radicale take no such path; it may stand in a note of an earlier one.
            self.assertIn(status, (201, 400))
            server.mirror.refused(FORGED, Answer(422, "Unprocessable", {"detail": "no\nmore"}))
            server.mirror.unanswered(Unanswered("down\nforged"))
        said = [record for record in seen.records if "teams-mirror" in record.getMessage()]
        self.assertGreaterEqual(len(said), 2)
        for record in said:
            self.assertIsNone(re.search("[\x00-\x1f\u2028]", record.getMessage()), record.getMessage())

    def test_nobody_goes_past_it(self):
        folder = os.path.dirname(teams_mirror_radicale.__file__)
        for path in glob.glob(os.path.join(folder, "*.py")):
            with open(path, encoding="utf-8") as file:
                if os.path.basename(path) != "log.py":
                    self.assertFalse("from radicale.log" in file.read(), path)


if __name__ == "__main__":
    unittest.main()
