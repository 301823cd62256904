//! The pages' frame, and the calendar.

use askama::Template;
use axum::extract::{Query, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use chrono::{Datelike, NaiveDate};
use serde::Deserialize;
use serde_json::Value;
use support::Answer;

use super::App;
use super::event::{guests, is_cancelled, moment, today};
use super::icalendar::Object;
use super::words::{Language, Said, Words};

/// What a page may load and where its forms may go. A page that frames others names them itself.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; \
                                 form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What stands around every page.
pub(super) struct Frame {
    pub(super) words: &'static Words,
    pub(super) account: String,
    /// The entry of the menu this page belongs to.
    pub(super) here: &'static str,
    /// What was just done.
    pub(super) said: Option<String>,
    /// What the user should know whatever page this is: a sentence, and whether a sign-in mends it.
    pub(super) notices: Vec<(String, bool)>,
    /// teams-mirror does not answer.
    pub(super) silent: bool,
    /// The simulator's calendar page.
    pub(super) beside: Option<String>,
}

/// What was just done, handed from page to page.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Done {
    done: Option<Said>,
    detail: Option<String>,
}

impl Done {
    /// Whether anything was done.
    pub(super) fn is_something(&self) -> bool {
        self.done.is_some()
    }

    fn text(&self, words: &Words) -> Option<String> {
        let said = (words.said)(self.done?);
        Some(self.detail.as_ref().map_or_else(|| said.to_owned(), |detail| format!("{said} {detail}")))
    }
}

/// A request, as pages see it: the language it is answered in, and how the account stands.
pub(super) struct Visit {
    pub(super) app: App,
    pub(super) words: &'static Words,
    pub(super) standing: Option<Answer>,
}

impl Visit {
    /// Runs what makes a page where it delays no other request.
    pub(super) async fn run(
        app: App,
        headers: HeaderMap,
        page: impl FnOnce(&Visit) -> Response + Send + 'static,
    ) -> Response {
        let accepted =
            headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).and_then(Language::accepted);
        let work = move || {
            let language = app.calendar.language().or(accepted).unwrap_or(Language::English);
            let standing = app.calendar.standing(language);
            page(&Visit { app, words: language.words(), standing })
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }

    /// The account's button: `hidden`, `sign-in`, `ready`, `off`; nothing where teams-mirror does not answer.
    pub(super) fn button(&self) -> Option<&str> {
        self.standing.as_ref().map(|standing| standing.str("button"))
    }

    /// What the user should know whatever page this is.
    fn notices(&self) -> Vec<(String, bool)> {
        let list = self.standing.as_ref().and_then(|s| s.json.get("notices")).and_then(Value::as_array);
        list.into_iter().flatten().map(notice).collect()
    }

    /// `week` is the one the page beside opens at.
    pub(super) fn frame(&self, here: &'static str, done: &Done, week: Option<NaiveDate>) -> Frame {
        let standing = self.standing.as_ref();
        let at_microsoft = standing.map(|s| s.str("microsoft_account")).filter(|address| !address.is_empty());
        let beside = self.app.beside.as_ref().map(|base| match (at_microsoft, week) {
            (Some(address), Some(week)) => format!("{base}/calendar/{address}?week={week}"),
            (Some(address), None) => format!("{base}/calendar/{address}"),
            (None, _) => format!("{base}/"),
        });
        Frame {
            words: self.words,
            account: self.app.calendar.account().to_owned(),
            here,
            said: done.text(self.words),
            notices: self.notices(),
            silent: standing.is_none(),
            beside,
        }
    }
}

/// A notice of the hook API: its sentence, and whether it comes with a link that mends it. The link itself ends after a minute,
/// so a fresh one is fetched when the user clicks.
pub(super) fn notice(notice: &Value) -> (String, bool) {
    let message = notice.get("message").and_then(Value::as_str).unwrap_or_default();
    (message.to_owned(), notice.get("link").is_some_and(Value::is_string))
}

#[derive(Template)]
#[template(path = "calendar.html")]
struct CalendarPage {
    frame: Frame,
    drafts: Vec<(String, String)>,
    days: Vec<(String, Vec<Row>)>,
    /// Something is on its way: the page looks again by itself.
    waiting: bool,
}

struct Row {
    id: String,
    subject: String,
    time: String,
    guests: String,
    cancelled: bool,
    /// How it stands in Teams; nothing where it has nothing to do with Teams.
    state: Option<State>,
    join: Option<String>,
}

/// How an event stands in Teams, in words.
pub(super) struct State {
    pub(super) code: String,
    pub(super) words: &'static str,
    pub(super) message: String,
    pub(super) notices: Vec<(String, bool)>,
}

impl State {
    /// Whether it may change without the user doing anything here.
    pub(super) fn waiting(&self) -> bool {
        matches!(self.code.as_str(), "pending" | "sign-in-needed" | "admin-needed")
    }

    /// Nothing where there is nothing to say.
    pub(super) fn of(visit: &Visit, id: &str, standing: Option<&Answer>) -> Option<Self> {
        let calendar = &visit.app.calendar;
        // What is owed teams-mirror does not know yet.
        let code = if calendar.is_owed(id) { "pending" } else { standing?.str("state") };
        // What the whole page says already is not said again of the event.
        let message = standing.map(|s| s.str("message")).unwrap_or_default().to_owned();
        let above = |sentence: &str| visit.notices().iter().any(|(known, _)| known == sentence);
        let now = standing.and_then(|s| s.json.get("notices")).and_then(Value::as_array).cloned().unwrap_or_default();
        let mut notices: Vec<(String, bool)> = Vec::new();
        for (sentence, mended) in now.iter().chain(&calendar.notices(id)).map(notice) {
            let known = notices.iter().any(|(known, _)| *known == sentence);
            if !known && (mended || sentence != message) && !above(&sentence) {
                notices.push((sentence, mended));
            }
        }
        let message = if above(&message) { String::new() } else { message };
        let state = Self { code: code.to_owned(), words: visit.words.state(code), message, notices };
        let silent = code == "not-mirrored" && state.message.is_empty() && state.notices.is_empty();
        (!silent).then_some(state)
    }
}

/// `GET /`
pub(super) async fn calendar(Shared(app): Shared<App>, Query(done): Query<Done>, headers: HeaderMap) -> Response {
    Visit::run(app, headers, move |visit| {
        let calendar = &visit.app.calendar;
        let mut events: Vec<(String, Object)> = calendar.stored();
        events.sort_by_key(|(id, object)| (moment(object, "DTSTART"), id.clone()));
        let mut days: Vec<(NaiveDate, String, Vec<Row>)> = Vec::new();
        for (id, object) in &events {
            let Some(start) = moment(object, "DTSTART") else { continue };
            let row = row(visit, id, object);
            match days.last_mut().filter(|(date, ..)| *date == start.date()) {
                Some((_, _, rows)) => rows.push(row),
                None => days.push((start.date(), visit.words.date(start.date()), vec![row])),
            }
        }
        let today = today(super::now());
        let next = days.iter().map(|(date, ..)| *date).find(|date| *date >= today);
        let waiting =
            days.iter().flat_map(|(_, _, rows)| rows).any(|row| row.state.as_ref().is_some_and(State::waiting));
        let drafts = calendar
            .drafts()
            .into_iter()
            .map(|(id, draft)| (id, subject_or(draft.fields.subject.trim(), visit.words)))
            .collect();
        let days = days.into_iter().map(|(_, name, rows)| (name, rows)).collect();
        let frame = visit.frame("calendar", &done, next.map(monday));
        render(StatusCode::OK, &CalendarPage { frame, drafts, days, waiting })
    })
    .await
}

fn row(visit: &Visit, id: &str, object: &Object) -> Row {
    // Where teams-mirror is silent it is not asked again for every event.
    let standing = visit.standing.as_ref().and_then(|_| visit.app.calendar.event_standing(id));
    let time = |name| moment(object, name).map(|at| at.format("%H:%M").to_string()).unwrap_or_default();
    let cancelled = is_cancelled(object);
    let join = standing.as_ref().map(|s| s.str("join_url").to_owned());
    Row {
        id: id.to_owned(),
        subject: subject_or(&object.text("SUMMARY"), visit.words),
        time: format!("{} – {}", time("DTSTART"), time("DTEND")),
        guests: guests(object).join(", "),
        cancelled,
        state: State::of(visit, id, standing.as_ref()),
        join: join.filter(|join| !join.is_empty() && !cancelled),
    }
}

pub(super) fn subject_or(subject: &str, words: &Words) -> String {
    if subject.is_empty() { words.no_subject.to_owned() } else { subject.to_owned() }
}

pub(super) fn monday(date: NaiveDate) -> NaiveDate {
    date.checked_sub_days(chrono::Days::new(u64::from(date.weekday().num_days_from_monday()))).unwrap_or(date)
}

#[derive(Template)]
#[template(path = "plain.html")]
struct Plain {
    frame: Frame,
    title: &'static str,
    sentence: String,
}

/// A page with one sentence.
pub(super) fn plain(status: StatusCode, visit: &Visit, title: &'static str, sentence: String) -> Response {
    render(status, &Plain { frame: visit.frame("", &Done::default(), None), title, sentence })
}

/// Anything else.
pub(super) async fn nothing(Shared(app): Shared<App>, headers: HeaderMap) -> Response {
    Visit::run(app, headers, |visit| {
        plain(StatusCode::NOT_FOUND, visit, visit.words.not_found, visit.words.not_found_hint.to_owned())
    })
    .await
}

/// To a change no page of this webmail asked for.
pub(super) fn refused(words: &'static Words) -> Response {
    let frame =
        Frame { words, account: String::new(), here: "", said: None, notices: Vec::new(), silent: false, beside: None };
    render(StatusCode::FORBIDDEN, &Plain { frame, title: words.foreign, sentence: words.foreign_hint.to_owned() })
}

/// Renders a page, with what it may frame.
pub(super) fn render(status: StatusCode, page: &(impl Template + Framing)) -> Response {
    let html = match page.render() {
        Ok(html) => html,
        Err(error) => return (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    };
    let origins: Vec<String> = page.frames().filter_map(origin).collect();
    if origins.is_empty() {
        return (status, Html(html)).into_response();
    }
    let policy = format!("{POLICY}; frame-src {}", origins.join(" "));
    (status, [(header::CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response()
}

fn origin(address: &str) -> Option<String> {
    url::Url::parse(address).ok().map(|url| url.origin().ascii_serialization())
}

/// A page that shows others inside it.
pub(super) trait Framing {
    /// Its frame.
    fn frame(&self) -> &Frame;

    /// A page of another origin in the middle of this one.
    fn inside(&self) -> Option<&str> {
        None
    }

    /// The addresses of the pages inside.
    fn frames(&self) -> impl Iterator<Item = &str> {
        self.frame().beside.as_deref().into_iter().chain(self.inside())
    }
}

impl Framing for CalendarPage {
    fn frame(&self) -> &Frame {
        &self.frame
    }
}

impl Framing for Plain {
    fn frame(&self) -> &Frame {
        &self.frame
    }
}

pub(super) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../../templates/style.css")).into_response()
}

pub(super) async fn script() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("../../templates/webmail.js"))
        .into_response()
}
