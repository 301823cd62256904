//! The pages' frame, and those that only say something.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::{Public, guard};
use crate::words::{self, Words};

/// A plain page: what happened, and what to do.
#[derive(Template)]
#[template(path = "message.html")]
pub(super) struct Message<'a> {
    pub(super) w: &'static Words,
    pub(super) base: &'a str,
    /// A stable word for what the page says.
    pub(super) code: &'a str,
    pub(super) title: String,
    pub(super) paragraphs: Vec<String>,
    pub(super) next_step: String,
    /// Where the next step leads, if it is a link, and whether that is another window.
    pub(super) link: Option<Link>,
}

/// A way on from a page.
pub(super) struct Link {
    pub(super) href: String,
    pub(super) text: String,
    pub(super) new_window: bool,
}

impl Message<'_> {
    pub(super) fn page(&self, status: StatusCode) -> Response {
        render(self, status)
    }
}

/// Renders a page. Everything in it is escaped.
pub(super) fn render(template: &impl Template, status: StatusCode) -> Response {
    match template.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A page whose sentences are `id-title`, `id` and `id-next`.
pub(super) fn said(public: &Public, w: &'static Words, id: &str, status: StatusCode) -> Response {
    Message {
        w,
        base: &public.base,
        code: id,
        title: w.say(&format!("{id}-title")),
        paragraphs: vec![w.say(id)],
        next_step: w.say(&format!("{id}-next")),
        link: None,
    }
    .page(status)
}

/// Something failed here that the user can do nothing about.
pub(super) fn broken(public: &Public, headers: &HeaderMap) -> Response {
    let w = words::choose(None, guard::accept_language(headers));
    said(public, w, "broken", StatusCode::INTERNAL_SERVER_ERROR)
}

/// Goes on with a plain GET, whatever brought the browser here (RFC 9700 §4.12).
pub(super) fn see_other(location: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    match HeaderValue::from_str(location) {
        Ok(location) => {
            response.headers_mut().insert(header::LOCATION, location);
            response
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

pub(super) async fn style() -> Response {
    text("text/css; charset=utf-8", include_str!("../../../templates/style.css"))
}

pub(super) async fn script() -> Response {
    text("text/javascript; charset=utf-8", include_str!("../../../templates/settings.js"))
}

fn text(kind: &'static str, content: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=300")], content).into_response()
}

pub(super) async fn not_found(State(public): State<Public>, headers: HeaderMap) -> Response {
    let w = words::choose(None, guard::accept_language(&headers));
    said(&public, w, "nothing-here", StatusCode::NOT_FOUND)
}
