//! A plain client of a calendar server: one request, one answer, whatever its status.

use std::time::Duration;

use base64::Engine as _;

pub use crate::radicale::Answer;
use crate::world::{SOON, until};

/// Everybody's.
pub const PASSWORD: &str = "pw";
/// The header by which a proxy that logs people in tells a server who asks.
pub const REMOTE_USER: &str = "x-remote-user";

/// Requests of any user to one address.
#[derive(Clone)]
pub struct Client {
    base: String,
    named_by: Option<&'static str>,
    agent: ureq::Agent,
}

impl Client {
    /// Logs in with name and password.
    pub fn of(base: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .max_idle_connections(0)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .into();
        Self { base: base.into(), named_by: None, agent }
    }

    /// Says its name in a header, as a proxy that has logged somebody in does.
    pub fn named_by(self, header: &'static str) -> Self {
        Self { named_by: Some(header), ..self }
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// # Errors
    /// Where nobody answers.
    pub fn try_request(
        &self,
        method: &str,
        path: &str,
        user: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, String> {
        let mut request = ureq::http::Request::builder().method(method).uri(self.url(path));
        if let Some(header) = self.named_by {
            request = request.header(header, user);
        } else {
            let login = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{PASSWORD}"));
            request = request.header("authorization", format!("Basic {login}"));
        }
        if body.starts_with('<') {
            request = request.header("content-type", "application/xml; charset=utf-8");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = self.agent.run(request.body(body.to_owned()).unwrap()).map_err(|e| e.to_string())?;
        let headers = answer.headers().iter();
        let headers =
            headers.map(|(n, v)| (n.as_str().to_owned(), v.to_str().unwrap_or_default().to_owned())).collect();
        let text = answer.body_mut().with_config().limit(100_000_000).read_to_string().map_err(|e| e.to_string())?;
        Ok(Answer { status: answer.status().as_u16(), headers, text })
    }

    pub fn request(&self, method: &str, path: &str, user: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut answer = self.try_request(method, path, user, headers, body);
        // A listen queue may be full; where the kernel resets a connection, clients come again.
        until(SOON, || {
            let reset = answer.as_ref().is_err_and(|error| error.contains("Connection reset"));
            if reset {
                answer = self.try_request(method, path, user, headers, body);
            }
            !reset
        });
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }
}
