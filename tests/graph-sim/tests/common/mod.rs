//! What the tests share: a plain HTTP client, and the steps of a sign-in as a browser takes them.

#![allow(dead_code, reason = "every test file uses another part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

use std::sync::Mutex;

use graph_sim::{CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, Simulator};
use serde_json::{Value, json};
use ureq::http::Request;

pub(crate) const SCOPES: &str = "openid profile offline_access User.Read Calendars.ReadWrite";
pub(crate) const ALICE: &str = "alice@contoso.example";
pub(crate) const BOB: &str = "bob@contoso.example";

pub(crate) fn start() -> Simulator {
    Simulator::start_seeded(([127, 0, 0, 1], 0).into(), 7).unwrap()
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    /// Graph's error code.
    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }

    /// Entra's error number.
    pub(crate) fn aadsts(&self) -> u64 {
        self.json()["error_codes"][0].as_u64().unwrap_or_else(|| panic!("{self:?}"))
    }

    /// A parameter of the redirect.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let location = self.header("location")?;
        let (_, query) = location.split_once(['?', '#'])?;
        url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// A hidden field of a page.
    pub(crate) fn field(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let (_, rest) = self.body.split_once(&mark).unwrap_or_else(|| panic!("no field {name} in {}", self.body));
        rest.split('"').next().unwrap().to_owned()
    }

    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }
}

/// An HTTP client with a cookie, like a browser that does not follow redirects by itself.
pub(crate) struct Http {
    agent: ureq::Agent,
    cookie: Mutex<Option<String>>,
}

impl Default for Http {
    fn default() -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_global(Some(std::time::Duration::from_secs(20)))
            .build();
        Self { agent: config.new_agent(), cookie: Mutex::new(None) }
    }
}

impl Http {
    pub(crate) fn try_send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Reply, ureq::Error> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(cookie) = self.cookie.lock().unwrap().as_deref() {
            request = request.header("Cookie", cookie);
        }
        let mut response = match body {
            Some(body) => self.agent.run(request.body(body).unwrap())?,
            None => self.agent.run(request.body(()).unwrap())?,
        };
        let headers: Vec<(String, String)> = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned()))
            .collect();
        if let Some((_, value)) = headers.iter().find(|(name, _)| name == "set-cookie") {
            *self.cookie.lock().unwrap() = value.split(';').next().map(str::to_owned);
        }
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(200_000_000).read_to_string()?;
        Ok(Reply { status, headers, body })
    }

    pub(crate) fn send(&self, method: &str, url: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Reply {
        self.try_send(method, url, headers, body).unwrap_or_else(|e| panic!("{method} {url}: {e}"))
    }

    pub(crate) fn get(&self, url: &str) -> Reply {
        self.send("GET", url, &[], None)
    }

    pub(crate) fn form(&self, url: &str, fields: &[(&str, &str)]) -> Reply {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        self.send("POST", url, &headers, Some(body.as_bytes()))
    }

    pub(crate) fn json(&self, method: &str, url: &str, value: &Value) -> Reply {
        self.send(method, url, &[("Content-Type", "application/json")], Some(value.to_string().as_bytes()))
    }

    /// GET authorize, with some parameters replaced (an empty value leaves one out) or added.
    pub(crate) fn authorize(&self, sim: &Simulator, tenant: &str, changes: &[(&str, &str)]) -> Reply {
        let mut parameters = vec![
            ("client_id", CLIENT_ID),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT_URI),
            ("scope", SCOPES),
            ("state", "s1"),
        ];
        parameters.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        parameters.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&parameters).finish();
        self.get(&format!("{}/{tenant}/oauth2/v2.0/authorize?{query}", sim.base_url()))
    }

    /// Answers the sign-in page.
    pub(crate) fn log_in(&self, sim: &Simulator, page: &Reply, address: &str) -> Reply {
        let ctx = page.field("ctx");
        let fields = [("ctx", ctx.as_str()), ("loginfmt", address), ("action", "next")];
        self.form(&format!("{}/common/login", sim.base_url()), &fields)
    }

    /// Answers the consent page.
    pub(crate) fn consent(&self, sim: &Simulator, page: &Reply, action: &str) -> Reply {
        let ctx = page.field("ctx");
        self.form(&format!("{}/common/consent", sim.base_url()), &[("ctx", ctx.as_str()), ("action", action)])
    }

    /// A whole sign-in, up to the code.
    pub(crate) fn code(&self, sim: &Simulator, address: &str, changes: &[(&str, &str)]) -> String {
        let page = self.authorize(sim, "common", changes);
        let mut reply = if page.status == 200 { self.log_in(sim, &page, address) } else { page };
        if reply.status == 200 {
            reply = self.consent(sim, &reply, "accept");
        }
        reply.parameter("code").unwrap_or_else(|| panic!("{reply:?}"))
    }

    /// The token endpoint, with the seeded application's credentials; changes as for `authorize`.
    pub(crate) fn token(&self, sim: &Simulator, tenant: &str, changes: &[(&str, &str)]) -> Reply {
        let mut fields = vec![("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)];
        fields.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        fields.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
        self.form(&format!("{}/{tenant}/oauth2/v2.0/token", sim.base_url()), &fields)
    }

    pub(crate) fn redeem(&self, sim: &Simulator, code: &str, more: &[(&str, &str)]) -> Reply {
        let mut fields = vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", REDIRECT_URI)];
        fields.retain(|(name, _)| !more.iter().any(|(changed, _)| changed == name));
        fields.extend(more);
        self.token(sim, "common", &fields)
    }

    pub(crate) fn refresh(&self, sim: &Simulator, token: &str, more: &[(&str, &str)]) -> Reply {
        let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
        fields.extend(more);
        self.token(sim, "common", &fields)
    }
}

/// A Graph client of one user.
pub(crate) struct Graph<'a> {
    pub(crate) sim: &'a Simulator,
    pub(crate) http: Http,
    pub(crate) token: String,
}

impl<'a> Graph<'a> {
    pub(crate) fn of(sim: &'a Simulator, address: &str) -> Self {
        Self::with(sim, address, SCOPES)
    }

    pub(crate) fn with(sim: &'a Simulator, address: &str, scopes: &str) -> Self {
        let token = sim.tokens(address, scopes)["access_token"].as_str().unwrap().to_owned();
        Self { sim, http: Http::default(), token }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        if path.starts_with("http") { path.to_owned() } else { format!("{}/v1.0{path}", self.sim.base_url()) }
    }

    pub(crate) fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Reply {
        self.try_call(method, path, headers, body).unwrap_or_else(|e| panic!("{method} {path}: {e}"))
    }

    pub(crate) fn try_call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Reply, ureq::Error> {
        let bearer = format!("Bearer {}", self.token);
        let mut all = vec![("Authorization", bearer.as_str())];
        if body.is_some() {
            all.push(("Content-Type", "application/json"));
        }
        all.extend(headers);
        let text = body.map(Value::to_string);
        self.http.try_send(method, &self.url(path), &all, text.as_deref().map(str::as_bytes))
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.call("GET", path, &[], None)
    }

    /// GET with query parameters, encoded.
    pub(crate) fn query(&self, path: &str, parameters: &[(&str, &str)]) -> Reply {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        self.get(&format!("{path}?{query}"))
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.call("POST", path, &[], Some(body))
    }

    pub(crate) fn patch(&self, id: &str, body: &Value) -> Reply {
        self.call("PATCH", &format!("/me/events/{id}"), &[], Some(body))
    }

    /// Creates an event: the plain one with some members replaced.
    pub(crate) fn create(&self, changes: &Value) -> Value {
        self.post("/me/events", &event(changes)).expect(201).json()
    }
}

/// An event to create: the plain one with some members replaced.
pub(crate) fn event(changes: &Value) -> Value {
    let mut event = json!({
        "subject": "Planning",
        "body": {"contentType": "html", "content": "<p>Agenda</p>"},
        "start": {"dateTime": "2027-03-01T10:00:00", "timeZone": "W. Europe Standard Time"},
        "end": {"dateTime": "2027-03-01T11:00:00", "timeZone": "W. Europe Standard Time"},
    });
    event.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    event
}

pub(crate) fn teams() -> Value {
    json!({"isOnlineMeeting": true, "onlineMeetingProvider": "teamsForBusiness"})
}

pub(crate) fn id(event: &Value) -> &str {
    event["id"].as_str().unwrap()
}

pub(crate) fn join_url(event: &Value) -> &str {
    event["onlineMeeting"]["joinUrl"].as_str().unwrap_or_else(|| panic!("no meeting in {event}"))
}

/// The claims of a token, unverified.
pub(crate) fn claims(token: &Value) -> Value {
    use base64::Engine;
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

impl Http {
    /// A new browser, and what it got from a path.
    pub(crate) fn default_at(sim: &Simulator, path: &str) -> (Self, Reply) {
        let http = Self::default();
        let reply = http.get(&format!("{}{path}", sim.base_url()));
        (http, reply)
    }
}
