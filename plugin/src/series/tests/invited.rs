//! Copies of series that somebody else organises.

use super::*;

/// A copy of somebody else's series: the answer of each component, by its RECURRENCE-ID.
fn invitation(components: &[(&str, &str)]) -> calendar::Reading {
    let components: String = components
        .iter()
        .map(|(line, answer)| {
            format!(
                "BEGIN:VEVENT\r\nUID:1\r\n{line}\r\nDTSTART:20261201T100000Z\r\nDURATION:PT1H\r\n\
                 ORGANIZER:mailto:boss@example.org\r\n{answer}\r\nEND:VEVENT\r\n"
            )
        })
        .collect();
    let text = format!("BEGIN:VCALENDAR\r\n{components}END:VCALENDAR\r\n");
    read(&text, &Account { address: "alice@example.org".into(), ..Account::default() }).unwrap()
}

#[test]
fn who_declines_one_occurrence_or_the_series_comes_to_the_others() {
    const DECLINED: &str = "ATTENDEE;PARTSTAT=DECLINED:mailto:alice@example.org";
    const ACCEPTED: &str = "ATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.org";
    let (series, first, second) =
        ("RRULE:FREQ=DAILY", "RECURRENCE-ID:20261201T100000Z", "RECURRENCE-ID:20261202T100000Z");
    let came_to = |components: &[(&str, &str)]| {
        let reading = invitation(components);
        let pieces = plan(&reading.series.unwrap().unwrap(), CLAMP).map(|pieces| pieces.len());
        (reading.cancelled, reading.attendance == calendar::Attendance::Declined, pieces)
    };
    for components in [
        [(first, DECLINED), (second, ACCEPTED)],
        [(first, ACCEPTED), (second, DECLINED)],
        [(first, "STATUS:CANCELLED"), (second, ACCEPTED)],
        [(series, DECLINED), (second, ACCEPTED)],
    ] {
        assert_eq!(came_to(&components), (false, false, Ok(1)), "{components:?}");
    }
    let nothing = Err(Refusal::NoOccurrences);
    assert_eq!(came_to(&[(first, DECLINED), (second, DECLINED)]), (false, true, nothing));
    assert_eq!(came_to(&[(first, "STATUS:CANCELLED"), (second, "STATUS:CANCELLED")]), (true, false, nothing));
    // What was changed for those who come is no invitation to who does not.
    assert_eq!(came_to(&[(series, DECLINED), (second, "SUMMARY:x")]), (false, true, nothing));
}
