//! The pages' frame.

use askama::Template as _;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::Public;

/// A plain page: what happened, and what to do.
#[derive(askama::Template)]
#[template(path = "page.html")]
struct Page<'a> {
    lang: &'a str,
    title: &'a str,
    base: &'a str,
    paragraphs: &'a [String],
    next_step: &'a str,
}

/// Renders a page. Everything in it is escaped.
pub(super) fn page(status: StatusCode, base: &str, title: &str, paragraphs: &[String], next_step: &str) -> Response {
    let page = Page { lang: "en", title, base, paragraphs, next_step };
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

pub(super) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../../../templates/style.css")).into_response()
}

pub(super) async fn not_found(State(public): State<Public>) -> Response {
    page(
        StatusCode::NOT_FOUND,
        &public.base,
        "There is nothing here",
        &["This address belongs to the connection between your calendar and Microsoft Teams.".into()],
        "Go back to your webmail's settings and start from there.",
    )
}
