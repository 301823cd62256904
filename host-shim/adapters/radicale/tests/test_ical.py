"""Which texts are one event, and under which UID."""

import unittest

from teams_mirror_radicale.ical import event_lines, event_uid


def calendar(*lines):
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR", ""))


def event(uid="UID:e1", *lines):
    return ("BEGIN:VEVENT", uid, *lines, "END:VEVENT")


class Uids(unittest.TestCase):

    def test_the_uid_is_the_value_unfolded_and_unescaped(self):
        for line, uid in [
            ("UID:e1", "e1"),
            ("uid:e1", "e1"),
            ("UID;X-A=\"b:c\":e1", "e1"),
            ("UID:a\\,b\\;c\\\\d", "a,b;c\\d"),
            ("UID:lo\r\n ng\r\n\ter", "longer"),
            ("UID: e 1", " e 1"),
            ("UID:ü@x", "ü@x"),
        ]:
            with self.subTest(line=line):
                self.assertEqual(event_uid(calendar(*event(line))), uid)

    def test_line_ends_without_a_carriage_return_are_read(self):
        self.assertEqual(event_uid(calendar(*event("UID:lo\n ng")).replace("\r\n", "\n")), "long")

    def test_other_separators_end_no_line(self):
        self.assertEqual(event_uid(calendar(*event("UID:e1", "SUMMARY:a\u2028UID:e2\x0bUID:e3\x85UID:e4"))), "e1")

    def test_exceptions_belong_to_their_event(self):
        text = calendar("BEGIN:VTIMEZONE", "TZID:X", "END:VTIMEZONE", *event(),
                        *event("UID:e1", "RECURRENCE-ID:20300101T100000Z", "BEGIN:VALARM", "UID:alarm", "END:VALARM"))
        self.assertEqual(event_uid(text), "e1")

    def test_what_is_not_one_event_has_none(self):
        for why, text in [
            ("several", calendar(*event(), *event("UID:e2"))),
            ("without a UID", calendar(*event("SUMMARY:x"))),
            ("one of two without", calendar(*event(), *event("SUMMARY:x"))),
            ("an empty UID", calendar(*event("UID:"))),
            ("two UIDs", calendar(*event("UID:e1", "UID:e2"))),
            ("a long UID", calendar(*event("UID:" + "x" * 1025))),
            ("a message", calendar("METHOD:REQUEST", *event())),
            ("a task", calendar("BEGIN:VTODO", "UID:t", "END:VTODO")),
            ("a task beside", calendar(*event(), "BEGIN:VTODO", "UID:e1", "END:VTODO")),
            ("nothing", ""),
            ("a card", "BEGIN:VCARD\r\nUID:c\r\nEND:VCARD\r\n"),
            ("two calendars", calendar(*event()) + calendar(*event())),
            ("cut off", calendar(*event())[:-20]),
            ("wrongly nested", calendar("BEGIN:VEVENT", "UID:e1", "BEGIN:VALARM", "END:VEVENT", "END:VALARM")),
        ]:
            with self.subTest(why):
                self.assertIsNone(event_uid(text))

    def test_a_method_of_an_event_is_no_message(self):
        self.assertEqual(event_uid(calendar(*event("UID:e1", "METHOD:x"))), "e1")

    def test_a_hundred_thousand_lines_take_no_time_to_speak_of(self):
        text = calendar(*event("UID:e1", *("X-A:%d" % number for number in range(100_000))))
        self.assertEqual(event_uid(text), "e1")


class Lines(unittest.TestCase):

    def test_order_and_folding_make_no_difference_and_zones_do_not_count(self):
        one = calendar("BEGIN:VTIMEZONE", "TZID:X", "END:VTIMEZONE", *event("UID:e1", "SUMMARY:a long\r\n  one"))
        two = calendar(*event("SUMMARY:a long one", "UID:e1"))
        self.assertEqual(event_lines(one), event_lines(two))
        self.assertNotEqual(event_lines(one), event_lines(two.replace("one", "two")))


if __name__ == "__main__":
    unittest.main()
