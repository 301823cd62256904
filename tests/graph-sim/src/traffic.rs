//! What happens to every request before and after it is answered: it is recorded, counted, throttled and made to fail.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::answer::{Answer, Call, member};
use crate::clock::plain_instant;
use crate::entra;
use crate::faults::{self, Fault, Service};
use crate::graph;
use crate::records::RequestRecord;
use crate::world::{TrafficKey, World};

/// What is known of a request once it has arrived.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub order: u64,
    pub key: Option<TrafficKey>,
    pub fault: Option<Fault>,
    pub throttled: Option<Answer>,
}

impl World {
    /// Records a request's arrival and decides whether it is throttled or hit by a fault.
    pub(crate) fn arrive(&mut self, call: &Call) -> Arrival {
        self.next_order += 1;
        let order = self.next_order;
        let (app, user) = self.identity(call);
        let key = match call.service {
            Service::Graph => app.clone().zip(user.clone()),
            Service::Token => app.clone().map(|app| (app, "token".to_owned())),
            Service::Authorize => None,
        };
        let start_tick = self.next_tick();
        let (in_flight, throttled) = match &key {
            Some(key) => self.admit(order, key, call.service),
            None => (1, None),
        };
        let fault = if throttled.is_some() {
            None
        } else {
            let (user, app) = (user.as_deref(), app.as_deref());
            faults::take(&mut self.faults, call.service, &call.method, &call.path, user, app)
        };
        let kind = fault.as_ref().and_then(|f| serde_json::to_value(&f.kind).ok());
        let contents = self.switches.request_log_contents;
        let record = RequestRecord {
            order,
            service: call.service,
            method: call.method.clone(),
            path: call.path.clone(),
            query: call.query.clone(),
            headers: if contents { call.headers.clone() } else { Vec::new() },
            body: if contents { String::from_utf8_lossy(&call.body).into_owned() } else { String::new() },
            status: None,
            user,
            app,
            started: plain_instant(self.now()),
            ended: None,
            start_tick,
            end_tick: None,
            in_flight,
            fault: kind.and_then(|kind| kind.get("kind").and_then(|name| name.as_str().map(str::to_owned))),
        };
        self.requests.push_back(record);
        while self.requests.len() > self.switches.request_log_limit {
            self.requests.pop_front();
        }
        Arrival { order, key, fault, throttled }
    }

    /// Records a request's end. `status` is `None` where the connection was cut.
    pub(crate) fn depart(&mut self, arrival: &Arrival, status: Option<u16>, retry_after: Option<&str>) {
        let (now, tick) = (self.now(), self.next_tick());
        // Orders rise within the log, and requests end soon after they began.
        if let Some(record) = self.requests.iter_mut().rev().find(|record| record.order == arrival.order) {
            record.status = status;
            record.ended = Some(plain_instant(now));
            record.end_tick = Some(tick);
        }
        let Some(key) = &arrival.key else { return };
        let traffic = self.traffic.entry(key.clone()).or_default();
        traffic.in_flight = traffic.in_flight.saturating_sub(1);
        if matches!(status, Some(429 | 503))
            && let Some(until) = retry_after.and_then(|text| retry_moment(text, now))
        {
            traffic.retry_until = traffic.retry_until.max(Some(until));
        }
    }

    fn admit(&mut self, order: u64, key: &TrafficKey, service: Service) -> (u32, Option<Answer>) {
        let now = self.now();
        let (limit, rate) = (self.switches.concurrency_limit, self.switches.requests_per_ten_minutes);
        let traffic = self.traffic.entry(key.clone()).or_default();
        traffic.in_flight += 1;
        traffic.most_in_flight = traffic.most_in_flight.max(traffic.in_flight);
        let in_flight = traffic.in_flight;
        let window = now - TimeDelta::minutes(10);
        while traffic.arrivals.front().is_some_and(|at| *at <= window) {
            traffic.arrivals.pop_front();
        }
        // A throttled request counts as well.
        traffic.arrivals.push_back(now);
        let arrivals = traffic.arrivals.len();
        let oldest = traffic.arrivals.front().copied().unwrap_or(now);
        let retry_until = traffic.retry_until.filter(|until| *until > now);
        if let Some(until) = retry_until {
            let detail = format!("called again {} ms before the time it was told", (until - now).num_milliseconds());
            self.violation(order, "retry_after", detail, key);
        }
        if service != Service::Graph {
            return (in_flight, None);
        }
        if in_flight > limit {
            self.violation(order, "concurrency", format!("{in_flight} requests in flight, {limit} allowed"), key);
            let after = self.switches.concurrency_retry_after.clone();
            let error = graph::error::application_throttled("Application is over its MailboxConcurrency limit.");
            let answer = self.graph_error(&error);
            return (in_flight, Some(with_retry_after(answer, after.as_deref())));
        }
        if arrivals > rate {
            self.violation(order, "rate", format!("{arrivals} requests in ten minutes, {rate} allowed"), key);
            let after = (oldest + TimeDelta::minutes(10) - now).num_seconds().max(1).to_string();
            let answer = self.graph_error(&graph::error::too_many_requests());
            return (in_flight, Some(with_retry_after(answer, Some(&after))));
        }
        if let Some(until) = retry_until.filter(|_| self.switches.retry_after_enforced) {
            let left = (until - now).as_seconds_f64();
            let answer = self.graph_error(&graph::error::too_many_requests());
            return (in_flight, Some(with_retry_after(answer, Some(&format!("{left:.3}")))));
        }
        (in_flight, None)
    }

    /// The application and the user a request speaks for.
    fn identity(&self, call: &Call) -> (Option<String>, Option<String>) {
        match call.service {
            Service::Graph => match call.header("authorization").and_then(|value| value.strip_prefix("Bearer ")) {
                Some(token) => self
                    .access_tokens
                    .get(token.trim())
                    .map_or((None, None), |token| (Some(token.app.clone()), token.user.clone())),
                None => (None, None),
            },
            Service::Token => {
                let form = call.form();
                let app = entra::token::client_credentials(call, &form).0;
                let code = member(&form, "code").and_then(|code| self.codes.get(code)).map(|code| code.user.clone());
                let refresh = member(&form, "refresh_token")
                    .and_then(|token| self.refresh_tokens.get(token))
                    .map(|token| token.user.clone());
                (app, code.or(refresh))
            }
            Service::Authorize => {
                let query = call.query_pairs();
                (member(&query, "client_id").map(str::to_owned), None)
            }
        }
    }

    /// The answer of the service itself.
    pub(crate) fn serve(&mut self, call: &Call, fault: Option<&Fault>) -> Answer {
        match call.service {
            Service::Graph => graph::serve(self, call),
            Service::Token => entra::token::serve(self, call, fault),
            Service::Authorize => entra::serve(self, call, fault),
        }
    }

    /// `request-id`, `client-request-id` and `Date` on a Graph answer.
    pub(crate) fn mark(&mut self, call: &Call, answer: Answer) -> Answer {
        if call.service != Service::Graph {
            let id = self.rng.guid();
            return answer.with("x-ms-request-id", &id);
        }
        let id = self.rng.guid();
        let client = call.header("client-request-id").map_or_else(|| id.clone(), str::to_owned);
        answer.with("request-id", &id).with("client-request-id", &client).with(
            "x-ms-ags-diagnostic",
            &json!({"ServerInfo": {"DataCenter": "Simulated", "Slice": "E", "Ring": "0", "ScaleUnit": "000"}})
                .to_string(),
        )
    }
}

pub(crate) fn with_retry_after(answer: Answer, after: Option<&str>) -> Answer {
    match after {
        Some(after) => answer.with("Retry-After", after),
        None => answer,
    }
}

/// The moment a `Retry-After` names; nothing where it names none.
fn retry_moment(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if let Ok(seconds) = text.trim().parse::<f64>() {
        // Longer than a century is as good as never, and would overflow.
        return (seconds > 0.0 && seconds < 3.2e9).then(|| now + TimeDelta::milliseconds((seconds * 1000.0) as i64));
    }
    DateTime::parse_from_rfc2822(text.trim()).ok().map(|at| at.with_timezone(&Utc))
}
