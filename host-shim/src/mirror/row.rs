//! How a row changes. Pure: no store, no network, no clock but the one handed in.
//!
//! Invariants, in words:
//! - A remote event belongs either to what the server stored, or to one open proposal (`made_for`), never to nobody.
//! - `mirrored_generation` never exceeds `generation`, and is only raised to a generation whose text was confirmed.
//! - What the server stored is only ever replaced by what the server stored later, or by its going.

use crate::accounts::calendars;
use crate::store::{Desired, EventRow, ProposalRow};

/// What the row must keep of a save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored<'a> {
    pub(super) proposal: &'a ProposalRow,
    /// The server stored its own text and not the answered one.
    pub(super) original: bool,
    pub(super) object: Option<&'a str>,
    pub(super) unconfirmed: bool,
}

/// The server stored a proposal's text: it is what is desired now.
///
/// Gives whether anything that is mirrored may have changed.
pub(super) fn stored(row: &mut EventRow, save: &Stored<'_>, now: i64) -> bool {
    let proposal = save.proposal;
    let object = save.object.or(proposal.object.as_deref()).unwrap_or_default().to_owned();
    let left_out = proposal.reason.as_deref() == Some(calendars::REASON);
    if left_out && row.desired == Desired::Stored && row.objects.iter().any(|o| !o.is_empty() && *o != object) {
        // Another object carries the event, in a calendar that is mirrored. When that goes, too, it was a move.
        row.objects.retain(|known| *known != object);
        row.updated_at = now;
        return false;
    }
    if !row.objects.contains(&object) {
        row.objects.push(object);
    }
    row.gone_at = None;
    row.unconfirmed = save.unconfirmed;
    (row.stored_sha, row.stored_link) = if save.original {
        (Some(proposal.original_sha), proposal.original_link)
    } else {
        (Some(proposal.answered_sha), proposal.answered_link)
    };
    row.stored_from = Some(row.stored_from.map_or(proposal.created_at, |from| from.max(proposal.created_at)));
    if !left_out {
        row.history = history_after(&row.history, proposal.has_guests, proposal.import).to_owned();
    }
    if proposal.calendar.is_some() {
        row.calendar.clone_from(&proposal.calendar);
    }
    row.updated_at = now;
    if row.made_for.is_some() && (row.made_for.as_deref() == Some(&proposal.change) || proposal.meeting) {
        row.made_for = None;
    }
    if let Some(sentence) = &proposal.rejected {
        // What was mirrored before stays as it is; the text that cannot be mirrored is not what we converge to.
        row.state = "rejected".into();
        row.reason = proposal.reason.clone();
        row.message = Some(sentence.clone());
        if row.desired != Desired::Stored {
            row.desired = Desired::Stored;
            row.mirror = false;
            row.meeting = false;
            (row.first_start, row.last_end) = (proposal.first_start, proposal.last_end);
        }
        row.mirrored_generation = row.generation;
        row.due_at = None;
        row.parked = None;
        return false;
    }
    let same = row.desired == Desired::Stored
        && row.text_sha == Some(proposal.text_sha)
        && row.mirror == proposal.mirror
        && row.meeting == proposal.meeting
        && row.state != "rejected";
    row.desired = Desired::Stored;
    row.text = Some(proposal.text.clone());
    row.text_sha = Some(proposal.text_sha);
    row.mirror = proposal.mirror;
    row.meeting = proposal.meeting;
    row.first_start = proposal.first_start;
    row.last_end = proposal.last_end;
    if same {
        return false;
    }
    row.generation += 1;
    let reflected = row.record.is_some()
        && row.made_for.is_none()
        && row.state != "rejected"
        && row.record_sha == Some(proposal.text_sha)
        && row.mirror
        && row.record_asked == row.meeting;
    if reflected {
        row.mirrored_generation = row.generation;
        if row.state == "pending" {
            row.state = "mirrored".into();
            row.reason = None;
            row.message = None;
        }
        row.due_at = None;
        return false;
    }
    if !row.mirror && row.record.is_none() {
        // Nothing is there and nothing should be.
        row.mirrored_generation = row.generation;
        row.state = if row.state == "removed" { "removed".into() } else { "not-mirrored".into() };
        if row.state != "removed" {
            row.reason = proposal.reason.clone();
        }
        row.message = None;
        row.text = None;
        row.due_at = None;
        row.parked = None;
        return false;
    }
    begin(row, now);
    true
}

/// The server refused the save, or a draft was discarded or ran out. `others`: the proposals still open.
///
/// Gives whether there is something to do now.
pub(super) fn refused(row: &mut EventRow, change: &str, others: &[ProposalRow], now: i64) -> bool {
    row.updated_at = now;
    if row.desired == Desired::Gone && row.generation != row.mirrored_generation {
        // It was held for this save.
        row.due_at = Some(now);
    }
    let heir = others.iter().rev().find(|other| other.change != change && other.meeting && other.rejected.is_none());
    if row.made_for.as_deref() == Some(change) {
        row.made_for = heir.map(|heir| heir.change.clone());
        if row.made_for.is_some() {
            return false;
        }
    } else if row.made_for.is_some() || row.record.is_none() || heir.is_some() {
        return false;
    } else if row.desired == Desired::Gone && row.generation != row.mirrored_generation {
        // It is on its way out already.
        return false;
    } else if row.desired == Desired::Stored && row.mirror && row.record_sha.is_some() {
        // What is there is there for what the server stored.
        return false;
    }
    row.generation += 1;
    if row.desired == Desired::Unstored {
        row.desired = Desired::Gone;
    }
    begin(row, now);
    true
}

/// Whether the remote event belongs to what is stored or to an open save; otherwise it is on its way out, and no later save
/// may take it for a meeting that is meant to be.
pub(super) fn is_somebodys(row: &EventRow) -> bool {
    row.made_for.is_some() || row.desired == Desired::Unstored || (row.desired == Desired::Stored && row.mirror)
}

/// Whether a save that is still open may yet need what is about to be taken away.
pub(super) fn held_for(proposals: &[ProposalRow]) -> bool {
    proposals.iter().any(|proposal| proposal.mirror && proposal.rejected.is_none())
}

/// An object is gone from the server (`None`: all of them). The remote event goes after the grace time, unless an object
/// with this UID comes back.
pub(super) fn deleted(row: &mut EventRow, object: Option<&str>, grace_ms: i64, now: i64) {
    match object {
        Some(object) => row.objects.retain(|known| known != object && !known.is_empty()),
        None => row.objects.clear(),
    }
    row.updated_at = now;
    row.stored_from = Some(now);
    if row.objects.is_empty() && row.gone_at.is_none() && row.desired != Desired::Gone {
        row.gone_at = Some(now);
        let at = now.saturating_add(grace_ms);
        row.due_at = Some(row.due_at.map_or(at, |due| due.min(at)));
    }
}

/// The grace time is over.
pub(super) fn gone(row: &mut EventRow, now: i64) {
    row.gone_at = None;
    row.desired = Desired::Gone;
    row.generation += 1;
    row.text = None;
    row.text_sha = None;
    begin(row, now);
}

/// The remote event is to go although the event stays: its account is leaving.
pub(super) fn withdrawn(row: &mut EventRow, now: i64) {
    row.made_for = None;
    if row.desired == Desired::Unstored {
        row.desired = Desired::Gone;
    }
    (row.mirror, row.meeting) = (false, false);
    row.generation += 1;
    begin(row, now);
}

/// The remote event was to go with its account's connection and is still there: it stays, and so is what is desired again.
pub(super) fn left(row: &mut EventRow, now: i64) {
    row.mirror = true;
    row.meeting = row.record_asked || row.record_meeting;
    begin(row, now);
    if row.text.is_none() || row.record_sha == row.text_sha {
        row.mirrored_generation = row.generation;
    } else if row.record_sha.is_some() {
        // What was stored meanwhile waits for a connection, as every later change does.
        return;
    } else {
        // Its removal was begun: whether it is still there is seen over the next connection.
        row.parked = Some("connection".into());
    }
    row.state = "mirrored".into();
    row.due_at = None;
}

/// Nothing is there and nothing should be: that is brought about, and needs no connection. Gives whether it is so.
pub(super) fn nothing_left(row: &mut EventRow) -> bool {
    let wanted = row.desired == Desired::Unstored || (row.desired == Desired::Stored && row.mirror);
    if wanted || row.record.is_some() {
        return false;
    }
    if row.generation == row.mirrored_generation {
        return true;
    }
    row.mirrored_generation = row.generation;
    row.parked = None;
    if row.desired == Desired::Stored {
        row.text = None;
        row.made_for = None;
        if !matches!(row.state.as_str(), "removed" | "not-mirrored") {
            row.state = "not-mirrored".into();
            row.reason = None;
            row.message = None;
        }
    }
    true
}

/// There is new work: it starts with a clean slate.
pub(super) fn begin(row: &mut EventRow, now: i64) {
    row.state = "pending".into();
    row.reason = None;
    row.message = None;
    row.attempts = 0;
    row.parked = None;
    row.due_at = Some(now);
}

/// Seconds until the n-th next try of an event's own failures: 72 hours in all, then it is given up.
const BACK_OFF_SECONDS: [i64; 12] = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 68_400, 68_400, 68_400];

/// How long to wait after `attempts` failures, jittered by ±20 % with `random` in 0..=1000; `None`: give up.
pub(super) fn back_off_ms(attempts: u32, random: u16) -> Option<i64> {
    let index = usize::try_from(attempts.saturating_sub(1)).ok()?;
    let seconds = BACK_OFF_SECONDS.get(index)?;
    Some(seconds * (800 + i64::from(random.min(1000)) * 400 / 1000))
}

fn history_after(before: &str, has_guests: bool, import: bool) -> &'static str {
    match (before, has_guests) {
        ("imported", _) => "imported",
        ("unseen", _) if import => "imported",
        (_, true) | ("seen-with-guests", _) => "seen-with-guests",
        _ => "seen-alone",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proposal(change: &str, sha: u8) -> ProposalRow {
        ProposalRow {
            change: change.into(),
            account: "a@x.example".into(),
            uid: "u".into(),
            object: Some("/c/u.ics".into()),
            calendar: Some("/c".into()),
            text: vec![sha],
            text_sha: [sha; 32],
            original_sha: [sha; 32],
            answered_sha: [sha; 32],
            answered_link: None,
            original_link: None,
            mirror: true,
            meeting: true,
            link_needed: true,
            has_guests: false,
            import: false,
            draft: false,
            draft_of: None,
            reason: None,
            rejected: None,
            first_start: None,
            last_end: None,
            created_at: 0,
        }
    }

    fn save(proposal: &ProposalRow) -> Stored<'_> {
        Stored { proposal, original: false, object: None, unconfirmed: false }
    }

    /// A row whose remote event was made for `change` with text `sha`.
    fn made(change: &str, sha: u8) -> EventRow {
        let mut row = EventRow::new("a@x.example", "u", 0);
        row.record = Some(vec![1]);
        row.record_sha = Some([sha; 32]);
        (row.record_meeting, row.record_asked) = (true, true);
        row.made_for = Some(change.into());
        row.state = "mirrored".into();
        row
    }

    #[test]
    fn storing_what_the_meeting_was_made_for_leaves_nothing_to_do() {
        let mut row = made("c1", 1);
        assert!(!stored(&mut row, &save(&proposal("c1", 1)), 5));
        assert_eq!(row.generation, row.mirrored_generation);
        assert_eq!(row.state, "mirrored");
        assert_eq!(row.made_for, None);
    }

    #[test]
    fn storing_another_text_than_the_meeting_was_made_for_is_work() {
        let mut row = made("c1", 1);
        assert!(stored(&mut row, &save(&proposal("c2", 2)), 5));
        assert_ne!(row.generation, row.mirrored_generation);
        assert_eq!(row.due_at, Some(5));
        assert_eq!(row.made_for, None, "the meeting belongs to what was stored");
    }

    #[test]
    fn the_same_text_again_is_no_work() {
        let mut row = made("c1", 1);
        stored(&mut row, &save(&proposal("c1", 1)), 5);
        let generation = row.generation;
        assert!(!stored(&mut row, &save(&proposal("c2", 1)), 6));
        assert_eq!(row.generation, generation);
    }

    #[test]
    fn refusing_a_new_event_takes_its_meeting_away() {
        let mut row = made("c1", 1);
        assert!(refused(&mut row, "c1", &[], 5));
        assert_eq!(row.desired, Desired::Gone);
    }

    #[test]
    fn refusing_a_change_of_a_stored_event_destroys_nothing() {
        let mut row = made("c1", 1);
        stored(&mut row, &save(&proposal("c1", 1)), 5);
        let before = row.clone();
        assert!(!refused(&mut row, "c2", &[], 6));
        assert_eq!(EventRow { updated_at: before.updated_at, ..row }, before);
    }

    #[test]
    fn refusing_teams_added_later_goes_back_to_what_was_stored() {
        let mut row = made("c2", 2);
        row.desired = Desired::Stored;
        row.text_sha = Some([1; 32]);
        row.generation = 1;
        row.mirrored_generation = 1;
        assert!(refused(&mut row, "c2", &[], 6));
        assert_eq!(row.desired, Desired::Stored);
        assert_eq!(row.text_sha, Some([1; 32]));
        assert_ne!(row.generation, row.mirrored_generation);
    }

    #[test]
    fn a_create_of_unknown_fate_is_looked_after_when_its_save_is_refused() {
        let mut row = made("c2", 2);
        (row.made_for, row.record_sha, row.record_meeting) = (None, None, false);
        row.desired = Desired::Stored;
        (row.generation, row.mirrored_generation) = (1, 1);
        assert!(refused(&mut row, "c2", &[], 6));
        assert_eq!(row.desired, Desired::Stored);
        assert_ne!(row.generation, row.mirrored_generation);
        assert!(!is_somebodys(&row));
    }

    #[test]
    fn a_meeting_goes_to_the_next_open_save_that_wants_it() {
        let mut row = made("c1", 1);
        assert!(!refused(&mut row, "c1", &[proposal("c2", 2)], 5));
        assert_eq!(row.made_for.as_deref(), Some("c2"));
    }

    #[test]
    fn a_rejected_text_keeps_what_was_mirrored() {
        let mut row = made("c1", 1);
        stored(&mut row, &save(&proposal("c1", 1)), 5);
        let mut series = proposal("c2", 2);
        series.rejected = Some("cannot".into());
        series.reason = Some("too-many-pieces".into());
        assert!(!stored(&mut row, &save(&series), 6));
        assert_eq!(row.text_sha, Some([1; 32]));
        assert_eq!(row.state, "rejected");
        assert!(stored(&mut row, &save(&proposal("c3", 1)), 7), "leaving the rejection is looked at again");
    }

    #[test]
    fn a_move_does_not_delete() {
        let mut row = made("c1", 1);
        stored(&mut row, &save(&proposal("c1", 1)), 5);
        let mut second = proposal("c2", 1);
        second.object = Some("/d/u.ics".into());
        stored(&mut row, &save(&second), 6);
        deleted(&mut row, Some("/c/u.ics"), 30_000, 7);
        assert_eq!(row.gone_at, None);
        deleted(&mut row, Some("/d/u.ics"), 30_000, 8);
        assert_eq!((row.gone_at, row.due_at), (Some(8), Some(30_008)));
        stored(&mut row, &save(&second), 9);
        assert_eq!(row.gone_at, None, "undo within the grace time");
    }

    #[test]
    fn a_move_to_a_calendar_that_is_left_out_is_a_delete() {
        let mut row = made("c1", 1);
        stored(&mut row, &save(&proposal("c1", 1)), 5);
        let mut out = proposal("c2", 1);
        (out.mirror, out.meeting, out.reason) = (false, false, Some(calendars::REASON.into()));
        out.object = Some("/private/u.ics".into());
        assert!(!stored(&mut row, &save(&out), 6), "the other object carries it still");
        assert_eq!((row.objects.as_slice(), row.mirror), (["/c/u.ics".to_owned()].as_slice(), true));
        deleted(&mut row, Some("/c/u.ics"), 30_000, 7);
        assert_eq!(row.gone_at, Some(7));
    }

    #[test]
    fn an_event_whose_calendar_is_left_out_from_now_on_goes_at_its_next_save() {
        let mut row = made("c1", 1);
        stored(&mut row, &save(&proposal("c1", 1)), 5);
        let history = row.history.clone();
        let mut out = proposal("c2", 1);
        (out.mirror, out.meeting, out.reason) = (false, false, Some(calendars::REASON.into()));
        out.has_guests = true;
        assert!(stored(&mut row, &save(&out), 6));
        assert_eq!((row.mirror, row.desired, row.calendar.as_deref()), (false, Desired::Stored, Some("/c")));
        assert_eq!(row.history, history, "it was not seen");
    }

    #[test]
    fn what_is_there_already_is_not_pending() {
        let mut row = made("c1", 1);
        row.state = "pending".into();
        stored(&mut row, &save(&proposal("c1", 1)), 5);
        assert_eq!(row.state, "mirrored");
    }

    #[test]
    fn what_was_begun_for_a_refused_save_of_a_deleted_event_goes_again() {
        // The delete was done when the save was announced; its create left a record whose fate is unknown, and no more.
        let mut row = made("c1", 1);
        (row.desired, row.made_for, row.record_sha) = (Desired::Gone, None, None);
        row.mirrored_generation = row.generation;
        assert!(refused(&mut row, "c2", &[], 5));
        assert_ne!(row.generation, row.mirrored_generation);
        assert_eq!(row.due_at, Some(5));
        assert!(!refused(&mut row, "c3", &[], 6), "it is on its way out already");
    }

    #[test]
    fn what_was_to_go_and_is_left_is_as_it_was() {
        let mut row = made("c1", 1);
        stored(&mut row, &save(&proposal("c1", 1)), 5);
        withdrawn(&mut row, 6);
        left(&mut row, 7);
        assert_eq!((row.mirror, row.meeting, row.due_at), (true, true, None));
        assert_eq!((row.generation, row.state.as_str()), (row.mirrored_generation, "mirrored"));
        assert!(!stored(&mut row, &save(&proposal("c2", 1)), 8), "the same text again is no work");

        withdrawn(&mut row, 9);
        let mut unwanted = proposal("c3", 3);
        (unwanted.mirror, unwanted.meeting) = (false, false);
        stored(&mut row, &save(&unwanted), 10);
        left(&mut row, 11);
        assert_ne!(row.generation, row.mirrored_generation, "what was stored meanwhile is still to be told");
        assert_eq!((row.mirror, row.meeting, row.due_at), (true, true, Some(11)));

        withdrawn(&mut row, 12);
        row.record_sha = None;
        left(&mut row, 13);
        assert_ne!(row.generation, row.mirrored_generation, "its removal was begun");
        assert_eq!((row.state.as_str(), row.parked.as_deref(), row.due_at), ("mirrored", Some("connection"), None));
    }

    #[test]
    fn where_nothing_is_and_nothing_should_be_there_is_no_work() {
        let mut row = made("c1", 1);
        stored(&mut row, &save(&proposal("c1", 1)), 5);
        withdrawn(&mut row, 6);
        assert!(!nothing_left(&mut row), "it is still there");
        row.record = None;
        assert!(nothing_left(&mut row));
        assert_eq!((row.generation, row.state.as_str()), (row.mirrored_generation, "not-mirrored"));
        assert!(stored(&mut row, &save(&proposal("c2", 1)), 7), "a later save with a meeting is work");
        assert!(!nothing_left(&mut row), "now it should be there");
    }

    #[test]
    fn backing_off_lasts_about_three_days() {
        let total: i64 = (1..=12).filter_map(|n| back_off_ms(n, 500)).sum();
        assert!((70 * 3_600_000..76 * 3_600_000).contains(&total), "{total}");
        assert_eq!(back_off_ms(13, 500), None);
    }

    #[test]
    fn history_only_grows() {
        assert_eq!(history_after("unseen", false, false), "seen-alone");
        assert_eq!(history_after("seen-alone", true, false), "seen-with-guests");
        assert_eq!(history_after("seen-with-guests", false, false), "seen-with-guests");
        assert_eq!(history_after("unseen", true, true), "imported");
        assert_eq!(history_after("imported", true, false), "imported");
    }
}
