//! Single requests, where what a browser would do next must not happen.

/// The status of a HEAD.
///
/// # Errors
/// Where nobody answers.
pub fn head(link: &str) -> Result<u16, String> {
    crate::agent().head(link).call().map(|answer| answer.status().as_u16()).map_err(|e| format!("{link}: {e}"))
}

/// The first cookie a GET is answered with, as it is set.
///
/// # Errors
/// Where nobody answers, or without a cookie.
pub fn first_cookie(link: &str, sends: &[(&str, &str)]) -> Result<String, String> {
    let request = sends.iter().fold(crate::agent().get(link), |request, (name, value)| request.header(*name, *value));
    let answer = request.call().map_err(|e| format!("{link}: {e}"))?;
    let cookie = answer.headers().get("set-cookie").and_then(|cookie| cookie.to_str().ok());
    cookie.map(str::to_owned).ok_or_else(|| format!("{link}: no cookie"))
}
