//! An event: its form, and the button on it.

use askama::Template;
use axum::extract::{Form, Path, Query, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::App;
use super::adapter::{Draft, Outcome};
use super::event::{Entry, Fields, Mistake, is_cancelled, set_cancelled};
use super::icalendar::Object;
use super::pages::{Done, Frame, Framing, State, Visit, monday, plain, render, subject_or};
use super::words::{Said, Words};

#[derive(Template)]
#[template(path = "event.html")]
struct EventPage {
    frame: Frame,
    id: String,
    title: String,
    fields: Fields,
    teams: Teams,
    state: Option<State>,
    /// There is something to discard.
    draft: bool,
    /// It stands in the calendar.
    stored: bool,
    cancelled: bool,
    mistake: Option<String>,
}

impl Framing for EventPage {
    fn frame(&self) -> &Frame {
        &self.frame
    }
}

/// What the event offers of Teams.
enum Teams {
    /// Nothing.
    Hidden,
    /// To sign in, for the first time or again.
    SignIn { again: bool },
    /// A meeting, although nobody knows whether Teams will answer.
    Add { silent: bool },
    /// Nothing, because the user turned it off.
    Off,
    /// The meeting that is there or on its way; `join` is where.
    Meeting { join: Option<String>, removable: bool },
}

impl Teams {
    /// From the account's button, the event's state, and whether a draft has asked for a meeting.
    fn of(visit: &Visit, standing: Option<&support::Answer>, draft: Option<&Draft>, cancelled: bool) -> Self {
        if cancelled {
            return Self::Hidden;
        }
        let allowed = visit.button() != Some("hidden");
        let join = standing.map(|s| s.str("join_url")).filter(|join| !join.is_empty()).map(str::to_owned);
        let on_its_way = standing.is_some_and(|s| matches!(s.str("state"), "mirrored" | "pending" | "admin-needed"));
        if allowed && (join.is_some() || on_its_way || draft.is_some_and(|draft| draft.wanted)) {
            return Self::Meeting { join, removable: draft.is_none() };
        }
        match visit.button() {
            Some("ready") => Self::Add { silent: false },
            Some("sign-in") => Self::SignIn {
                again: visit.standing.as_ref().is_some_and(|s| s.json.get("connected").is_some_and(|c| c == true)),
            },
            Some("off") => Self::Off,
            Some(_) => Self::Hidden,
            None => Self::Add { silent: true },
        }
    }
}

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    subject: String,
    start: String,
    end: String,
    guests: String,
    description: String,
    action: String,
}

impl Sent {
    fn fields(self) -> Fields {
        let Self { subject, start, end, guests, description, action: _ } = self;
        Fields { subject, start, end, guests, description }
    }
}

/// `GET /events/new`
pub(super) async fn new(Shared(app): Shared<App>, headers: HeaderMap) -> Response {
    Visit::run(app, headers, |visit| {
        let id = super::random();
        form(visit, &id, Fields::suggested(super::now()), &Done::default(), None)
    })
    .await
}

/// `GET /events/{id}`
pub(super) async fn show(
    Shared(app): Shared<App>,
    Path(id): Path<String>,
    Query(done): Query<Done>,
    headers: HeaderMap,
) -> Response {
    Visit::run(app, headers, move |visit| {
        let calendar = &visit.app.calendar;
        let draft = calendar.draft(&id).map(|draft| draft.fields);
        match draft.or_else(|| calendar.stored_event(&id).map(|object| Fields::of(&object))) {
            Some(fields) => form(visit, &id, fields, &done, None),
            None => nothing(visit),
        }
    })
    .await
}

fn nothing(visit: &Visit) -> Response {
    plain(StatusCode::NOT_FOUND, visit, visit.words.not_found, visit.words.not_found_hint.to_owned())
}

/// The form, with these fields.
fn form(visit: &Visit, id: &str, fields: Fields, done: &Done, mistake: Option<&Mistake>) -> Response {
    let calendar = &visit.app.calendar;
    let stored = calendar.stored_event(id);
    let draft = calendar.draft(id);
    let cancelled = stored.as_ref().is_some_and(is_cancelled);
    let known = stored.is_some() || draft.is_some();
    let standing = visit
        .standing
        .as_ref()
        .filter(|_| known)
        .and_then(|_| if done.is_something() { calendar.event_settled(id) } else { calendar.event_standing(id) });
    let week = fields.check().ok().map(|entry| monday(entry.start.date()));
    let status = if mistake.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = EventPage {
        frame: visit.frame("calendar", done, week),
        id: id.to_owned(),
        title: if known { subject_or(fields.subject.trim(), visit.words) } else { visit.words.new_event.to_owned() },
        teams: Teams::of(visit, standing.as_ref(), draft.as_ref(), cancelled),
        state: State::of(visit, id, standing.as_ref()),
        fields,
        draft: draft.is_some(),
        stored: stored.is_some(),
        cancelled,
        mistake: mistake.map(|mistake| said(visit.words, mistake)),
    };
    render(status, &page)
}

fn said(words: &Words, mistake: &Mistake) -> String {
    match mistake {
        Mistake::Start => words.bad_start.to_owned(),
        Mistake::End => words.bad_end.to_owned(),
        Mistake::EndBeforeStart => words.end_before_start.to_owned(),
        Mistake::Guest(typed) => words.bad_guest.replace("{}", typed),
    }
}

/// `POST /events/{id}`: what a button of the form does.
pub(super) async fn act(
    Shared(app): Shared<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(sent): Form<Sent>,
) -> Response {
    Visit::run(app, headers, move |visit| {
        // Events are named by this webmail alone.
        if id.len() != 32 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return nothing(visit);
        }
        let calendar = &visit.app.calendar;
        let action = sent.action.clone();
        let stored = calendar.stored_event(&id);
        let here = format!("/events/{id}");
        match action.as_str() {
            "discard" => {
                let outcome = calendar.discard(&id);
                let to = if stored.is_some() { &here } else { "/" };
                return then(to, &outcome);
            }
            "delete" if stored.is_some() => return then("/", &calendar.delete(&id)),
            "cancel" | "reinstate" => {
                let Some(mut object) = stored else { return nothing(visit) };
                let cancelled = action == "cancel";
                set_cancelled(&mut object, cancelled, super::now());
                let outcome = calendar.save(&id, &object, None);
                let said = if cancelled { Said::Cancelled } else { Said::Reinstated };
                return then(&here, &told(outcome, said));
            }
            "keep" => {
                calendar.keep_draft(&id, sent.fields());
                return Redirect::to(&here).into_response();
            }
            _ => {}
        }
        let fields = sent.fields();
        let entry = match fields.check() {
            Ok(entry) => entry,
            Err(mistake) => return form(visit, &id, fields, &Done::default(), Some(&mistake)),
        };
        let draft = calendar.draft(&id);
        let object = written(visit, &id, &entry, draft.as_ref(), stored);
        let wanted = draft.is_some_and(|draft| draft.wanted).then_some("wanted");
        match action.as_str() {
            "add-teams" => then(&here, &calendar.add_teams(&id, object, fields)),
            "remove-teams" => then(&here, &told(calendar.save(&id, &object, Some("none")), Said::TeamsRemoved)),
            _ => then(&here, &calendar.save(&id, &object, wanted)),
        }
    })
    .await
}

/// The event with the form's entries, over what is there of it.
fn written(visit: &Visit, id: &str, entry: &Entry, draft: Option<&Draft>, stored: Option<Object>) -> Object {
    let calendar = &visit.app.calendar;
    let base = draft.map(|draft| draft.object.clone()).or(stored);
    let mut object = base.unwrap_or_else(|| Object::event(&calendar.uid(id)));
    entry.write_into(&mut object, calendar.account(), super::now());
    object
}

/// A save that went well is told as what it was for.
fn told(outcome: Outcome, said: Said) -> Outcome {
    if outcome.said == Said::Saved { Outcome { said, ..outcome } } else { outcome }
}

/// Goes on to a page that says what was done, so that loading it again does nothing again.
fn then(to: &str, outcome: &Outcome) -> Response {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let said = serde_json::to_value(outcome.said).ok();
    query.append_pair("done", said.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default());
    if let Some(detail) = &outcome.detail {
        query.append_pair("detail", detail);
    }
    Redirect::to(&format!("{to}?{}", query.finish())).into_response()
}

/// `GET /teams/button`: what the button should be now, for a page that was left open during a sign-in.
pub(super) async fn button(Shared(app): Shared<App>, headers: HeaderMap) -> Response {
    Visit::run(app, headers, |visit| visit.button().unwrap_or_default().to_owned().into_response()).await
}
