"""Radicale with the adapter, with a hook that answers what it should not."""

import io
import os
import socket
import tempfile
import threading
import time
import traceback
import unittest

from teams_mirror_radicale import settings, stored
from teams_mirror_radicale.mirror import waiting
from teams_mirror_radicale.operations import _destinations
from tests.fake import EVENT, FakeHook, Server

E1 = "/alice/work/e1.ics"


def eventually(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class Case(unittest.TestCase):

    def server(self, answer=None, **named):
        self.hook = FakeHook(answer)
        self.addCleanup(self.hook.close)
        server = Server(self.hook.address, **named)
        self.addCleanup(server.close)
        if named.get("auth") != "none":
            server.calendar()
        return server

    def told(self, server):
        self.assertTrue(eventually(lambda: not server.mirror.spool.names()), server.mirror.spool.names())


class Saves(Case):

    def test_two_beats_around_the_store(self):
        server = self.server()
        status, headers, _ = server.request("PUT", E1, EVENT % ("e1", "One"))
        self.assertEqual(status, 201)
        self.assertIn("ETag", headers)
        (announced,), (reported,) = self.hook.saw("PUT"), self.hook.saw("POST")
        change = announced[1].rsplit("change=", 1)[1]
        self.assertIn(b'"change": "%s"' % change.encode(), reported[3])
        self.assertIn(b'"stored"', reported[3])
        self.assertEqual(server.mirror.spool.names(), [])

    def test_the_calendar_is_named_as_its_user_calls_it(self):
        server = self.server()
        server.request("PUT", E1, EVENT % ("e1", "One"))
        status, _, text = server.request(
            "PROPPATCH", "/alice/work/",
            '<propertyupdate xmlns="DAV:"><set><prop><displayname>Büro</displayname></prop></set></propertyupdate>')
        self.assertEqual(status, 207, text)
        server.request("PUT", E1, EVENT % ("e1", "Two"))
        server.request("MOVE", E1, destination="http://x/alice/work/moved.ics", host="x")
        self.told(server)
        first, second, moved = [request[1] for request in self.hook.saw("PUT")]
        self.assertIn("&calendar=%2Falice%2Fwork%2F&change=", first)
        for path in (second, moved):
            self.assertIn("&calendar=%2Falice%2Fwork%2F&calendar_name=B%C3%BCro&", path)

    def test_an_amended_text_is_stored_and_its_etag_is_kept_back(self):
        def amend(method, path, body):
            status, value = FakeHook.as_sent(method, path, body)
            if "icalendar" in value:
                value["icalendar"] = value["icalendar"].replace("One", "Ümended")
            return status, value

        server = self.server(amend)
        status, headers, _ = server.request("PUT", E1, EVENT % ("e1", "One"))
        self.assertEqual((status, headers.get("ETag")), (201, None))
        self.assertIn("SUMMARY:Ümended", server.stored(E1).text)

    def test_what_radicale_does_not_like_is_stored_as_it_was_sent(self):
        def spoil(method, path, body):
            status, value = FakeHook.as_sent(method, path, body)
            if "icalendar" in value:
                value["icalendar"] = value["icalendar"].replace("END:VCALENDAR", "END:NOTHING")
            return status, value

        server = self.server(spoil)
        status, headers, _ = server.request("PUT", E1, EVENT % ("e1", "One"))
        self.assertEqual(status, 201)
        self.assertIn("ETag", headers)
        self.assertIn("SUMMARY:One", server.stored(E1).text)
        self.assertIn(b'"stored-original"', self.hook.saw("POST")[0][3])

    def test_an_answer_without_sense_costs_no_save(self):
        for answered in [(200, {}), (200, ["x"]), (200, {"icalendar": None}), (202, {"change": "c"}), (418, {}), (204, None)]:
            server = self.server(lambda *_, answered=answered: answered)
            with self.subTest(answered=answered):
                status, headers, _ = server.request("PUT", E1, EVENT % ("e1", "One"))
                self.assertEqual(status, 201)
                self.assertIn("ETag", headers)
                self.assertIn("SUMMARY:One", server.stored(E1).text)

    def test_an_answer_without_a_text_to_store_is_none_and_the_save_is_told_again(self):
        for answered in [(200, {}), (200, ["x"]), (200, {"icalendar": None}), (202, {"change": "c"})]:
            server = self.server()
            self.hook.answer = lambda method, path, body, answered=answered: (
                answered if "/events/" in path else FakeHook.as_sent(method, path, body))
            with self.subTest(answered=answered):
                self.assertEqual(server.request("PUT", E1, EVENT % ("e1", "One"))[0], 201)
                self.assertEqual(self.hook.saw("POST"), [], "the hook would believe that its text is stored")
                self.assertTrue(server.mirror.up)
                self.hook.answer = FakeHook.as_sent
                self.told(server)
                self.assertIn(b"SUMMARY:One", self.hook.saw("PUT", "stored=true")[-1][3])

    def test_a_refused_save_is_reported(self):
        server = self.server()
        broken = (EVENT % ("e1", "One")).replace("DTSTART:20300114T100000Z", "DTSTART:never")
        status, _, _ = server.request("PUT", E1, broken)
        self.assertEqual(status, 400)
        self.assertIn(b'"refused"', self.hook.saw("POST")[0][3])
        self.assertEqual(server.mirror.spool.names(), [])

    def test_other_encodings_are_told_in_utf_8_and_stored_as_before(self):
        server = self.server()
        text = EVENT % ("e1", "Grüße")
        status, headers, _ = server.request("PUT", E1, text.encode("latin-1"), kind="text/calendar; charset=iso-8859-1")
        self.assertEqual(status, 201)
        self.assertIn("ETag", headers)
        self.assertEqual(self.hook.saw("PUT")[0][3].decode("utf-8"), text)
        self.assertIn("SUMMARY:Grüße", server.stored(E1).text)

    def test_cards_and_large_texts_are_not_read_ahead(self):
        server = self.server()

        class Watched(io.BytesIO):
            reads = []

            def read(self, *arguments):
                # Radicale's own method, and nothing of ours, is on the stack.
                Watched.reads.append(any("operations.py" in frame.filename for frame in traceback.extract_stack()))
                return super().read(*arguments)

        card = b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:c\r\nFN:x\r\nN:x;;;;\r\nEND:VCARD\r\n"
        server.request("PUT", E1, card, kind="text/vcard", stream=Watched(card))
        large = (EVENT % ("e2", "x" * 9_000_000)).encode()
        server.request("PUT", "/alice/work/e2.ics", large, stream=Watched(large))
        whole = (EVENT % ("e3", "x")).encode()
        self.assertEqual(server.request("PUT", "/alice/imported/", whole, stream=Watched(whole))[0], 201)
        self.assertEqual(Watched.reads, [False, False, False])

    def test_a_body_that_breaks_off_is_answered_as_by_radicale_alone(self):
        server = self.server()
        content = (EVENT % ("e1", "One")).encode()
        self.assertEqual(server.request("PUT", E1, content, length=len(content) + 5)[0], 400)

        class Stalled(io.BytesIO):
            def read(self, *_):
                raise socket.timeout("timed out")

        self.assertEqual(server.request("PUT", E1, content, stream=Stalled())[0], 408)
        self.assertIsNone(server.stored(E1))
        self.assertEqual(self.hook.saw("PUT"), [])

    def test_a_uid_that_stands_elsewhere_is_not_announced_where_a_meeting_is_asked_for(self):
        server = self.server()
        server.request("PUT", E1, EVENT % ("e1", "One"))
        before = len(self.hook.saw("PUT"))
        asking = (EVENT % ("e1", "One")).replace("END:VEVENT", "X-TEAMS-MEETING:TRUE\r\nEND:VEVENT")
        self.assertEqual(server.request("PUT", "/alice/work/copy.ics", asking)[0], 409)
        self.assertEqual(len(self.hook.saw("PUT")), before)
        # Without such a wish it is announced, and its refusal reported.
        self.assertEqual(server.request("PUT", "/alice/work/copy.ics", EVENT % ("e1", "One"))[0], 409)
        self.assertIn(b'"refused"', self.hook.saw("POST")[-1][3])
        self.assertEqual(server.mirror.spool.names(), [])

    def test_strict_preconditions_are_radicales(self):
        try:
            server = self.server(options={"storage": {"strict_preconditions": "True"}})
        except RuntimeError:
            self.skipTest("this version of Radicale has none")
        server.request("PUT", E1, EVENT % ("e1", "One"))
        before = len(self.hook.saw("PUT"))
        self.assertEqual(server.request("PUT", E1, EVENT % ("e1", "Two"))[0], 412)
        self.assertEqual(len(self.hook.saw("PUT")), before)

    def test_a_length_without_sense_reads_nothing_ahead(self):
        server = self.server()
        for length in ("-1", "-9000000000", "none", "", "0"):
            body = Endless()
            with self.subTest(length):
                server.request("PUT", E1, stream=body, user="", length=length)
                self.assertEqual(body.asked, [], "whoever did not log in")
                server.request("PUT", E1, stream=body, length=length)
                self.assertFalse([where for where in body.asked if "operations.py" in where])
        self.assertEqual(self.hook.saw("PUT"), [])
        # One that is announced and does not come is Radicale's to refuse, and no more than that is read.
        body = Endless(b"BEGIN:VCALENDAR\r\n")
        self.assertEqual(server.request("PUT", E1, stream=body, length=5_000_000)[0], 400)
        self.assertEqual(body.sizes, [5_000_000])

    def test_a_failure_of_our_own_costs_no_save(self):
        server = self.server()
        for name in ("whose", "waits", "refused", "unanswered"):
            setattr(server.mirror, name, None)
        self.assertEqual(server.request("PUT", E1, EVENT % ("e1", "One"))[0], 201)
        self.assertEqual(server.request("DELETE", E1)[0], 200)


class Endless(io.RawIOBase):
    """A body that says who read how much of it. Reading all of it would never end."""

    def __init__(self, content=b""):
        super().__init__()
        self.content = content
        self.asked, self.sizes = [], []

    def read(self, size=-1):
        self.sizes.append(size)
        self.asked.append(" ".join(frame.filename for frame in traceback.extract_stack()))
        if size is None or size < 0:
            raise OSError("reads for ever")
        return self.content


class Refusals(Case):
    """What Radicale refuses for want of a right costs what it costs without the adapter."""

    RIGHTS = ("[own]\nuser: .+\ncollection: {user}(/.*)?\npermissions: RrWw\n"
              "[reader]\nuser: bob\ncollection: alice(/.*)?\npermissions: Rr\n"
              "[dropper]\nuser: carol\ncollection: alice/work(/.*)?\npermissions: w\n"
              "[public]\nuser: .*\ncollection: alice/open(/.*)?\npermissions: rw\n")

    def by_file(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "rights")
        with open(path, "w", encoding="ascii") as file:
            file.write(self.RIGHTS)
        return self.server(options={"rights": {"type": "from_file", "file": path}})

    def costs(self, server, *request, **named):
        """The status, and what was looked at, read or noted for it by the adapter."""
        seen = []

        def watched(owner, name):
            real = getattr(owner, name)
            self.addCleanup(setattr, owner, name, real)

            def called(*arguments, **further):
                seen.append(name)
                return real(*arguments, **further)
            setattr(owner, name, called)

        for name in ("place", "object", "events", "uid_taken"):
            watched(server.mirror.stored, name)
        watched(server.mirror.spool, "note")
        body = Endless()
        status = server.request(*request, stream=body, length=500, **named)[0]
        seen += ["read" for where in body.asked if "operations.py" in where]
        return status, seen

    def all_refused(self, server, user):
        destination = {"destination": "http://x:80/alice/work/e2.ics", "host": "x:80"}
        for method, path, more in [
            ("DELETE", "/alice/", {}), ("DELETE", "/alice/work/", {}), ("DELETE", E1, {}), ("PUT", E1, {}),
            ("PUT", "/alice/work/new.ics", {}), ("PUT", "/alice/work/", {}), ("PUT", "/alice/new/", {}),
            ("MOVE", E1, destination),
        ]:
            with self.subTest(user=user, method=method, path=path):
                self.assertEqual(self.costs(server, method, path, user=user, **more), (403, []))

    def test_nobody_and_anybody_else(self):
        for make in (self.server, self.by_file):
            server = make()
            server.request("PUT", E1, EVENT % ("e1", "One"))
            for user in ("", "bob"):
                self.all_refused(server, user)
            self.assertEqual(len(self.hook.saw("PUT")), 1)
            self.assertIsNotNone(server.stored(E1))
            self.assertEqual(server.mirror.spool.names(), [])

    def test_into_a_strangers_calendar_nothing_is_moved(self):
        server = self.server()
        server.request("MKCALENDAR", "/bob/work/", user="bob", kind="")
        server.request("PUT", "/bob/work/e1.ics", EVENT % ("e1", "One"), user="bob")
        to = {"destination": "http://x:80/alice/work/e1.ics", "host": "x:80"}
        self.assertEqual(self.costs(server, "MOVE", "/bob/work/e1.ics", user="bob", **to), (403, []))

    def test_who_may_write_and_not_read_is_announced(self):
        server = self.by_file()
        self.assertEqual(server.request("PUT", E1, EVENT % ("e1", "One"), user="carol")[0], 201)
        self.assertEqual(len(self.hook.saw("PUT", "change=")), 1)
        # An object's right is its calendar's; of the calendar itself, and of what is beside it, it says nothing.
        self.assertEqual(self.costs(server, "DELETE", "/alice/", user="carol"), (403, []))
        self.assertEqual(self.costs(server, "PUT", "/alice/new/", user="carol"), (403, []))

    def test_who_differs_only_in_case_is_nobody_elses_account(self):
        server = self.server()
        server.request("MKCALENDAR", "/Alice/work/", user="Alice", kind="")
        self.assertEqual(server.request("PUT", "/Alice/work/e1.ics", EVENT % ("e1", "Hers"), user="Alice")[0], 201)
        self.assertEqual(server.request("DELETE", "/Alice/work/e1.ics", user="Alice")[0], 200)
        self.assertEqual(server.request("GET", "/.teams/", user="Alice", kind="")[0], 404)
        self.assertEqual([request for request in self.hook.requests if request[0] != "GET"], [])
        self.assertEqual(server.mirror.spool.names(), [])
        problems = server.findings()
        (said,) = [problem for problem in problems if "`Alice`" in problem]
        self.assertIn("log in as `alice`", said)
        self.assertNotIn("GROUPS", said)

    def test_where_radicale_changes_the_case_of_names_they_fit(self):
        for name in ("lc_username", "uc_username"):
            self.hook = FakeHook()
            self.addCleanup(self.hook.close)
            try:
                server = Server(self.hook.address, options={"auth": {name: "True"}})
                self.addCleanup(server.close)
            except RuntimeError:
                self.skipTest("this version of Radicale has no `%s`" % name)
            made = "/ALICE/cal/" if name == "uc_username" else "/alice/cal/"
            server.request("MKCALENDAR", made, user="aLice", kind="")
            self.assertEqual(server.request("PUT", made + "e1.ics", EVENT % ("e1", "One"), user="aLice")[0], 201)
            self.assertEqual(len(self.hook.saw("PUT", "/accounts/alice%40example.org/")), 1, name)
            os.makedirs(os.path.join(server.folder, "store/collection-root/GROUPS"), exist_ok=True)
            problems = server.findings()
            self.assertEqual([problem for problem in problems if "not mirrored" in problem], [])

    def test_who_needs_no_login_is_mirrored_without_one(self):
        server = self.by_file()
        server.calendar("/alice/open/")
        self.assertEqual(server.request("PUT", "/alice/open/e1.ics", EVENT % ("e1", "One"), user="")[0], 201)
        self.assertEqual(len(self.hook.saw("PUT", "change=")), 1)
        self.assertEqual(server.request("DELETE", "/alice/open/", user="")[0], 200)
        self.told(server)
        self.assertEqual(len(self.hook.saw("DELETE")), 1)

    def test_a_radicale_that_asks_in_a_new_way_is_said(self):
        class Access(stored.Access):
            def __init__(self, rights, user, path, weather):
                pass

        self.addCleanup(setattr, stored, "Access", stored.Access)
        stored.Access = Access
        with self.assertRaises(settings.SettingsError) as raised:
            stored.known_rights()
        self.assertIn("this version of Radicale", str(raised.exception))


class Outages(Case):

    def test_nobody_waits_twice_for_a_hook_that_is_gone(self):
        server = self.server()
        self.hook.answer = lambda *_: None
        for number in range(3):
            self.assertEqual(server.request("PUT", "/alice/work/e%d.ics" % number, EVENT % ("e%d" % number, "x"))[0], 201)
        self.assertLessEqual(len(self.hook.saw("PUT")), 2, "once, and once more on a fresh connection")
        self.assertFalse(server.mirror.up)
        self.assertEqual(len(server.mirror.spool.names()), 3)
        self.assertEqual(server.request("DELETE", "/alice/work/e2.ics")[0], 200)
        self.hook.answer = FakeHook.as_sent
        self.told(server)
        told = {request[1].split("?")[0].rsplit("/", 1)[1] for request in self.hook.saw("PUT", "stored=true")}
        self.assertEqual(told, {"e0", "e1"})
        self.assertTrue(self.hook.saw("DELETE", "/events/e2"))

    def test_what_the_hook_cannot_take_now_is_told_later_and_the_others_at_once(self):
        server = self.server()
        self.hook.answer = lambda method, path, body: (
            (503, {"detail": "full"}) if "/events/e1" in path else FakeHook.as_sent(method, path, body))
        server.request("PUT", E1, EVENT % ("e1", "x"))
        self.assertTrue(server.mirror.up)
        server.request("PUT", "/alice/work/e2.ics", EVENT % ("e2", "x"))
        self.assertEqual(len(server.mirror.spool.names()), 1)
        self.assertTrue(self.hook.saw("POST", "/events/e2"))
        self.hook.answer = FakeHook.as_sent
        self.told(server)
        self.assertTrue(self.hook.saw("PUT", "/events/e1"))

    def test_both_beats_share_the_patience(self):
        server = self.server(more="patience = 2")
        released = threading.Event()
        self.addCleanup(released.set)

        def slow(method, path, body):
            if "/events/" in path and "stored=true" not in path:
                released.wait(1.4 if method == "PUT" else 20)
            return FakeHook.as_sent(method, path, body)

        self.hook.answer = slow
        begun = time.monotonic()
        self.assertEqual(server.request("PUT", E1, EVENT % ("e1", "x"))[0], 201)
        self.assertLess(time.monotonic() - begun, 4, "with a time of its own the report would take 5 seconds more")
        released.set()
        self.told(server)

    def test_saving_one_object_again_and_again_leaves_one_note(self):
        server = self.server()
        self.hook.answer = lambda *_: None
        server.request("PUT", E1, EVENT % ("e1", "First"))
        self.assertFalse(server.mirror.up)
        for number in range(35):
            self.assertIn(server.request("PUT", E1, EVENT % ("e1", "Save %d" % number))[0], (201, 204))
        self.assertLessEqual(len(server.mirror.spool.names()), 2, "the announced one, and one for all that followed")
        self.hook.answer = FakeHook.as_sent
        self.told(server)
        self.assertIn(b"SUMMARY:Save 34", self.hook.saw("PUT", "stored=true")[-1][3])

    def test_who_saves_very_much_leaves_room_for_the_others(self):
        server = self.server(more="spool_limit = 8")
        server.request("MKCALENDAR", "/bob/work/", user="bob", kind="")
        self.hook.answer = lambda *_: None
        for number in range(20):
            self.assertEqual(server.request("PUT", "/alice/work/n%d.ics" % number, EVENT % ("n%d" % number, "x"))[0], 201)
        server.mirror.spool.count()
        self.assertEqual(server.request("PUT", "/bob/work/e1.ics", EVENT % ("e1", "x"), user="bob")[0], 201)
        self.hook.answer = FakeHook.as_sent
        self.told(server)
        self.assertEqual(len(self.hook.saw("PUT", "/accounts/bob%40example.org/events/e1?")), 1)

    def test_without_a_place_for_notes_saves_go_on(self):
        server = self.server(more="spool_limit = 1")
        blocker = server.mirror.spool.note([])
        server.mirror.spool.count()
        self.assertEqual(server.request("PUT", E1, EVENT % ("e1", "x"))[0], 201)
        self.assertEqual(len(self.hook.saw("POST")), 1, "and both beats are told")
        blocker.done()


class Waiting(Case):

    def test_half_of_the_connections_may_wait(self):
        server = self.server()
        base = server.application.configuration
        for options, expected in [({}, 4), ({"_internal_server": "True"}, 4),
                                  ({"_internal_server": "True", "max_connections": "20"}, 10),
                                  ({"_internal_server": "True", "max_connections": "1"}, 0),
                                  ({"_internal_server": "True", "max_connections": "0"}, 32)]:
            configuration = base.copy()
            configuration.update({"server": options}, "test", privileged=True)
            self.assertEqual(waiting(server.mirror.settings, configuration), expected, options)

    def test_whoever_comes_then_does_not_wait(self):
        server = self.server(more="max_waiting = 2")
        gate = threading.Event()

        def slow(method, path, body):
            if method == "PUT" and "/events/" in path:
                waits.append(self.hook.requests[-1][2]["Prefer"])
                if waits[-1].startswith("wait="):
                    gate.wait(10)
            return FakeHook.as_sent(method, path, body)

        waits = []
        self.hook.answer = slow
        threads = [threading.Thread(target=server.request, args=(
            "PUT", "/alice/work/w%d.ics" % number, EVENT % ("w%d" % number, "x"))) for number in range(2)]
        for number, thread in enumerate(threads):
            thread.start()
            self.assertTrue(eventually(lambda number=number: len(waits) > number))
        self.assertEqual(server.request("PUT", E1, EVENT % ("e1", "x"))[0], 201)
        self.assertEqual(server.request("PROPFIND", "/alice/", kind="")[0], 207, "no lock is held meanwhile")
        gate.set()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(waits), ["respond-async", "wait=4", "wait=4"])
        server.request("PUT", "/alice/work/e9.ics", EVENT % ("e9", "x"))
        self.assertEqual(waits[-1], "wait=4")


class WriteBack(Case):

    def offering(self, make):
        """A hook that offers the stored texts of e1, changed, until they are told."""
        offered = []

        def answer(method, path, body):
            if "/v1/changes" in path and offered:
                return 200, {"cursor": "1.%d" % len(offered), "changes": [offered.pop()]}
            status, value = FakeHook.as_sent(method, path, body)
            if "stored=true" in path:
                value["icalendar"] = make(value["icalendar"])
            return status, value

        return offered, answer

    def change(self, **named):
        return {"account": "alice@example.org", "uid": "e1", "objects": [E1], "replaces_sha256": "0", **named}

    def test_a_late_link_is_written_over_what_is_stored(self):
        offered, answer = self.offering(lambda text: text.replace("SUMMARY:One", "SUMMARY:Linked"))
        server = self.server(answer)
        server.request("PUT", E1, EVENT % ("e1", "One"))
        before = server.stored(E1).etag
        offered.append(self.change())
        self.assertTrue(eventually(lambda: "SUMMARY:Linked" in server.stored(E1).text))
        self.assertNotEqual(server.stored(E1).etag, before)

    def test_it_is_written_nowhere_but_where_it_belongs(self):
        offered, answer = self.offering(lambda text: text.replace("SUMMARY:One", "SUMMARY:Linked"))
        server = self.server(answer)
        server.calendar("/alice/home/")
        for path, uid in [(E1, "e1"), ("/alice/home/e2.ics", "e2")]:
            server.request("PUT", path, EVENT % (uid, "One"))
        server.request("MKCALENDAR", "/bob/work/", user="bob", kind="")
        server.request("PUT", "/bob/work/e1.ics", EVENT % ("e1", "One"), user="bob")
        offered.append(self.change(objects=[
            "/bob/work/e1.ics", "/alice/home/e2.ics", "/alice/work/none.ics", "/../etc/passwd", "", "/alice/work/", E1]))
        self.assertTrue(eventually(lambda: "SUMMARY:Linked" in server.stored(E1).text))
        for path in ("/bob/work/e1.ics", "/alice/home/e2.ics"):
            self.assertIn("SUMMARY:One", server.stored(path).text)

    def test_a_save_in_between_is_not_overwritten(self):
        server = None

        def make(text):
            if "SUMMARY:One" in text:
                server.request("PUT", E1, EVENT % ("e1", "Two"))
            return text.replace("SUMMARY:One", "SUMMARY:Linked")

        offered, answer = self.offering(make)
        server = self.server(answer)
        server.request("PUT", E1, EVENT % ("e1", "One"))
        offered.append(self.change())
        self.assertTrue(eventually(lambda: not offered and "SUMMARY:Two" in server.stored(E1).text))
        self.assertTrue(eventually(lambda: len(self.hook.saw("PUT", "stored=true")) >= 1))
        self.assertIn("SUMMARY:Two", server.stored(E1).text)


class Paths(unittest.TestCase):

    def test_destinations_are_found_however_a_version_decodes_them(self):
        self.assertEqual(_destinations("http://x/alice/home/a%20b.ics", "")[0], "/alice/home/a b.ics")
        self.assertEqual(_destinations("/dav/alice/home/e1.ics", "/dav"), ["/alice/home/e1.ics"])
        self.assertEqual(_destinations("/elsewhere/e1.ics", "/dav"), [])
        self.assertIn("/alice/%2541.ics".replace("%25", "%"), _destinations("/alice/%2541.ics", ""))
        self.assertEqual(_destinations("", ""), ["/"])


class Pages(Case):

    def test_one_is_led_to_ones_own_settings(self):
        server = self.server()
        self.hook.answer = lambda method, path, body: (
            (200, {"url": "https://teams.example/x"}) if "settings-link" in path else FakeHook.as_sent(method, path, body))
        status, headers, _ = server.request("GET", "/.teams/", user="bob", kind="")
        self.assertEqual((status, headers["Location"]), (303, "https://teams.example/x"))
        self.assertTrue(any("/accounts/bob%40example.org/settings-link" in request[1] for request in self.hook.requests))
        self.assertEqual(server.request("HEAD", "/.teams/", kind="")[0], 200)
        self.assertEqual(server.request("GET", "/.teams/", user="", kind="")[0], 403)
        self.assertEqual(server.request("GET", "/.teams/", user="a@b", kind="")[0], 404)

    def test_a_refusal_is_shown_and_not_believed_to_be_html(self):
        server = self.server()
        self.hook.answer = lambda *_: (409, {"detail": "<b>not</b> allowed"})
        status, _, text = server.request("GET", "/.teams/", kind="")
        self.assertEqual(status, 409)
        self.assertIn("&lt;b&gt;not", text)

    def test_where_everybody_may_be_anybody_it_is_closed(self):
        server = self.server(auth="none")
        status, _, _ = server.request("GET", "/.teams/", kind="", authorization="Basic YWxpY2U6eA==")
        self.assertEqual(status, 403)
        self.assertFalse(any("settings-link" in request[1] for request in self.hook.requests))

    def test_it_can_be_elsewhere_or_nowhere(self):
        closed = self.server(more="settings_path =")
        self.assertIn(closed.request("GET", "/.teams/", kind="")[0], (403, 404), "Radicale's own answer")
        self.assertFalse(any("settings-link" in request[1] for request in self.hook.requests))
        server = self.server(more="settings_path = /.meetings/")
        self.hook.answer = lambda *_: (200, {"url": "https://teams.example/x"})
        self.assertEqual(server.request("GET", "/.meetings", kind="")[0], 303)


if __name__ == "__main__":
    unittest.main()
