//! `$batch`: up to twenty requests in one.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Call};
use crate::faults::{self, FaultKind, Service};
use crate::graph::error::{GraphError, Result, application_throttled, invalid};
use crate::traffic::with_retry_after;
use crate::world::World;

pub(crate) fn serve(world: &mut World, call: &Call, app: &str, user: Option<&str>) -> Result<Answer> {
    let object = super::events::body_object(call)?;
    let requests =
        object.get("requests").and_then(Value::as_array).ok_or_else(|| malformed("`requests` is missing"))?;
    if requests.is_empty() || requests.len() > 20 {
        return Err(malformed("a batch has 1 to 20 requests"));
    }
    let mut seen: HashMap<String, u16> = HashMap::new();
    let mut responses = Vec::new();
    let parsed = requests.iter().map(Sub::read).collect::<Result<Vec<_>>>()?;
    for (at, sub) in parsed.iter().enumerate() {
        let earlier = parsed.get(..at).unwrap_or_default();
        if earlier.iter().any(|other| other.id == sub.id) {
            return Err(malformed("ids must be unique"));
        }
        if sub.depends_on.iter().any(|id| !earlier.iter().any(|other| other.id == *id)) {
            return Err(malformed("dependsOn names a request that does not come before"));
        }
    }
    for (at, sub) in parsed.iter().enumerate() {
        let failed = sub.depends_on.iter().any(|id| seen.get(id).is_none_or(|status| *status >= 400));
        let answer = if failed {
            let error = GraphError::new(424, "FailedDependency", "A request this one depends on failed.");
            world.graph_error(&error)
        } else if world.switches.batch_throttles_beyond.is_some_and(|most| at >= most) {
            let error = application_throttled("Application is over its MailboxConcurrency limit.");
            let after = world.switches.concurrency_retry_after.clone();
            with_retry_after(world.graph_error(&error), after.as_deref())
        } else {
            perform(world, call, sub, app, user)
        };
        seen.insert(sub.id.clone(), answer.status);
        responses.push(rendered(&sub.id, &answer));
    }
    // The answers come in no particular order.
    responses.reverse();
    Ok(Answer::json(200, &json!({"responses": responses})))
}

/// One request of the batch; faults that replace an answer hit it like any other.
fn perform(world: &mut World, outer: &Call, sub: &Sub, app: &str, user: Option<&str>) -> Answer {
    let (path, query) = sub.url.split_once('?').unwrap_or((&sub.url, ""));
    if path.trim_start_matches('/').to_ascii_lowercase().starts_with("$batch") {
        return world.graph_error(&invalid("BadRequest", "A batch cannot be nested."));
    }
    let mut headers = sub.headers.clone();
    headers.extend(outer.headers.iter().filter(|(name, _)| name == "authorization").cloned());
    let call = Call {
        service: Service::Graph,
        method: sub.method.clone(),
        path: format!("/v1.0/{}", path.trim_start_matches('/')),
        query: query.to_owned(),
        headers,
        body: sub.body.clone(),
        too_large: false,
        base: outer.base.clone(),
    };
    // Each request of a batch counts towards the limit of ten minutes like any other.
    let now = world.now();
    if let Some(user) = user {
        world.traffic.entry((app.to_owned(), user.to_owned())).or_default().arrivals.push_back(now);
    }
    let fault = faults::take(&mut world.faults, Service::Graph, &call.method, &call.path, user, Some(app));
    if let Some(FaultKind::Status { status, code, message, retry_after, .. }) = fault.as_ref().map(|f| &f.kind) {
        let mut error = super::error::usual(*status);
        error.code = code.clone().unwrap_or(error.code);
        error.message = message.clone().unwrap_or(error.message);
        return with_retry_after(world.graph_error(&error), retry_after.as_deref());
    }
    super::serve(world, &call)
}

struct Sub {
    id: String,
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    depends_on: Vec<String>,
}

impl Sub {
    fn read(value: &Value) -> Result<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let id = text("id").filter(|id| !id.is_empty()).ok_or_else(|| malformed("a request has no id"))?;
        let method = text("method").ok_or_else(|| malformed("a request has no method"))?.to_ascii_uppercase();
        let url = text("url").ok_or_else(|| malformed("a request has no url"))?;
        if url.contains("://") || url.starts_with("//") {
            return Err(malformed("a request's url is relative"));
        }
        let headers: Vec<(String, String)> = value
            .get("headers")
            .and_then(Value::as_object)
            .unwrap_or(&Map::new())
            .iter()
            .filter_map(|(name, value)| value.as_str().map(|value| (name.to_ascii_lowercase(), value.to_owned())))
            .collect();
        let body = match value.get("body") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(text)) => STANDARD.decode(text).unwrap_or_else(|_| text.clone().into_bytes()),
            Some(body) => body.to_string().into_bytes(),
        };
        if !body.is_empty() && !headers.iter().any(|(name, _)| name == "content-type") {
            return Err(malformed("a request with a body needs a Content-Type"));
        }
        let depends_on = value
            .get("dependsOn")
            .and_then(Value::as_array)
            .map(|ids| ids.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            .unwrap_or_default();
        Ok(Self { id, method, url, headers, body, depends_on })
    }
}

fn malformed(why: &str) -> GraphError {
    invalid("BadRequest", format!("The batch is malformed: {why}."))
}

fn rendered(id: &str, answer: &Answer) -> Value {
    let headers: Map<String, Value> = answer.headers.iter().map(|(n, v)| (n.clone(), json!(v))).collect();
    let mut response = Map::new();
    response.insert("id".into(), json!(id));
    response.insert("status".into(), json!(answer.status));
    response.insert("headers".into(), Value::Object(headers));
    if !answer.body.is_empty() {
        response.insert("body".into(), serde_json::from_slice(&answer.body).unwrap_or(Value::Null));
    }
    Value::Object(response)
}
