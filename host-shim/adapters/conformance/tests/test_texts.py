"""What the kit does with iCalendar itself: a fault here would be found in every adapter."""

import unittest

from kit import texts

LINK = "https://teams.microsoft.com/l/meetup-join/x/0"


class Texts(unittest.TestCase):
    def test_lines_are_folded_between_letters(self):
        line = "SUMMARY:" + "ü🎈" * 60
        written = texts.folded(line)
        self.assertTrue(all(len(piece.encode("utf-8")) <= 75 for piece in written.split("\r\n")))
        self.assertEqual(texts.unfolded(written), line + "\r\n")

    def test_values_go_out_and_come_back(self):
        for value in ("a,b;c\\d\ne", "\\n", "plain", "a\\,b"):
            self.assertEqual(texts.unescaped(texts.escaped(value)), value)
            self.assertEqual(texts.uids(texts.event(value.replace("\n", ""), "x")), [value.replace("\n", "")])

    def test_an_amended_text_is_the_same_but_for_the_link(self):
        for lines in (
            (),
            ("DESCRIPTION:" + "Mine, ü " * 30,),
            ("BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Its own", "TRIGGER:-PT5M", "END:VALARM"),
        ):
            for end in ("\r\n", "\n"):
                text = texts.event("e", "S", lines).replace("\r\n", end)
                amended = texts.amended(text, LINK)
                self.assertTrue(texts.carries(amended, LINK) and not texts.carries(text, LINK))
                self.assertEqual(texts.amended(amended, LINK), amended)
                self.assertEqual("\r\n" in amended, end == "\r\n")
                names = ("DESCRIPTION", "X-MICROSOFT-SKYPETEAMSMEETINGURL", "CONFERENCE")
                kept = [line for line in texts.unfolded(amended).split(end) if LINK not in line]
                self.assertEqual(
                    kept,
                    [
                        line
                        for line in texts.unfolded(text).split(end)
                        if not (line.startswith("DESCRIPTION:Mine") and lines[0].startswith("DESCRIPTION"))
                    ],
                )
                for name in names:
                    self.assertEqual(len(texts.lines_of(amended, name)), 1, name)

    def test_the_link_goes_into_every_event(self):
        text = texts.merged(
            [texts.event("e", "One"), texts.event("e", "Two", ("RECURRENCE-ID:20300121T100000Z", "DESCRIPTION:x"))]
        )
        self.assertEqual(texts.unfolded(texts.amended(text, LINK)).count("X-MICROSOFT-SKYPETEAMSMEETINGURL:" + LINK), 2)
        self.assertFalse(texts.carries(text.replace("END:VEVENT", "URL:%s\r\nEND:VEVENT" % LINK, 1), LINK))
        self.assertEqual(len(texts.essence(text)), 2)

    def test_what_a_server_makes_of_the_form_makes_no_difference(self):
        text = texts.event("e", "A summary that is long enough to be folded by whoever writes it the other way, ü")
        lines = texts.unfolded(text).split("\r\n")
        other = "\n".join(lines[:4] + sorted(lines[4:-3], reverse=True) + lines[-3:])
        self.assertEqual(texts.essence(text), texts.essence(other))
        self.assertNotEqual(texts.essence(text), texts.essence(text.replace("summary", "other")))
        self.assertIsNone(texts.essence(None))

    def test_what_is_no_event_is_none(self):
        self.assertTrue(texts.is_event(texts.event("e", "x")))
        self.assertFalse(texts.is_event(texts.event("e", "x", (), "VTODO")))
        self.assertFalse(texts.is_event(texts.event("e", "x").replace("VERSION:2.0", "METHOD:REQUEST")))
        self.assertFalse(texts.is_icalendar(texts.event("e", "x").replace("END:VEVENT\r\n", "")))


if __name__ == "__main__":
    unittest.main()
