//! The user's way to the settings: behind the server's own login, to a one-time link of teams-mirror.

use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};

use super::introduce;
use super::owner::Person;
use super::path::canonical;
use super::server::{Who, principal_of};
use super::shared::Shared;
use crate::doors::gateway::{Body, full};

/// Where a CalDAV server says where it begins (RFC 6764 §5), and where most begin.
const BEGINNINGS: [&str; 2] = ["/.well-known/caldav", "/"];
/// Redirections followed from there.
const HOPS: usize = 4;

/// Who asks, as the server sees it.
enum Login {
    /// Somebody, by principal.
    Principal(String),
    /// Nobody: the server's own answer, which makes a browser ask.
    Refused(Response<Bytes>),
    /// The server does not say.
    Unknown(String),
}

/// Answers what is asked under the settings path; `rest`: what follows it.
pub(super) async fn answer(shared: &Shared, head: &Parts, rest: &str) -> Response<Body> {
    if !rest.is_empty() {
        return page(StatusCode::NOT_FOUND, "There is nothing here.");
    }
    if !matches!(head.method, Method::GET | Method::HEAD) {
        let mut answer = page(StatusCode::METHOD_NOT_ALLOWED, "This page is only looked at.");
        answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    let who = Who::sent(&head.headers, &shared.config);
    let principal = match login(shared, &who).await {
        Login::Principal(principal) => principal,
        Login::Refused(refusal) => return refused(refusal),
        Login::Unknown(why) => {
            tracing::warn!("the settings page cannot be shown: {why}");
            return page(
                StatusCode::BAD_GATEWAY,
                "The calendar server does not say who you are. Please try again later, or ask your administrator.",
            );
        }
    };
    if let Login::Principal(_) = login(shared, &who.without_credentials(&shared.config)).await {
        shared.loudly("open", || {
            "the server lets everybody in as somebody, so everybody could connect a Microsoft account with that calendar; the \
             settings page is closed until users log in"
                .into()
        });
        return page(
            StatusCode::FORBIDDEN,
            "The calendar server does not ask who you are, so your settings are closed. Ask your administrator.",
        );
    }
    let person = match shared.places.person(&who, &principal).await {
        Ok(Some(person)) => person,
        Ok(None) => {
            let sentence = "Your login belongs to no address, so there is nothing to set. Ask your administrator.";
            return page(StatusCode::NOT_FOUND, sentence);
        }
        Err(trouble) => {
            tracing::warn!(principal, %trouble, "the settings page cannot be shown");
            return page(
                StatusCode::BAD_GATEWAY,
                "The calendar server does not say who you are. Please try again later.",
            );
        }
    };
    if head.method == Method::HEAD {
        return shaped(StatusCode::OK, "text/plain", "");
    }
    leads_on(shared, &person, language(&head.headers)).await
}

async fn leads_on(shared: &Shared, person: &Person, language: Option<&str>) -> Response<Body> {
    let asked = async {
        introduce::at_the_door(shared, person, language).await?;
        shared.hook.settings_link(&person.account).await
    };
    let link = match asked.await {
        Ok(link) => link,
        Err(error) => {
            shared.unanswered(&error);
            return page(
                StatusCode::SERVICE_UNAVAILABLE,
                "Your Teams settings cannot be reached just now. Your calendar works; try again later.",
            );
        }
    };
    let url = link.is_taken().then(|| link.text("url")).flatten().and_then(|url| HeaderValue::from_str(url).ok());
    let Some(url) = url else {
        tracing::warn!(account = person.account, "no settings for a user: {}", link.sentence());
        let known = matches!(link.status, StatusCode::FORBIDDEN | StatusCode::CONFLICT);
        let status = if known { link.status } else { StatusCode::BAD_GATEWAY };
        return page(status, link.text("detail").unwrap_or("There are no settings for you."));
    };
    shared.people.learn(person);
    let mut answer = shaped(
        StatusCode::SEE_OTHER,
        "text/plain",
        "Your settings are at another address; your browser goes there by itself.",
    );
    answer.headers_mut().insert(header::LOCATION, url);
    answer
}

/// Asks the server who asks.
async fn login(shared: &Shared, who: &Who) -> Login {
    let mut last = Login::Unknown("nothing that speaks CalDAV was found".into());
    for beginning in BEGINNINGS {
        let mut path = beginning.to_owned();
        for _ in 0..HOPS {
            let answer = match shared.server.principal(who, &path).await {
                Ok(answer) => answer,
                Err(trouble) => return Login::Unknown(trouble.to_string()),
            };
            let status = answer.status();
            if status.is_redirection() {
                let place =
                    answer.headers().get(header::LOCATION).and_then(|place| place.to_str().ok()).and_then(canonical);
                match place {
                    Some(place) if place != path => path = place,
                    _ => break,
                }
                continue;
            }
            if status == StatusCode::UNAUTHORIZED {
                return Login::Refused(answer);
            }
            match principal_of(&answer) {
                Some(principal) => return Login::Principal(principal),
                None => last = Login::Unknown(format!("to a question about `{path}` it answers {status}")),
            }
            break;
        }
    }
    last
}

/// The server's own refusal, which makes the browser ask; where it would not, a page.
fn refused(refusal: Response<Bytes>) -> Response<Body> {
    let sentence = "Log in to your calendar first, then open this page again.";
    let mut answer = page(StatusCode::UNAUTHORIZED, sentence);
    for challenge in refusal.headers().get_all(header::WWW_AUTHENTICATE) {
        answer.headers_mut().append(header::WWW_AUTHENTICATE, challenge.clone());
    }
    answer
}

/// The first language a browser names.
fn language(headers: &HeaderMap) -> Option<&str> {
    let named = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    let first = named.split(',').next()?.split(';').next()?.trim();
    let plain = first.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
    (!first.is_empty() && first.len() <= 35 && plain).then_some(first)
}

fn page(status: StatusCode, sentence: &str) -> Response<Body> {
    let escaped = super::xml::escaped(sentence);
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta name=\"viewport\" content=\"width=device-width\"><title>Microsoft Teams</title>\
         <h1>Microsoft Teams</h1><p>{escaped}</p></html>"
    );
    shaped(status, "text/html; charset=utf-8", &html)
}

fn shaped(status: StatusCode, kind: &'static str, text: &str) -> Response<Body> {
    let mut answer = Response::new(full(text.to_owned()));
    *answer.status_mut() = status;
    let fields = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in fields {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browsers_first_language_counts() {
        let named = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, value.parse().unwrap());
            language(&headers).map(str::to_owned)
        };
        assert_eq!(named("de-AT,de;q=0.8").as_deref(), Some("de-AT"));
        assert_eq!(named("en;q=1").as_deref(), Some("en"));
        assert_eq!((named("*"), named("x y"), named("")), (None, None, None));
    }

    #[test]
    fn a_page_shows_no_markup_of_others() {
        let answer = page(StatusCode::OK, "<b>");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    }
}
