//! iCalendar texts, as clients write them.

/// A one-off event in Vienna's time, far enough in the future, with the lines given between SUMMARY and END.
pub fn meeting(uid: &str, subject: &str, lines: &[&str]) -> String {
    at(uid, subject, "20300114T100000", "20300114T110000", lines)
}

/// The same at other times (local, `YYYYMMDDTHHMMSS`).
pub fn at(uid: &str, subject: &str, start: &str, end: &str, lines: &[&str]) -> String {
    let mut text = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example Corp.//A calendar client//EN\r\n{ZONE}BEGIN:VEVENT\r\nUID:{uid}\r\n\
         DTSTAMP:20291201T080000Z\r\nSEQUENCE:0\r\nDTSTART;TZID=Europe/Vienna:{start}\r\n\
         DTEND;TZID=Europe/Vienna:{end}\r\nSUMMARY:{subject}\r\n"
    );
    for line in lines {
        text.push_str(line);
        text.push_str("\r\n");
    }
    text.push_str("END:VEVENT\r\nEND:VCALENDAR\r\n");
    text
}

/// Replaces one line of the event, by its beginning; adds it before END where there is none.
pub fn with_line(text: &str, name: &str, line: &str) -> String {
    let (mut found, mut inside) = (false, false);
    let mut out = String::new();
    for old in text.split_inclusive("\r\n") {
        inside |= old.starts_with("BEGIN:VEVENT");
        if inside && old.starts_with(name) && !found {
            found = true;
            out.push_str(line);
            out.push_str("\r\n");
        } else if old.starts_with("END:VEVENT") && !found {
            found = true;
            out.push_str(line);
            out.push_str("\r\n");
            out.push_str(old);
        } else {
            out.push_str(old);
        }
    }
    out
}

/// Joins folded lines (RFC 5545 §3.1) and undoes the escaping of texts, to search in.
pub fn unfolded(text: &str) -> String {
    text.replace("\r\n ", "").replace("\n ", "").replace("\\n", "\n").replace("\\,", ",").replace("\\;", ";")
}

/// Joins folded lines, and nothing else.
pub fn unfolded_only(text: &str) -> String {
    text.replace("\r\n ", "")
}

const ZONE: &str = "BEGIN:VTIMEZONE\r\nTZID:Europe/Vienna\r\nBEGIN:DAYLIGHT\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n\
TZNAME:CEST\r\nDTSTART:19700329T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT\r\nBEGIN:STANDARD\r\n\
TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nTZNAME:CET\r\nDTSTART:19701025T030000\r\n\
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";
