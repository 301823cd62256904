"""Reads calendar files with icalendar and recurring-ical-events: a question a line, an answer a line, in JSON."""

import json
import re
import signal
import sys
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events
from dateutil.rrule import rrulestr

DAY = timedelta(days=1)


class TooLong(Exception):
    pass


def stop(*_):
    raise TooLong("took too long")


def many(value):
    return [] if value is None else value if isinstance(value, list) else [value]


def is_date(value):
    return isinstance(value, date) and not isinstance(value, datetime)


def local(value, zone):
    """A value by the clock of the event's start."""
    if is_date(value):
        return datetime.combine(value, time())
    if value.tzinfo is not None and zone is not None:
        value = value.astimezone(zone)
    return value.replace(tzinfo=None)


def instant(value, floating):
    if is_date(value):
        value = datetime.combine(value, time(), timezone.utc)
    elif value.tzinfo is None:
        value = value.replace(tzinfo=floating)
    return value.astimezone(timezone.utc).isoformat()


def instants(value, floating):
    """Two for a time that comes twice when clocks are put back: the text means the first, Microsoft's clock may mean the other."""
    if is_date(value):
        return [instant(value, floating)]
    return sorted({instant(value.replace(fold=fold), floating) for fold in (0, 1)})


def start_counts(master, start, zone):
    """DTSTART is the first occurrence, and the first that COUNT counts, whether the rule has it or not (RFC 5545 3.3.10); the
    library counts on from the first that the rule has."""
    for rule in many(master.get("RRULE")):
        text = ";".join(p for p in rule.to_ical().decode().split(";") if not p.startswith(("COUNT=", "UNTIL=")))
        until, count = rule.get("UNTIL"), rule.get("COUNT")
        if until and local(until[0], zone) < start:
            yield rule, True
        elif count and next(iter(rrulestr("RRULE:" + text, dtstart=start)), None) != start:
            rule["COUNT"] = [count[0] - 1]
            yield rule, count[0] < 2
        else:
            yield rule, False


def expanded(rule, start, zone):
    """The dates of a rule, as far as anybody looks."""
    parts = [part for part in rule.to_ical().decode().split(";") if not part.startswith("UNTIL=")]
    until = rule.get("UNTIL")
    last = local(until[0], zone) if until else start + 4 * 365 * DAY
    for at in rrulestr("RRULE:" + ";".join(parts), dtstart=start):
        if at > last:
            return
        yield at


def answer(question):
    # The library remembers the zones of earlier files; this makes it forget them.
    icalendar.use_zoneinfo()
    floating = ZoneInfo(question["floating"])
    # A date has no zone, whatever stands beside it (RFC 5545 3.2.19), and eight digits are a date.
    def dated(found):
        parameters = re.sub(r";(TZID|VALUE)=[^;:]*", "", found[2])
        return f"{found[1]}{parameters};VALUE=DATE:{found[3]}"

    names = "DTSTART|DTEND|RECURRENCE-ID|EXDATE|RDATE"
    text = re.sub(rf"(?m)^({names})((?:;[^:\r\n]*)?):(\d{{8}}(?:,\d{{8}})*)(?=\r?$)", dated, question["text"])
    calendar = icalendar.Calendar.from_ical(text)
    events = list(calendar.walk("VEVENT"))
    master = next((event for event in events if "RECURRENCE-ID" not in event), events[0])
    if "DTSTART" not in master:
        return {"nothing": "no DTSTART"}
    first = master["DTSTART"].dt
    zone = None if is_date(first) else first.tzinfo
    start = local(first, zone)

    def dates(name):
        found = []
        for one in many(master.get(name)):
            for value in one.dts:
                # A period is an event of its own length; its start is what counts here.
                found.append(local(value.dt[0] if isinstance(value.dt, tuple) else value.dt, zone).isoformat())
        return found

    rules = []
    for rule in many(master.get("RRULE")):
        until = rule.get("UNTIL")
        text = ";".join(part for part in rule.to_ical().decode().split(";") if not part.startswith(("COUNT=", "UNTIL=")))
        rules.append(
            {
                "text": text,
                "count": rule.get("COUNT", [None])[0],
                "until": local(until[0], zone).isoformat() if until else None,
            }
        )
    kept = [rule for rule, over in start_counts(master, start, zone) if not over]
    if "RRULE" in master:
        del master["RRULE"]
    for rule in kept:
        master.add("RRULE", rule)
    changes = [event for event in events if "RECURRENCE-ID" in event]
    originals = {at.isoformat() for rule in kept for at in expanded(rule, start, zone)} | {start.isoformat(), *dates("RDATE")}
    orphans = sum(1 for event in changes if local(event["RECURRENCE-ID"].dt, zone).isoformat() not in originals)
    moved = sum(1 for e in changes if "DTSTART" in e and local(e["DTSTART"].dt, zone) != local(e["RECURRENCE-ID"].dt, zone))
    future = sum(1 for e in changes if e["RECURRENCE-ID"].params.get("RANGE") == "THISANDFUTURE")
    known = {
        "start": start.isoformat(),
        "instant": instant(first, floating),
        "all_day": is_date(first),
        "zone": str(master["DTSTART"].params.get("TZID", "")),
        "rules": rules,
        "exrules": len(many(master.get("EXRULE"))),
        "rdates": dates("RDATE"),
        "overrides": len(changes),
        "moved": moved,
        "orphans": orphans,
        "future": future,
        "backward": any(
            "DTEND" in event and "DTSTART" in event and instant(event["DTEND"].dt, floating) < instant(event["DTSTART"].dt, floating)
            for event in events
        ),
    }
    begin = min([start] + [local(event["DTSTART"].dt, zone) for event in changes if "DTSTART" in event]) - 3 * DAY
    # Occurrences are given up to a day longer, so that it does not matter in which zone that is.
    until = start + 3 * 365 * DAY
    end = until + DAY
    occurrences, starts = [], []
    for event in recurring_ical_events.of(calendar, keep_recurrence_attributes=False).after(begin):
        at = local(event.start, zone)
        if at >= end + 2 * DAY:
            break
        if str(event.get("STATUS", "")).upper() == "CANCELLED" or not begin <= at < end:
            continue
        end_of = event.end
        if is_date(event.start) and is_date(end_of) and end_of <= event.start:
            # A day that ends with itself is that day.
            end_of = event.start + DAY
        occurrences.append(
            [instants(event.start, floating), instants(end_of, floating), is_date(event.start), str(event.get("SUMMARY", ""))]
        )
        starts.append(at)
        if len(occurrences) > question["most"]:
            # Fewer days are looked at.
            end = datetime.combine(at.date(), time())
            until = end - DAY
            occurrences = [one for one, begun in zip(occurrences, starts) if begun < end]
            break
    return {**known, "begin": begin.isoformat(), "until": until.isoformat(), "occurrences": occurrences}


# Seconds of the processor, so that a busy machine judges no other way.
signal.signal(signal.SIGVTALRM, stop)
for line in sys.stdin:
    signal.setitimer(signal.ITIMER_VIRTUAL, 10)
    try:
        result = answer(json.loads(line))
    except Exception as error:  # whatever it is, the file is listed with it
        result = {"error": re.sub(r"\s+", " ", f"{type(error).__name__}: {error}")[:300]}
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    print(json.dumps(result), flush=True)
