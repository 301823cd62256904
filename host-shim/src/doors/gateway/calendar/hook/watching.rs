//! What a watcher asks and tells the hook API.

use serde_json::json;

use super::{Answer, Bytes, Call, Event, Hook, Method, PROMPT, Query, Sent, StatusCode, Unanswered, account_path};
use crate::doors::hook::{EventView, ToldEventView, ToldView, WatchedAccountView, WatchedView};

/// How a call says that nothing was told before.
const NOTHING: &str = "none";

impl Hook {
    /// The accounts to watch.
    pub(crate) async fn watched(&self) -> Result<Vec<WatchedAccountView>, Unanswered> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let mut query = Query::default();
            query.add("after", after.as_deref());
            let answer = self.call(Call::new(Method::GET, "/v1/accounts".into(), query), PROMPT).await?;
            let page: WatchedView = whole(&answer)?;
            all.extend(page.accounts);
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    /// What was last told of an account's events; of all, or of those with a save that nobody reported.
    pub(crate) async fn told(&self, account: &str, unconfirmed: bool) -> Result<Vec<ToldEventView>, Unanswered> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let mut query = Query::default();
            query.add("after", after.as_deref());
            query.add("unconfirmed", unconfirmed.then_some("true"));
            let path = format!("{}/events", account_path(account));
            let page: ToldView = whole(&self.call(Call::new(Method::GET, path, query), PROMPT).await?)?;
            all.extend(page.events);
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    /// How an event stands; `None`: nothing is kept of it.
    pub(crate) async fn event(&self, event: Event<'_>) -> Result<Option<EventView>, Unanswered> {
        let answer = self.call(Call::new(Method::GET, event.path(), Query::default()), PROMPT).await?;
        if answer.status == StatusCode::NO_CONTENT { Ok(None) } else { whole(&answer).map(Some) }
    }

    /// An object holds a text, where `told` is still what was last told of the event.
    pub(crate) async fn tell_if(
        &self,
        event: Event<'_>,
        text: Bytes,
        calendar: (&str, Option<&str>),
        told: Option<&str>,
    ) -> Result<Answer, Unanswered> {
        let mut query = Query::default();
        query.add("object", event.object);
        query.calendar(calendar.0, calendar.1);
        query.add("stored", Some("true"));
        query.add("told", Some(told.unwrap_or(NOTHING)));
        let prefer = Some("respond-async".to_owned());
        self.call(Call { body: Sent::Calendar(text), prefer, ..Call::new(Method::PUT, event.path(), query) }, PROMPT)
            .await
    }

    /// An object is gone, where `told` is still what was last told of the event.
    pub(crate) async fn gone_if(&self, event: Event<'_>, told: &str) -> Result<Answer, Unanswered> {
        let mut query = Query::default();
        query.add("object", event.object);
        query.add("told", Some(told));
        self.call(Call::new(Method::DELETE, event.path(), query), PROMPT).await
    }

    /// So many coming events are older than the turning on.
    pub(crate) async fn older(&self, account: &str, count: usize, included: bool) -> Result<Answer, Unanswered> {
        let body = Sent::Json(json!({ "count": u32::try_from(count).unwrap_or(u32::MAX), "included": included }));
        let path = format!("{}/older", account_path(account));
        self.call(Call { body, ..Call::new(Method::PUT, path, Query::default()) }, PROMPT).await
    }
}

/// The body of an answer that is none of the hook's refusals.
fn whole<T: for<'de> serde::Deserialize<'de>>(answer: &Answer) -> Result<T, Unanswered> {
    if !answer.is_taken() {
        return Err(Unanswered::once(format!("the hook answers {}", answer.sentence())));
    }
    answer
        .read()
        .ok_or_else(|| Unanswered::once("the hook's answer is not what it should be; are both of one version?"))
}
