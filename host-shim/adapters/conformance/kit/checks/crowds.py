"""Several at the same time."""

from __future__ import annotations

import threading
import time
from typing import List, Optional, Set, Tuple

from kit import standin, texts
from kit.bench import Bench, in_thread
from kit.caldav import Unreachable
from kit.checks import about
from kit.routes import Call

_CROWD = 12
#: A machine that is busy otherwise answers late, too, but not each time.
_ROUNDS = 3


@about("LOCK-1", "LOCK-2")
def locks(bench: Bench) -> None:
    """Saves wait for the hook; meanwhile others read and write."""
    if bench.options.one_beat:
        bench.apart("LOCK-1", "no save waits (--one-beat)")
        bench.apart("LOCK-2", "no save waits (--one-beat)")
        return
    for id_, count in (("LOCK-1", 1), ("LOCK-2", _CROWD)):
        rounds: List[_Round] = []
        while len(rounds) < _ROUNDS and not any(one.waited and one.problem is None for one in rounds):
            bench.again()
            rounds.append(_Round(bench, count, len(rounds)))
        seen = [one for one in rounds if one.waited]
        if not seen:
            bench.unseen(id_, "no save waited for the hook")
            continue
        expected = "an answer to others within %.1f s while %d wait for the hook, in one of %d rounds" % (
            seen[-1].allowed,
            count,
            _ROUNDS,
        )
        happened = "; ".join(one.problem for one in seen if one.problem)
        bench.expect(id_, seen[-1].problem is None, expected, happened or "they were answered", seen[-1].calls)


class _Round:
    """Some wait, and others ask for something meanwhile."""

    def __init__(self, bench: Bench, count: int, number: int) -> None:
        self._bench = bench
        # What nobody notices; where the server is slow by itself, what is far less than whoever waits for the save would take.
        alone, _ = self._others(count, "before-%d" % number)
        self.allowed = min(max(bench.options.patience * 0.3, alone * 3), bench.options.patience * 0.55)
        subjects = [bench.fresh("lock%d-%d-%d" % (count, number, one)) for one in range(count)]
        uids = {subject.uid for subject in subjects}
        go = threading.Event()

        def waits(call: Call) -> bool:
            # One is held whatever it prefers. Of a crowd those are that want to wait, as by the real API.
            asks = count == 1 or "respond-async" not in (call.header("prefer") or "")
            return call.kind == "announce" and call.uid in uids and asks

        with bench.spoiled(waits, standin.held(go), taken=True):
            work = [in_thread(lambda subject=subject: subject.put(subject.text("Waits"))) for subject in subjects]
            self._until_all_are_there(uids)
            self.waited = bool([call for call in bench.standin.seen("announce") if call.uid in uids and call.spoiled])
            slowest, problem = self._others(count, "meanwhile-%d" % number)
            go.set()
            for thread, _ in work:
                thread.join(60)
        failed = [str(results[0]) for _, results in work if results and isinstance(results[0], Exception)]
        if problem is None and slowest > self.allowed:
            problem = "the slowest took %.2f s" % slowest
        self.problem: Optional[str] = problem or (failed[0] if failed else None)
        for subject in subjects:
            subject.settled()
        self.calls = [call for subject in subjects for call in subject.calls()]

    def _until_all_are_there(self, uids: Set[str]) -> None:
        """Until no more saves arrive at the hook."""
        ends = time.monotonic() + self._bench.options.patience * 0.4
        before = -1
        while time.monotonic() < ends:
            count = len([call for call in self._bench.standin.seen("announce") if call.uid in uids])
            if count == len(uids) or (count and count == before):
                return
            before = count
            time.sleep(0.15)

    def _others(self, count: int, name: str) -> Tuple[float, Optional[str]]:
        """The slowest of somebody's requests, and what was not answered."""
        bench = self._bench
        slowest, longest = 0.0, bench.options.patience * 0.6
        asked = [(client, method) for client in filter(None, (bench.guest, bench.dav)) for method in ("PROPFIND", "OPTIONS")]
        plain = bench.fresh("lock%d-%s" % (count, name))
        for client, method in asked + ([(bench.dav, "PUT")] if count == 1 else []):
            path = plain.path if method == "PUT" else bench.options.calendar if client is bench.dav else "/"
            body = plain.text("Meanwhile", ()).encode("utf-8") if method == "PUT" else b""
            headers = {"Content-Type": "text/calendar"} if method == "PUT" else {"Depth": "0"}
            begun = time.monotonic()
            try:
                client.request(method, path, body, headers, longest)
            except Unreachable as error:
                return longest, "not answered within %.1f s: %s" % (longest, error)
            slowest = max(slowest, time.monotonic() - begun)
        return slowest, None


@about("CONC-1", "CONC-2")
def concurrent(bench: Bench) -> None:
    """One event saved by several at once, and several events."""
    subject = bench.fresh("contended")
    subject.put(subject.text("Contended"))
    subject.settled()
    left = None
    for round_ in range(3):
        work = [
            in_thread(lambda number=number: subject.client.put(subject.path, subject.text("Round %d, by %d" % (round_, number))))
            for number in range(4)
        ]
        for thread, _ in work:
            thread.join(60)
        left = subject.settled()
        if left:
            break
    bench.expect("CONC-1", left is None, "what was told last is what is stored", left or "it is", subject.calls()[-24:])
    many = [bench.fresh("many%d" % number) for number in range(8)]
    work = [in_thread(lambda one=one: one.put(one.text(one.uid))) for one in many]
    for thread, _ in work:
        thread.join(60)
    wrong = []
    for one in many:
        left = one.settled()
        told = {texts.value(call.text, "SUMMARY") for call in one.calls("announce stored")}
        changes = {call.change for call in one.calls("report")} - {call.change for call in one.calls("announce")}
        linked = bench.until(one.linked)
        if left or told != {texts.escaped(one.uid)} or changes or not linked:
            wrong.append("%s (%s)" % (one.uid, left or ("the link is another's" if not linked else "mixed up with another")))
            if len(wrong) > 1:
                break
    bench.expect(
        "CONC-2",
        not wrong,
        "each of 8 events told and reported as itself, with its own link",
        "wrong: %s" % "; ".join(wrong) if wrong else "they were",
    )
