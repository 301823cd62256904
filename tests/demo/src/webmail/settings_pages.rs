//! Settings: the language, and the extensions.

use askama::Template;
use axum::extract::{Form, Query, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::Value;

use super::App;
use super::pages::{Done, Frame, Framing, Visit, plain, render};
use super::words::Language;

#[derive(Template)]
#[template(path = "settings.html")]
struct Settings {
    frame: Frame,
    /// How Teams stands, in words; nothing where nobody knows.
    teams: Option<String>,
    /// What the mailbox can do, or why Teams is not available, as teams-mirror says it.
    message: String,
    available: bool,
}

impl Framing for Settings {
    fn frame(&self) -> &Frame {
        &self.frame
    }
}

/// `GET /settings`
pub(super) async fn settings(Shared(app): Shared<App>, Query(done): Query<Done>, headers: HeaderMap) -> Response {
    Visit::run(app, headers, move |visit| {
        let words = visit.words;
        let told = |name| visit.standing.as_ref().map(|s| s.str(name)).unwrap_or_default().to_owned();
        let available = visit.button().is_some_and(|button| button != "hidden");
        let teams = visit.button().map(|button| match button {
            "ready" => format!("{} {}", words.teams_connected, told("microsoft_account")),
            "sign-in" => words.teams_sign_in.to_owned(),
            "off" => words.teams_off.to_owned(),
            _ => words.teams_hidden.to_owned(),
        });
        let message = if available { told("mailbox_message") } else { told("message") };
        let frame = visit.frame("settings", &done, None);
        render(StatusCode::OK, &Settings { frame, teams, message, available })
    })
    .await
}

#[derive(Debug, Deserialize)]
pub(super) struct Chosen {
    language: String,
}

/// `POST /settings/language`
pub(super) async fn language(Shared(app): Shared<App>, Form(chosen): Form<Chosen>) -> Response {
    match Language::from_tag(&chosen.language) {
        Some(language) => {
            app.calendar.choose_language(language);
            Redirect::to("/settings?done=language").into_response()
        }
        None => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
    }
}

#[derive(Template)]
#[template(path = "teams.html")]
struct TeamsPage {
    frame: Frame,
    /// The page of teams-mirror's that is shown inside.
    inside: String,
}

impl Framing for TeamsPage {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn inside(&self) -> Option<&str> {
        Some(&self.inside)
    }
}

/// `GET /settings/teams`: teams-mirror's settings page inside this one.
pub(super) async fn teams(Shared(app): Shared<App>, headers: HeaderMap) -> Response {
    Visit::run(app, headers, |visit| match visit.app.calendar.settings_link() {
        Ok(inside) => {
            render(StatusCode::OK, &TeamsPage { frame: visit.frame("settings", &Done::default(), None), inside })
        }
        Err(why) => no_page(visit, why),
    })
    .await
}

/// `GET /settings/teams/open`: the same in a window of its own.
pub(super) async fn open(Shared(app): Shared<App>, headers: HeaderMap) -> Response {
    Visit::run(app, headers, |visit| match visit.app.calendar.settings_link() {
        Ok(link) => Redirect::to(&link).into_response(),
        Err(why) => no_page(visit, why),
    })
    .await
}

/// `GET /teams/sign-in`: straight to the sign-in where teams-mirror has a link for that, else to its settings page.
pub(super) async fn sign_in(Shared(app): Shared<App>, headers: HeaderMap) -> Response {
    Visit::run(app, headers, |visit| {
        let notices = visit.standing.as_ref().and_then(|s| s.json.get("notices")).and_then(Value::as_array);
        let link = notices.into_iter().flatten().find_map(|notice| notice.get("link")?.as_str());
        match link.map_or_else(|| visit.app.calendar.settings_link(), |link| Ok(link.to_owned())) {
            Ok(link) => Redirect::to(&link).into_response(),
            Err(why) => no_page(visit, why),
        }
    })
    .await
}

fn no_page(visit: &Visit, why: Option<String>) -> Response {
    let sentence = why.unwrap_or_else(|| visit.words.teams_no_page.to_owned());
    plain(StatusCode::BAD_GATEWAY, visit, visit.words.teams, sentence)
}
