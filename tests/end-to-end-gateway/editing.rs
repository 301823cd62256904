//! Two clients of one calendar, each with what it last saw: whoever was told that a save is stored finds it in the end.

use support::event;

use crate::client::{Answer, Client};
use crate::radicale::with_teams;
use crate::random::Random;
use crate::servers::{Kind, Site};
use crate::world::{SOON, World, until};

/// A client that synchronises: it saves over what it last saw, and nothing else.
struct Device {
    name: &'static str,
    client: Client,
    path: String,
    /// Text and tag as last fetched.
    seen: Option<(String, String)>,
    /// What it was told is stored.
    kept: Vec<String>,
}

impl Device {
    fn fetch(&mut self) {
        let got = self.client.request("GET", &self.path, "alice", &[], "");
        assert_eq!(got.status, 200, "{}", got.text);
        let tag = got.header("etag").unwrap_or_else(|| panic!("a GET without a tag: {got:?}")).to_owned();
        self.seen = Some((got.text, tag));
    }

    /// Adds a line to what it knows, and saves. Whether that was stored.
    fn edit(&mut self, edit: &str) -> Answer {
        if self.seen.is_none() {
            self.fetch();
        }
        let (text, tag) = self.seen.clone().unwrap();
        let line = format!("X-EDIT-{edit}:{}", self.name);
        let next = event::with_line(&text, &line, &line);
        let headers = [("content-type", "text/calendar; charset=utf-8"), ("if-match", tag.as_str())];
        let saved = self.client.request("PUT", &self.path, "alice", &headers, &next);
        match saved.status {
            201 | 204 => {
                self.kept.push(line);
                // Without a tag in the answer it is not known what is stored.
                self.seen = saved.header("etag").map(|tag| (next, tag.to_owned()));
            }
            412 => self.seen = None,
            status => panic!("{status} {}", saved.text),
        }
        saved
    }
}

fn two_clients(kind: Kind) {
    let Some(site) = Site::start(kind) else { return };
    assert!(in_turn(&site, "e1", Random::seeded(11)) > 0, "they never met");
    in_turn(&site, "e2", Random::of_this_run("two clients in turn"));
    assert_eq!(site.world.graph_methods(), ["POST", "POST"], "none of it is shown in Teams, so it cost nothing there");
}

/// Gives how often one of them had to look again.
fn in_turn(site: &Site, uid: &str, mut random: Random) -> usize {
    let path = format!("{}{uid}.ics", site.calendar(&format!("with-{uid}")));
    assert_eq!(site.put(&path, &with_teams(uid, "Planning", &[])).status, 201);
    let link = site.link(&path, uid);
    let device = |name| Device { name, client: site.client.clone(), path: path.clone(), seen: None, kept: Vec::new() };
    let mut devices = [device("phone"), device("desk")];
    let mut conflicts = 0;
    for edit in 0..24 {
        let device = &mut devices[random.below(2)];
        // Now and then one that is not up to date.
        if random.below(3) == 0 {
            device.fetch();
        }
        while device.edit(&edit.to_string()).status == 412 {
            conflicts += 1;
        }
    }
    let stored = site.stored(&path);
    for line in devices.iter().flat_map(|device| &device.kept) {
        assert!(stored.contains(line.as_str()), "`{line}` is lost\n{stored}");
    }
    assert_eq!(devices.iter().map(|device| device.kept.len()).sum::<usize>(), 24);
    assert!(stored.contains(&link));
    site.settled(uid);
    conflicts
}

#[test]
fn two_clients_in_turn_lose_no_edit_with_radicale() {
    two_clients(Kind::RadicaleByGateway);
}

#[test]
fn two_clients_in_turn_lose_no_edit_with_xandikos() {
    two_clients(Kind::XandikosByGateway);
}

#[test]
fn two_clients_in_turn_lose_no_edit_with_cyrus() {
    two_clients(Kind::CyrusByGateway);
}

/// The link that comes late is written by a third hand, between what two clients do.
fn a_late_link(kind: Kind) {
    let Some(site) = Site::with(kind, World::signed_in(), "patience = '1s'") else { return };
    let path = format!("{}e1.ics", site.calendar("work"));
    site.world.sim.pause().unwrap();
    assert_eq!(site.put(&path, &with_teams("e1", "Planning", &[])).status, 201);
    let client = site.client.clone();
    let mut device = Device { name: "phone", client, path: path.clone(), seen: None, kept: Vec::new() };
    device.fetch();
    assert_eq!(device.edit("BEFORE").status / 100, 2);
    device.fetch();
    site.world.sim.resume().unwrap();
    let link = site.link(&path, "e1");
    assert_eq!(device.edit("STALE").status, 412, "what it knows is older than the link");
    assert_eq!(device.edit("AFTER").status / 100, 2);
    let stored = site.stored(&path);
    assert!(stored.contains("X-EDIT-BEFORE") && stored.contains("X-EDIT-AFTER") && stored.contains(&link), "{stored}");
    site.settled("e1");
    assert!(until(SOON, || site.world.in_teams().len() == 1));
}

#[test]
fn a_link_that_comes_late_takes_no_edit_away_with_radicale() {
    a_late_link(Kind::RadicaleByGateway);
}

#[test]
fn a_link_that_comes_late_takes_no_edit_away_with_xandikos() {
    a_late_link(Kind::XandikosByGateway);
}

#[test]
fn a_link_that_comes_late_takes_no_edit_away_with_cyrus() {
    a_late_link(Kind::CyrusByGateway);
}
