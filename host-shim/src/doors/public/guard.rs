//! What stands between a page and another site: headers, cookies, where a request comes from.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;

/// For every page that nobody may frame. Forms go to this door only.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
static SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// No page here may be cached, framed, sniffed, or tell another site where the user was.
pub(super) async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let mut set = |name, value| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    set(header::CACHE_CONTROL, "no-store");
    // With `no-referrer` browsers would send forms with `Origin: null`, which tells nothing.
    set(header::REFERRER_POLICY, "same-origin");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    response
}

/// The policy of the settings page: the webmails, and whoever shares our own origin, may frame it; its script is a file of ours.
pub(super) fn framed_policy(webmail_origins: &[String]) -> String {
    format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'self'{}",
        webmail_origins.iter().map(|origin| format!(" {origin}")).collect::<String>()
    )
}

/// Sets that policy.
pub(super) fn may_be_framed(mut response: Response, policy: &str) -> Response {
    if let Ok(policy) = HeaderValue::from_str(policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Whether a page is asked for by a frame: `None` where the browser does not say.
pub(super) fn is_framed(headers: &HeaderMap) -> Option<bool> {
    let dest = headers.get(&SEC_FETCH_DEST)?.to_str().ok()?;
    Some(matches!(dest, "iframe" | "frame" | "embed" | "object"))
}

/// Whether a form comes from a page of ours, as far as the browser tells (Fetch Metadata, `Origin`). The form's token is asked
/// for as well.
pub(super) fn is_from_here(headers: &HeaderMap, origin: &str) -> bool {
    let is = |name: &HeaderName, wanted: &str| headers.get(name).is_none_or(|value| value == wanted);
    is(&SEC_FETCH_SITE, "same-origin") && is(&header::ORIGIN, origin)
}

/// A cookie that only this browser holds and only this door gets. `framed`: where the page may be inside another site's, the
/// cookie counts there and nowhere else (CHIPS).
pub(super) fn set_cookie(response: &mut Response, name: &str, value: &str, seconds: u32, framed: bool) {
    let reach = if framed { "SameSite=None; Partitioned" } else { "SameSite=Lax" };
    let cookie = format!("{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; {reach}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// The values of a cookie: a browser may hold one for this site in a frame and one outside, and send both.
pub(super) fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(move |(known, _)| *known == name)
        .map(|(_, value)| value)
}

/// What the browser says of its user's languages.
pub(super) fn accept_language(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok())
}

/// A short name for what belongs to one sign-in, so that two tabs do not overwrite each other's cookies.
pub(super) fn short(secret: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(secret.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
