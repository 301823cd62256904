//! Servers that send invitations themselves, as they save: the guests get one mail, and the link is in it.

use support::event;

use crate::radicale::with_teams;
use crate::servers::{Kind, Mail, Site};
use crate::world::{SOON, World, until};

const GUEST: &str = "guest@elsewhere.example";

/// An event with a guest, that asks for a meeting.
pub fn with_guest(uid: &str, subject: &str, lines: &[&str]) -> String {
    let guests = [
        "ORGANIZER;CN=Alice:mailto:alice@test.tld",
        "ATTENDEE;CN=Alice;PARTSTAT=ACCEPTED:mailto:alice@test.tld",
        "ATTENDEE;CN=Guest;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:guest@elsewhere.example",
    ];
    with_teams(uid, subject, &[&guests, lines].concat())
}

/// What the guests were sent, once nothing is on its way any more.
fn sent(site: &Site, uid: &str) -> Vec<Mail> {
    site.settled(uid);
    site.mails.about(uid)
}

fn methods(mails: &[Mail]) -> Vec<&str> {
    mails.iter().map(Mail::method).collect()
}

fn one_request_with_the_link_and_one_cancel(kind: Kind) {
    let Some(site) = Site::start(kind) else { return };
    let calendar = site.calendar("work");
    let path = format!("{calendar}i1.ics");
    assert_eq!(site.put(&path, &with_guest("i1", "Planning", &["DESCRIPTION:Agenda"])).status, 201);
    let link = site.link(&path, "i1");
    let mails = sent(&site, "i1");
    assert_eq!(methods(&mails), ["REQUEST"], "{mails:#?}");
    assert_eq!(mails[0].to, [GUEST]);
    assert!(mails[0].calendar.contains(&link) && mails[0].calendar.contains("Agenda"), "{}", mails[0].calendar);
    assert_eq!(site.world.graph_methods(), ["POST"]);
    assert!(site.world.sim.mails().is_empty(), "Microsoft invites nobody");

    // Moved to another hour, the guest is told of that, and the link is still there.
    let text = site.get(&path).text;
    let later = event::with_line(&text, "DTSTART", "DTSTART;TZID=Europe/Vienna:20300114T103000");
    assert!(matches!(site.put(&path, &later).status, 201 | 204));
    let mails = sent(&site, "i1");
    assert_eq!(methods(&mails), ["REQUEST"; 2], "{mails:#?}");
    assert!(mails[1].calendar.contains(&link) && mails[1].calendar.contains("T103000"), "{}", mails[1].calendar);
    let patched = until(SOON, || site.world.graph_methods() == ["POST", "PATCH"]);
    assert!(patched, "{:?}", site.world.graph_methods());

    // Deleted, and so cancelled.
    assert_eq!(site.delete(&path).status, 204);
    assert!(until(SOON, || site.world.in_teams().is_empty()), "{}", site.log());
    let mails = sent(&site, "i1");
    assert_eq!(methods(&mails), ["REQUEST", "REQUEST", "CANCEL"], "{mails:#?}");
    assert_eq!(site.mails.count(), 3, "nothing else was sent");
    assert!(site.world.sim.mails().is_empty());
}

#[test]
fn xandikos_sends_one_request_with_the_link_and_one_cancel() {
    one_request_with_the_link_and_one_cancel(Kind::XandikosByGateway);
}

#[test]
fn cyrus_sends_one_request_with_the_link_and_one_cancel() {
    one_request_with_the_link_and_one_cancel(Kind::CyrusByGateway);
}

/// Xandikos sends a REQUEST that says so; Cyrus cancels.
#[test]
fn an_event_marked_as_cancelled_is_one_cancel() {
    let Some(site) = Site::start(Kind::CyrusByGateway) else { return };
    let calendar = site.calendar("work");
    let path = format!("{calendar}i1.ics");
    assert_eq!(site.put(&path, &with_guest("i1", "Planning", &[])).status, 201);
    site.link(&path, "i1");
    let text = site.get(&path).text;
    let cancelled = event::with_line(&text, "STATUS", "STATUS:CANCELLED");
    assert!(matches!(site.put(&path, &cancelled).status, 201 | 204));
    assert!(until(SOON, || site.world.in_teams().is_empty()), "{}", site.log());
    let mails = sent(&site, "i1");
    assert_eq!(methods(&mails), ["REQUEST", "CANCEL"], "{mails:#?}");
    assert_eq!(site.mails.count(), 2);
}

/// Microsoft is down while the event is saved, so the invitation leaves without the link.
fn a_late_link(kind: Kind, lines: &str, is_written: bool, mailed: &[&str]) {
    let Some(site) = Site::with(kind, World::signed_in(), lines) else { return };
    let path = format!("{}i1.ics", site.calendar("work"));
    site.world.sim.pause().unwrap();
    assert_eq!(site.put(&path, &with_guest("i1", "Planning", &[])).status, 201);
    site.world.sim.resume().unwrap();
    let link = site.world.reaches("i1", "mirrored").str("join_url").to_owned();
    if is_written {
        site.link(&path, "i1");
    }
    // Another event, so that nothing is still to be written of the first.
    let other = path.replace("i1", "i2");
    site.put(&other, &with_guest("i2", "Planning", &[]));
    site.link(&other, "i2");
    assert_eq!(site.stored(&path).contains(&link), is_written);
    let mails = sent(&site, "i1");
    assert_eq!(methods(&mails), mailed, "{mails:#?}");
    assert!(!mails[0].calendar.contains(&link));
    // At the latest with what the organiser changes next the guests have it.
    let again = event::with_line(&site.get(&path).text, "SUMMARY", "SUMMARY:Planning again");
    assert!(matches!(site.put(&path, &again).status, 201 | 204));
    let mails = sent(&site, "i1");
    assert_eq!(mails.len(), mailed.len() + 1, "{mails:#?}");
    assert!(mails[1..].iter().all(|mail| mail.method() == "REQUEST" && mail.calendar.contains(&link)), "{mails:#?}");
}

#[test]
fn a_link_that_comes_late_is_a_second_mail_of_xandikos() {
    a_late_link(Kind::XandikosByGateway, "", true, &["REQUEST"; 2]);
}

/// It sends nothing for what the service account writes.
#[test]
fn a_link_that_comes_late_is_mailed_by_cyrus_with_the_next_save() {
    a_late_link(Kind::CyrusByGateway, "", true, &["REQUEST"]);
}

#[test]
fn a_link_that_comes_late_mails_nobody_a_second_time_where_that_is_not_wanted() {
    a_late_link(Kind::XandikosByGateway, "write_back = 'without-guests'\n", false, &["REQUEST"]);
}
