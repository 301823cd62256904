//! What the settings page shows, state by state.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::events::{self, EventLine};
use super::which::{MIRROR, Which};
use crate::accounts::policy::Standing;
use crate::accounts::session::Session;
use crate::accounts::settings::Choices;
use crate::accounts::{Accounts, AccountsError};
use crate::address::Address;
use crate::doors::public::pages::render;
use crate::mirror::{Check, Mirror, MirrorError};
use crate::words::{self, Words};

/// How many of its last events are shown.
const LAST_EVENTS: u32 = 10;

/// The setting that says which new events get a meeting by themselves.
pub(super) const MEETINGS: &str = "meetings";

/// What may stand after `done=`.
const DONE: [&str; 9] = ["on", "off", "saved", "disconnected", "leaving", "retried", "not-saved", "too-long", "older"];

/// Why the page cannot be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    #[error(transparent)]
    Mirror(#[from] MirrorError),
}

/// How the page was come to.
pub(super) struct At {
    /// Whether it stands in a frame; `None`: the browser does not say.
    pub(super) framed: Option<bool>,
    /// The sign-in was opened in another window.
    pub(super) waiting: bool,
    /// What was just done.
    pub(super) done: String,
    /// What a test found.
    pub(super) tested: Option<Check>,
}

/// How an account stands, for its user: one word that decides what the page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    NotAllowed,
    Leaving,
    ConnectorOff,
    ConnectorDead,
    New,
    Dead,
    Off,
    Connected,
}

impl State {
    fn of(standing: &Standing) -> Self {
        let connector = standing.connector.as_ref().filter(|_| standing.connector_is_on());
        match (&standing.connection, connector) {
            _ if !standing.is_allowed() => Self::NotAllowed,
            _ if standing.is_leaving() => Self::Leaving,
            (_, None) => Self::ConnectorOff,
            (_, Some(connector)) if connector.dead.is_some() => Self::ConnectorDead,
            (None, _) => Self::New,
            (Some(connection), _) if connection.dead.is_some() => Self::Dead,
            _ if !standing.is_on() => Self::Off,
            _ => Self::Connected,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::NotAllowed => "not-allowed",
            Self::Leaving => "leaving",
            Self::ConnectorOff => "connector-off",
            Self::ConnectorDead => "connector-dead",
            Self::New => "new",
            Self::Dead => "dead",
            Self::Off => "off",
            Self::Connected => "connected",
        }
    }

    /// Whether somebody has to do something before it works.
    fn is_a_problem(self) -> bool {
        matches!(self, Self::NotAllowed | Self::ConnectorOff | Self::ConnectorDead | Self::Dead)
    }
}

/// One of the values that may be chosen.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) chosen: bool,
}

impl Choice {
    /// The values that are open, each with its sentence, which is called after the setting and the value.
    pub(super) fn of(w: &'static Words, setting: &str, choices: Choices) -> Vec<Self> {
        let counts = choices.counts;
        let one = |value: String| Self { label: w.say(&format!("{setting}-{value}")), chosen: value == counts, value };
        choices.open.into_iter().map(one).collect()
    }
}

/// One line of a test's result.
struct Tested {
    part: &'static str,
    /// `yes`, `no`, or `unknown` where the test did not get that far.
    ok: &'static str,
    sentence: String,
}

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage<'a> {
    w: &'static Words,
    base: &'a str,
    account: &'a str,
    token: &'a str,
    state: &'static str,
    version: String,
    problem: bool,
    signs_in_again: bool,
    /// The JavaScript-less page in a frame looks again after so many seconds.
    refresh: Option<u32>,
    waiting: bool,
    new_window: bool,
    notice: Option<(&'static str, String)>,
    sentences: Vec<String>,
    mailbox: Option<(String, String)>,
    toggle: Option<bool>,
    ticket: Option<String>,
    may_take_other: bool,
    connected_with: Option<String>,
    may_remove: bool,
    which: Option<Which>,
    choices: Vec<Choice>,
    fixed: Option<String>,
    older: Option<Older>,
    events: Vec<EventLine>,
    tested: Vec<Tested>,
    held: Vec<String>,
}

/// Makes the page.
pub(super) fn make(
    mirror: &std::sync::Arc<Mirror>,
    accounts: &Accounts,
    base: &str,
    session: &Session,
    accept_language: Option<&str>,
    at: At,
) -> Result<Response, PageError> {
    let account = &session.account;
    let standing = accounts.standing(account)?;
    let w = words::choose(standing.language(), accept_language);
    let state = State::of(&standing);
    let zone = events::zone(standing.account.as_ref().and_then(|row| row.time_zone.as_deref()));
    let connection = standing.connection.as_ref();
    let microsoft = connection.map(|row| row.remote_address.as_str()).unwrap_or_default();

    let mut sentences = vec![match state {
        State::Leaving => w.count("state-leaving", mirror.still_to_leave(account)?),
        state => w.with(&format!("state-{}", state.name()), &[("microsoft", microsoft)]),
    }];
    let last = mirror.events(Some(account), None, LAST_EVENTS)?;
    // Microsoft may want to see the user over one event although the connection looks alive.
    let events_wait = matches!(state, State::Connected | State::Off)
        && last.iter().any(|event| event.state == crate::mirror::State::SignInNeeded);
    if events_wait {
        sentences.push(w.say("state-events-wait"));
    }
    match (state, connection) {
        (State::Dead, _) => sentences.insert(0, standing.phrase().said(w)),
        (State::Leaving, Some(row)) => {
            let latest = Mirror::leaves_at_latest(row.leaving_since.unwrap_or_default());
            let when = events::when(w, zone, latest);
            sentences.push(w.with("state-leaving-until", &[("when", &when), ("microsoft", microsoft)]));
        }
        _ => {}
    }
    let mailbox = connection.filter(|_| matches!(state, State::Connected | State::Off)).map(|row| {
        let code = row.facts_code.clone().unwrap_or_else(|| "unknown".into());
        let sentence = super::mailbox_sentence(w, row).unwrap_or_else(|| w.say("mailbox-unknown"));
        (code, sentence)
    });
    let signs_in = standing.may_sign_in() && state != State::ConnectorDead;
    let ticket = signs_in.then(|| accounts.page_ticket(session, connection));
    let choices = accounts.own_choices(account, MEETINGS, mirror.declared_settings())?;
    let shows_choice = matches!(state, State::Connected | State::Off | State::Dead);
    let choices = choices.filter(|_| shows_choice);
    let older = if state == State::Connected { Older::of(&standing, mirror) } else { None };
    let version = version(&standing, &last);
    let framed = at.framed != Some(false);
    let last_remote = standing.account.as_ref().and_then(|row| row.last_remote.as_deref());

    let page = SettingsPage {
        w,
        base,
        account: account.as_str(),
        token: &session.form_token,
        state: state.name(),
        problem: state.is_a_problem() || events_wait,
        signs_in_again: events_wait || state == State::Dead,
        // Where a sign-in may be going on in another window, or events are leaving, without a script to look.
        refresh: match state {
            State::New | State::Dead if framed => Some(5),
            State::Leaving => Some(5),
            _ => None,
        },
        waiting: at.waiting && matches!(state, State::New | State::Dead),
        new_window: framed,
        notice: DONE.iter().find(|done| **done == at.done).map(|done| (*done, w.say(&format!("notice-{done}")))),
        toggle: (connection.is_some() && standing.may_sign_in()).then(|| standing.is_on()),
        may_take_other: state != State::New || last_remote.is_some(),
        connected_with: connection.map(|row| row.remote_address.clone()),
        may_remove: !matches!(state, State::Dead | State::ConnectorDead | State::ConnectorOff | State::NotAllowed),
        fixed: choices
            .as_ref()
            .filter(|choices| choices.open.is_empty())
            .map(|choices| w.say(&format!("meetings-{}", choices.counts))),
        which: if shows_choice { Some(Which::of(mirror, accounts, account, w)?) } else { None },
        choices: choices.map(|choices| Choice::of(w, MEETINGS, choices)).unwrap_or_default(),
        older,
        events: last.into_iter().map(|event| events::line(w, zone, event)).collect(),
        tested: at.tested.map(|check| tested(w, check)).unwrap_or_default(),
        held: held(w, connection.map(|row| row.remote_address.as_str()), last_remote),
        version,
        sentences,
        mailbox,
        ticket,
    };
    Ok(render(&page, StatusCode::OK))
}

/// The coming events from before Teams was turned on, which a watcher counted.
enum Older {
    /// So many may be included.
    Offered(usize),
    /// They are asked for, and told at the watcher's next look.
    Wanted,
}

impl Older {
    /// Nothing is offered where including them would bring nothing to Teams.
    fn of(standing: &Standing, mirror: &Mirror) -> Option<Self> {
        let row = standing.account.as_ref()?;
        let settings = standing.settings(mirror.declared_settings());
        let is = |name: &str, value: &str| settings.iter().any(|(of, counts)| of == name && counts == value);
        let would_appear = is(MIRROR, "all-events") || !is(MEETINGS, "never");
        match row.older_events {
            _ if row.older_wanted => Some(Self::Wanted),
            Some(count) if count > 0 && would_appear => {
                Some(Self::Offered(usize::try_from(count).unwrap_or(usize::MAX)))
            }
            _ => None,
        }
    }
}

/// What is held of the Microsoft account that is connected, or was.
fn held(w: &'static Words, microsoft: Option<&str>, last: Option<&str>) -> Vec<String> {
    match (microsoft, last) {
        (Some(microsoft), _) => {
            vec![w.with("held-address", &[("microsoft", microsoft)]), w.say("held-tokens"), w.say("held-events")]
        }
        (None, Some(last)) => vec![w.with("held-last", &[("microsoft", last)]), w.say("held-events")],
        (None, None) => Vec::new(),
    }
}

/// A sentence each for the access, the mailbox, the calendar and the meetings.
fn tested(w: &'static Words, check: Check) -> Vec<Tested> {
    const PARTS: [&str; 4] = ["token", "mailbox", "calendar", "provider"];
    let ok = |part: &'static str| Tested { part, ok: "yes", sentence: w.say(&format!("test-{part}-ok")) };
    let bad = |part: &'static str, why: &str| Tested {
        part,
        ok: "no",
        sentence: w.with(&format!("test-{part}-bad"), &[("why", why)]),
    };
    // The first that fails says why; what comes after it was not asked.
    let until = |fails: usize, why: &str| {
        let line = |(n, part): (usize, &'static str)| match n.cmp(&fails) {
            std::cmp::Ordering::Less => ok(part),
            std::cmp::Ordering::Equal => bad(part, why),
            std::cmp::Ordering::Greater => {
                Tested { part, ok: "unknown", sentence: w.say(&format!("test-{part}-unasked")) }
            }
        };
        PARTS.into_iter().enumerate().map(line).collect()
    };
    match check {
        Check::NotConnected => until(0, &w.say("test-not-connected")),
        Check::SignInNeeded(why) => until(0, &why),
        Check::Failed(why) => until(1, &why),
        Check::Looked { code, message, events, meetings } => {
            let known = format!("mailbox-{code}");
            let why = if w.has(&known) { w.say(&known) } else { message };
            match (events, meetings) {
                (false, _) => until(1, &why),
                (true, false) => until(3, &why),
                (true, true) => until(4, ""),
            }
        }
    }
}

/// A short word that changes when the page would show something else.
pub(super) fn version_of(mirror: &Mirror, accounts: &Accounts, account: &Address) -> Result<String, PageError> {
    let standing = accounts.standing(account)?;
    let last = mirror.events(Some(account), None, LAST_EVENTS)?;
    Ok(version(&standing, &last))
}

fn version(standing: &Standing, last: &[crate::mirror::EventStatus]) -> String {
    use sha2::Digest as _;
    let mut digest = sha2::Sha256::new();
    digest.update(State::of(standing).name());
    if let Some(row) = &standing.account {
        digest.update(format!("{:?}\0{}", row.older_events, row.older_wanted));
    }
    if let Some(row) = &standing.connection {
        digest.update(format!("{}\0{}\0{:?}", row.remote_address, row.since, row.facts_code));
    }
    for event in last {
        digest.update(format!("\0{}\0{}\0{:?}\0{:?}", event.uid, event.state.name(), event.reason, event.join_url));
    }
    digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
