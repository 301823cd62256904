//! Online meetings: providers, the block in the body, the join link (graph-facts A1, A2).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::{ALICE, BOB, Graph, id, join_url, start, teams};
use graph_sim::{BlobCheck, JoinUrlFormat};
use serde_json::{Value, json};

fn html(content: &str) -> Value {
    json!({"body": {"contentType": "html", "content": content}})
}

fn content(event: &Value) -> &str {
    event["body"]["content"].as_str().unwrap()
}

fn has_no_meeting(event: &Value) {
    assert_eq!(event["isOnlineMeeting"], false);
    assert_eq!(event["onlineMeetingProvider"], "unknown");
    assert_eq!(event["onlineMeeting"], Value::Null);
}

// A1: the block as Microsoft's page prints it.
#[test]
fn a_meeting_stands_in_the_body() {
    let sim = start();
    let event = Graph::of(&sim, ALICE).create(&teams());
    let link = join_url(&event);
    assert!(link.starts_with("https://teams.microsoft.com/l/meetup-join/19%3ameeting_"), "{link}");
    assert!(link.contains("%40thread.v2/0?context=%7b%22Tid%22%3a%22"), "{link}");
    let body = content(&event);
    assert!(body.starts_with("<html>"));
    assert!(body.contains("<p>Agenda</p>\r\n<div style=\"width:100%; height:20px\">"), "{body}");
    assert!(body.contains("<div class=\"me-email-text\""));
    assert!(body.contains(&format!("<a class=\"me-email-headline\" href=\"{link}\"")));
    assert_eq!(body.matches(&"_".repeat(80)).count(), 2);
    assert!(event["bodyPreview"].as_str().unwrap().contains("Join Microsoft Teams Meeting"), "{event}");
}

// Checklist 14: both forms of the link.
#[test]
fn the_newer_link_looks_different() {
    let sim = start();
    sim.switches(|s| s.join_url_format = JoinUrlFormat::Meet);
    let event = Graph::of(&sim, ALICE).create(&teams());
    assert!(join_url(&event).starts_with("https://teams.microsoft.com/meet/"));
    assert!(join_url(&event).contains("?p="));
    assert!(content(&event).contains(join_url(&event)));
    assert!(!content(&event).contains("meetup-join"));
}

// A1, checklist 1: the silent failure.
#[test]
fn a_calendar_without_teams_makes_no_meeting_and_says_nothing() {
    let sim = start();
    for (address, allowed, default) in [
        ("unlicensed@contoso.example", json!([]), "unknown"),
        ("skype@contoso.example", json!(["skypeForBusiness"]), "skypeForBusiness"),
        ("personal@outlook.example", json!(["skypeForConsumer"]), "skypeForConsumer"),
    ] {
        let graph = Graph::of(&sim, address);
        let calendar = graph
            .query("/me/calendar", &[("$select", "allowedOnlineMeetingProviders,defaultOnlineMeetingProvider")])
            .expect(200)
            .json();
        assert_eq!(calendar["allowedOnlineMeetingProviders"], allowed);
        assert_eq!(calendar["defaultOnlineMeetingProvider"], default);
        assert!(calendar.get("name").is_none());
        has_no_meeting(&graph.create(&teams()));
    }
    let calendar = Graph::of(&sim, ALICE).get("/me/calendar").expect(200).json();
    assert_eq!(calendar["allowedOnlineMeetingProviders"], json!(["teamsForBusiness"]));
}

// A1: isOnlineMeeting alone relies on the calendar's default; a consumer's creates nothing.
#[test]
fn without_a_provider_the_default_one_is_used() {
    let sim = start();
    let online = json!({"isOnlineMeeting": true});
    let event = Graph::of(&sim, ALICE).create(&online);
    assert_eq!(event["onlineMeetingProvider"], "teamsForBusiness");
    let skype = Graph::of(&sim, "skype@contoso.example").create(&online);
    assert_eq!(skype["onlineMeetingProvider"], "skypeForBusiness");
    assert!(join_url(&skype).starts_with("https://meet.lync.com/"));
    has_no_meeting(&Graph::of(&sim, "personal@outlook.example").create(&online));
}

// A2, checklist 3: the blob rule.
#[test]
fn a_body_without_the_block_takes_the_meeting_away() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let event = graph.create(&teams());
    // No trouble when the body is absent from the PATCH.
    let renamed = graph.patch(id(&event), &json!({"subject": "Other"})).expect(200).json();
    assert_eq!(join_url(&renamed), join_url(&event));
    // The block kept, the user's part changed.
    let kept = content(&event).replace("Agenda", "New agenda");
    let kept = graph.patch(id(&event), &html(&kept)).expect(200).json();
    assert_eq!(join_url(&kept), join_url(&event));
    assert!(content(&kept).contains("New agenda"));
    assert_eq!(content(&kept).matches("me-email-headline").count(), 1);
    has_no_meeting(&graph.patch(id(&event), &html("<p>Only text</p>")).expect(200).json());
    // A text body cannot carry it.
    let other = graph.create(&teams());
    let text = json!({"body": {"contentType": "text", "content": join_url(&other)}});
    has_no_meeting(&graph.patch(id(&other), &text).expect(200).json());
}

#[test]
fn how_much_of_the_block_must_stay_is_a_switch() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let survives = |check: BlobCheck, change: &dyn Fn(&str, &str) -> String| {
        sim.switches(|s| s.blob_check = check);
        let event = graph.create(&teams());
        let body = change(content(&event), join_url(&event));
        graph.patch(id(&event), &html(&body)).expect(200).json()["isOnlineMeeting"] == true
    };
    let link_only = |_: &str, link: &str| format!("<a href=\"{link}\">join</a>");
    let restyled = |body: &str, _: &str| body.replace("color:#6264a7", "color:red");
    let respaced = |body: &str, _: &str| body.replace("\r\n", "\n");
    assert!(survives(BlobCheck::JoinUrl, &link_only));
    assert!(!survives(BlobCheck::Block, &link_only));
    assert!(survives(BlobCheck::Block, &restyled));
    assert!(!survives(BlobCheck::Verbatim, &restyled));
    assert!(survives(BlobCheck::Verbatim, &respaced));
}

// A2 (mgdc#311), checklist 3 and 18: a body PATCH may mint a new link and mail everyone.
#[test]
fn a_body_patch_may_mint_a_new_link() {
    let sim = start();
    sim.switches(|s| s.body_patch_mints_new_link = true);
    let graph = Graph::of(&sim, ALICE);
    let mut wish = teams();
    wish["attendees"] = json!([{"emailAddress": {"address": BOB}}]);
    let event = graph.create(&wish);
    let mails = sim.mails().len();
    let minted = graph.patch(id(&event), &html(content(&event))).expect(200).json();
    assert_ne!(join_url(&minted), join_url(&event));
    assert!(content(&minted).contains(join_url(&minted)));
    assert!(!content(&minted).contains(join_url(&event)));
    assert_eq!(sim.mails().len(), mails + 1);
    assert_eq!(sim.mails().last().unwrap().join_url.as_deref(), Some(join_url(&minted)));
    let again = graph.patch(id(&event), &html(content(&minted))).expect(200).json();
    assert_ne!(join_url(&again), join_url(&minted));
}

// A2, checklist 4: frozen once there is a meeting.
#[test]
fn a_meeting_cannot_be_switched_off_or_changed() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let event = graph.create(&teams());
    let change = json!({"isOnlineMeeting": false, "onlineMeetingProvider": "skypeForBusiness", "onlineMeeting": null});
    let same = graph.patch(id(&event), &change).expect(200).json();
    assert_eq!(same["isOnlineMeeting"], true);
    assert_eq!(same["onlineMeetingProvider"], "teamsForBusiness");
    assert_eq!(join_url(&same), join_url(&event));
}

// A2: adding one later by PATCH is allowed.
#[test]
fn a_meeting_can_be_added_later() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let event = graph.create(&json!({}));
    has_no_meeting(&event);
    let online = graph.patch(id(&event), &teams()).expect(200).json();
    assert!(content(&online).contains(join_url(&online)));
    assert!(content(&online).contains("Agenda"));
}

// A2 (dotnet#2895): the link lost when isOnlineMeeting is sent again with start and end.
#[test]
fn sending_the_flag_again_may_lose_the_link() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let event = graph.create(&teams());
    let again = json!({"isOnlineMeeting": true, "start": event["start"], "end": event["end"]});
    assert_eq!(join_url(&graph.patch(id(&event), &again).expect(200).json()), join_url(&event));
    sim.switches(|s| s.resent_online_flag_loses_link = true);
    has_no_meeting(&graph.patch(id(&event), &again).expect(200).json());
}

// A1 (TCLI F3): on a calendar view onlineMeeting is null unless isOnlineMeeting is selected too.
#[test]
fn the_join_link_hides_from_a_calendar_view() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let event = graph.create(&teams());
    let view = |select: &str| {
        let query =
            [("startDateTime", "2027-03-01T00:00:00Z"), ("endDateTime", "2027-03-02T00:00:00Z"), ("$select", select)];
        graph.query("/me/calendarView", &query).expect(200).json()["value"][0].clone()
    };
    assert_eq!(view("subject,onlineMeeting")["onlineMeeting"], Value::Null);
    assert_eq!(join_url(&view("isOnlineMeeting,onlineMeeting")), join_url(&event));
    let one = graph.query(&format!("/me/events/{}", id(&event)), &[("$select", "onlineMeeting")]).expect(200).json();
    assert_eq!(join_url(&one), join_url(&event));
}

#[test]
fn bodies_come_back_as_whole_documents_without_active_content() {
    let sim = start();
    let graph = Graph::of(&sim, ALICE);
    let event = graph.create(&html("<p onclick=\"x()\">Hi</p><script>alert(1)</script>"));
    assert!(content(&event).starts_with("<html>"));
    assert!(content(&event).contains("<p>Hi</p>"), "{}", content(&event));
    assert!(!content(&event).contains("alert"));
    let text = graph.create(&json!({"body": {"contentType": "text", "content": "a < b\nc"}}));
    assert_eq!(text["body"]["contentType"], "html");
    assert_eq!(text["bodyPreview"], "a < b\r\nc");
}

// A2 (mgd#16336, mgd#18056): without the block the meeting comes and goes with repeated PATCHes.
#[test]
fn a_lost_meeting_may_alternate() {
    let sim = start();
    sim.switches(|s| s.lost_meeting_alternates = true);
    let graph = Graph::of(&sim, ALICE);
    let event = graph.create(&teams());
    let patch = || graph.patch(id(&event), &html("<p>Only text</p>")).expect(200).json();
    has_no_meeting(&patch());
    assert_eq!(join_url(&patch()), join_url(&event));
    has_no_meeting(&patch());
}
