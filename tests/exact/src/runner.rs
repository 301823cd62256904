//! The product's logic, natively, against a simulator: what a host does around a hook, in memory.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use graph_sim::{Service, Simulator};
use teams_mirror_plugin::domain::{
    Account, CalendarObject, Context, History, HookError, Intent, Outcome, RemoteState, Setting, Wish,
};
use teams_mirror_plugin::host::{Host, HttpError, Level, Method, Request, Response};
use teams_mirror_plugin::prepare::{Save, prepare};
use teams_mirror_plugin::{mailbox, mirror};

/// The mailbox everything is mirrored into.
pub const MAILBOX: &str = "alice@contoso.example";
/// The account at the calendar server.
pub const ACCOUNT: &str = "alice@test.tld";

const SCOPES: &str = "offline_access User.Read Calendars.ReadWrite";
const TAG: &str = "0123456789abcdef0123456789abcdef";
/// As a host allows a hook.
const REQUESTS_OF_A_HOOK: usize = 50;
/// So often a save is tried before it counts as stuck.
const TRIES: usize = 400;

/// The time at which everything happens, whatever the time is.
#[must_use]
pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_796_115_600, 0).unwrap_or_default()
}

/// How a save ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It stands at Microsoft as the calendar has it; the join link where there is one.
    Mirrored(Option<String>),
    /// Nothing is to stand there, and why.
    Absent(String),
    /// It cannot be mirrored: the reason's code and its sentence.
    Refused(String, String),
}

/// One event of one account, and its mailbox.
#[derive(Debug)]
pub struct Mirror<'a> {
    sim: &'a Simulator,
    agent: ureq::Agent,
    token: String,
    account: Account,
    uid: String,
    mailbox: String,
    record: Option<Vec<u8>>,
    facts: Option<Vec<u8>>,
    ids: u128,
    left: usize,
    seen: bool,
    /// The host lost what it remembered, and looks before it creates.
    may_exist: bool,
    /// After so many more requests the host dies: nothing it is told after that is remembered.
    dies_after: Option<usize>,
}

impl<'a> Mirror<'a> {
    /// An event that was never saved, in the mailbox as it is.
    ///
    /// # Errors
    /// Where the simulator does not know the mailbox.
    pub fn new(sim: &'a Simulator, mailbox: &str, uid: &str, settings: &[(&str, &str)]) -> Result<Self, String> {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(20)))
            .build();
        let account = Account {
            address: ACCOUNT.to_owned(),
            time_zone: Some(crate::case::ACCOUNT_ZONE.name().to_owned()),
            language: "en".to_owned(),
            settings: settings
                .iter()
                .map(|&(name, value)| Setting { name: name.to_owned(), value: value.to_owned() })
                .collect(),
            ..Account::default()
        };
        let mut mirror = Self {
            sim,
            agent: config.new_agent(),
            token: String::new(),
            account,
            uid: uid.to_owned(),
            mailbox: mailbox.to_owned(),
            record: None,
            facts: None,
            ids: u128::from(sim.requests().len() as u64) << 64,
            left: REQUESTS_OF_A_HOOK,
            seen: false,
            may_exist: false,
            dies_after: None,
        };
        mirror.renew()?;
        Ok(mirror)
    }

    /// A further address of the account.
    pub fn also(&mut self, address: &str) {
        self.account.further_addresses.push(address.to_owned());
    }

    /// Looks what the mailbox can do, as a host does before the first hook.
    ///
    /// # Errors
    /// Where that does not succeed.
    pub fn inspect(&mut self) -> Result<(), String> {
        let account = self.account.clone();
        self.left = REQUESTS_OF_A_HOOK;
        let report = mailbox::inspect(self, &account, now().timestamp_millis()).map_err(|e| format!("{e:?}"))?;
        self.facts = Some(report.facts);
        Ok(())
    }

    /// Has the host die once, after so many more requests (at least one), in the middle of whatever it does then; `None`: it lives.
    pub fn dies_after(&mut self, requests: Option<usize>) {
        self.dies_after = requests;
    }

    /// The host lost what it remembered of the event, as after a restore, and knows that it did.
    pub fn forgets(&mut self) {
        self.record = None;
        self.may_exist = true;
    }

    fn is_dead(&self) -> bool {
        self.dies_after == Some(0)
    }

    fn renew(&mut self) -> Result<(), String> {
        let tokens = self.sim.tokens(&self.mailbox, SCOPES);
        self.token = tokens.get("access_token").and_then(|t| t.as_str()).ok_or("no such mailbox")?.to_owned();
        Ok(())
    }

    /// The requests Graph has seen so far.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.sim.requests_to(Service::Graph).len()
    }

    /// Saves a text and has it mirrored, however often that has to be tried.
    ///
    /// # Errors
    /// With a description, where it comes to no end, or to one that is nobody's fault but the product's.
    pub fn save(&mut self, text: &str, wish: Wish) -> Result<Ended, String> {
        let object = CalendarObject { uid: self.uid.clone(), tag: TAG.to_owned(), icalendar: text.to_owned() };
        let prepared = match prepare(&Save {
            account: self.account.clone(),
            object,
            mirrored: self.record.clone(),
            wish,
            history: if self.seen { History::SeenWithGuests } else { History::Unseen },
            draft: false,
            now_ms: self.sim.now().timestamp_millis(),
        }) {
            Ok(prepared) => prepared,
            Err(problem) => return Ok(Ended::Refused(problem.code, problem.message)),
        };
        self.seen = true;
        if let Some(problem) = prepared.rejected {
            return Ok(Ended::Refused(problem.code, problem.message));
        }
        let intent = Intent { mirror: prepared.mirror, meeting: prepared.meeting };
        if !intent.mirror && self.record.is_none() {
            return Ok(Ended::Absent(prepared.reason.unwrap_or_default()));
        }
        self.converge(&prepared.kept, intent)
    }

    /// The text the server should store for a save, without anything being asked of Microsoft.
    ///
    /// # Errors
    /// With the reason's code where the text is refused.
    pub fn stored(&self, text: &str, wish: Wish) -> Result<String, String> {
        let object = CalendarObject { uid: self.uid.clone(), tag: TAG.to_owned(), icalendar: text.to_owned() };
        let prepared = prepare(&Save {
            account: self.account.clone(),
            object,
            mirrored: self.record.clone(),
            wish,
            history: History::SeenWithGuests,
            draft: false,
            now_ms: self.sim.now().timestamp_millis(),
        });
        prepared.map(|prepared| prepared.icalendar).map_err(|problem| problem.code)
    }

    fn converge(&mut self, text: &str, intent: Intent) -> Result<Ended, String> {
        let object = CalendarObject { uid: self.uid.clone(), tag: TAG.to_owned(), icalendar: text.to_owned() };
        let mut last = String::new();
        for _ in 0..TRIES {
            let context = self.context();
            self.left = REQUESTS_OF_A_HOOK;
            let outcome = match self.record.clone() {
                None => mirror::on_create(self, &context, &object, intent),
                Some(record) => mirror::on_update(self, &context, &object, intent, &record),
            };
            if self.is_dead() {
                // What the hook came to died with the host; the next one finds what was remembered before.
                self.dies_after = None;
                continue;
            }
            match outcome {
                Ok(outcome) => return Ok(self.ended(outcome)),
                Err(HookError::Rejected(problem)) => return Ok(Ended::Refused(problem.code, problem.message)),
                Err(HookError::TryAgain(retry)) => {
                    last = retry.problem.code.clone();
                    self.wait(retry.after_ms);
                }
                Err(error) => {
                    let problem = error.problem();
                    return Err(format!("the hook failed: {}: {}", problem.code, problem.message));
                }
            }
        }
        Err(format!("no end after {TRIES} tries, the last of which ended with `{last}`"))
    }

    /// The event leaves the calendar.
    ///
    /// # Errors
    /// Where that comes to no end.
    pub fn delete(&mut self, text: &str) -> Result<(), String> {
        let object = CalendarObject { uid: self.uid.clone(), tag: TAG.to_owned(), icalendar: text.to_owned() };
        for _ in 0..TRIES {
            let Some(record) = self.record.clone() else { return Ok(()) };
            let context = self.context();
            self.left = REQUESTS_OF_A_HOOK;
            match mirror::on_delete(self, &context, &object, &record) {
                Ok(()) => {
                    self.record = None;
                    return Ok(());
                }
                Err(HookError::TryAgain(retry)) => self.wait(retry.after_ms),
                Err(error) => return Err(format!("the hook failed: {:?}", error.problem())),
            }
        }
        Err(format!("not deleted after {TRIES} tries"))
    }

    fn context(&self) -> Context {
        Context {
            account: self.account.clone(),
            mailbox: self.facts.clone(),
            now_ms: self.sim.now().timestamp_millis(),
            may_exist: self.may_exist,
            draft: false,
        }
    }

    fn ended(&mut self, outcome: Outcome) -> Ended {
        self.record = outcome.mirrored;
        match outcome.state {
            RemoteState::Mirrored => Ended::Mirrored(outcome.join_url),
            RemoteState::Absent | RemoteState::RemovedRemotely => Ended::Absent(outcome.reason.unwrap_or_default()),
        }
    }

    /// Lets the time pass that a host would wait; nobody sleeps.
    fn wait(&self, after_ms: Option<u64>) {
        let ms = i64::try_from(after_ms.unwrap_or(1_000).max(1_000)).unwrap_or(1_000);
        self.sim.advance(TimeDelta::milliseconds(ms));
    }

    fn exchange(&self, request: &Request) -> Result<Response, ureq::Error> {
        let base = format!("{}/v1.0", self.sim.base_url());
        let url =
            if request.path.starts_with(&base) { request.path.clone() } else { format!("{base}{}", request.path) };
        let method = match request.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        };
        let mut builder = ureq::http::Request::builder()
            .method(method)
            .uri(url)
            .header("Authorization", format!("Bearer {}", self.token));
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let mut answer = match &request.body {
            Some(body) => self.agent.run(builder.body(body.as_slice())?)?,
            None => self.agent.run(builder.body(())?)?,
        };
        let headers: Vec<(String, String)> = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned()))
            .collect();
        let retry_after_ms = headers
            .iter()
            .find(|(name, _)| name == "retry-after")
            .and_then(|(_, value)| value.parse::<f64>().ok())
            .and_then(|seconds| u64::try_from(Duration::from_secs_f64(seconds.clamp(0.0, 86_400.0)).as_millis()).ok());
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(1 << 20).read_to_vec()?;
        Ok(Response { status, headers, retry_after_ms, body })
    }
}

impl Host for Mirror<'_> {
    fn send(&mut self, request: Request) -> Result<Response, HttpError> {
        if self.is_dead() {
            return Err(HttpError::NotSent("the host is dead".to_owned()));
        }
        if let Some(left) = &mut self.dies_after {
            *left -= 1;
        }
        self.left = self.left.checked_sub(1).ok_or_else(|| HttpError::BudgetSpent("50 requests".to_owned()))?;
        let unanswered = |error: ureq::Error| HttpError::Unanswered(error.to_string());
        let answer = self.exchange(&request).map_err(unanswered)?;
        if answer.status != 401 {
            return Ok(answer);
        }
        // The clock was moved on: a host refreshes the token and sends once more.
        self.renew().map_err(HttpError::SignInNeeded)?;
        self.exchange(&request).map_err(unanswered)
    }

    fn save(&mut self, record: Option<Vec<u8>>) -> Result<(), String> {
        if !self.is_dead() {
            self.record = record;
        }
        Ok(())
    }

    fn new_id(&mut self) -> String {
        self.ids += 1;
        format!("{:032x}", self.ids)
    }

    fn log(&mut self, _: Level, _: &str) {}
}

/// A simulator at [`now`], with everything in it as at the start.
///
/// # Errors
/// Where it cannot be started.
pub fn simulator(seed: u64) -> Result<Simulator, String> {
    let sim = Simulator::start_seeded(([127, 0, 0, 1], 0).into(), seed).map_err(|e| e.to_string())?;
    fresh(&sim);
    Ok(sim)
}

/// Everything as at the start, at [`now`].
pub fn fresh(sim: &Simulator) {
    sim.reset();
    sim.advance(now() - sim.now());
}
