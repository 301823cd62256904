//! How many requests at Graph each change costs, against the least it can cost.

use std::fmt::Write as _;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta, Weekday};
use graph_sim::Simulator;
use teams_mirror_plugin::domain::Wish;

use crate::case::{Case, End, Freq, Override, Rule, Zone, midnight};
use crate::runner::{Ended, MAILBOX, Mirror, fresh};

/// A row of the table.
#[derive(Debug, Clone)]
pub struct Cost {
    /// Which change.
    pub change: &'static str,
    /// What it is allowed to cost, in words.
    pub allowed: &'static str,
    /// In a number.
    pub most: usize,
    /// What it did cost: methods in their order.
    pub requests: Vec<String>,
}

impl Cost {
    /// Whether it costs no more than allowed.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.requests.len() <= self.most
    }
}

fn weekly() -> Case {
    let start = midnight(NaiveDate::from_ymd_opt(2027, 3, 1).unwrap_or_default()) + TimeDelta::hours(10);
    let zone = Zone::Named { id: "Europe/Berlin", zone: chrono_tz::Tz::Europe__Berlin, definition: "" };
    let mut case = Case::single("floors", start, zone);
    case.rules = vec![Rule { by_day: vec![(0, Weekday::Mon)], ..Rule::every(Freq::Weekly) }];
    case
}

fn week(nth: i64) -> NaiveDateTime {
    weekly().start + TimeDelta::weeks(nth)
}

fn renamed(nth: i64, subject: &str) -> Override {
    Override {
        original: week(nth),
        start: None,
        length: None,
        subject: Some(subject.to_owned()),
        cancelled: false,
        and_future: false,
    }
}

/// An event whose saves are counted.
struct Counted<'a> {
    sim: &'a Simulator,
    mirror: Mirror<'a>,
    case: Case,
}

impl<'a> Counted<'a> {
    fn created(sim: &'a Simulator, case: Case) -> Result<(Self, Vec<String>), String> {
        fresh(sim);
        let mut mirror = Mirror::new(sim, MAILBOX, &case.uid, &[])?;
        mirror.inspect()?;
        let mut counted = Self { sim, mirror, case };
        let requests = counted.save(Wish::Wanted)?;
        Ok((counted, requests))
    }

    fn save(&mut self, wish: Wish) -> Result<Vec<String>, String> {
        self.sim.clear_requests();
        match self.mirror.save(&self.case.text(), wish)? {
            Ended::Mirrored(_) => Ok(self.seen()),
            other => Err(format!("{other:?}\n{}", self.case.text())),
        }
    }

    fn changed(&mut self, change: impl FnOnce(&mut Case)) -> Result<Vec<String>, String> {
        change(&mut self.case);
        self.save(Wish::Keep)
    }

    fn seen(&self) -> Vec<String> {
        self.sim.requests_to(graph_sim::Service::Graph).into_iter().map(|request| request.method).collect()
    }
}

/// Makes every change once and counts.
///
/// # Errors
/// Where one of them does not succeed at all.
pub fn measure(sim: &Simulator) -> Result<Vec<Cost>, String> {
    let mut costs = Vec::new();
    let mut row = |change, allowed, most, requests| costs.push(Cost { change, allowed, most, requests });
    let plain = Case { rules: Vec::new(), ..weekly() };
    row("a single event", "1 POST", 1, Counted::created(sim, plain)?.1);

    let (mut series, made) = Counted::created(sim, weekly())?;
    row("a series", "1 POST", 1, made);
    row("a series renamed", "1 PATCH", 1, series.changed(|c| c.subject = "Renamed".to_owned())?);
    row(
        "a guest answers, SEQUENCE counts on",
        "0",
        0,
        series.changed(|c| c.more = "SEQUENCE:3\nATTENDEE;PARTSTAT=ACCEPTED:mailto:guest@else.example\n".to_owned())?,
    );
    row("an occurrence changed", "1 GET + 1 PATCH", 2, series.changed(|c| c.overrides.push(renamed(2, "Other")))?);
    row(
        "the same changed again",
        "1 PATCH",
        1,
        series.changed(|c| c.overrides.iter_mut().for_each(|o| o.subject = Some("Yet another".to_owned())))?,
    );
    row("an occurrence deleted", "1 GET + 1 DELETE", 2, series.changed(|c| c.exdates.push(week(4)))?);
    row(
        "an occurrence deleted whose id is known",
        "1 DELETE",
        1,
        series.changed(|c| {
            c.overrides.clear();
            c.exdates.push(week(2));
        })?,
    );
    row("a deleted occurrence back", "1 POST", 1, series.changed(|c| c.exdates.retain(|at| *at != week(4)))?);

    let mut disturbed = weekly();
    disturbed.overrides = vec![renamed(1, "One"), renamed(3, "Three")];
    disturbed.exdates = vec![week(5)];
    let (mut series, made) = Counted::created(sim, disturbed)?;
    row("a series with 3 exceptions", "1 POST + 1 GET + 3", 5, made);
    row(
        "another rule with 3 live exceptions",
        "1 PATCH + 1 GET + at most 3",
        5,
        series.changed(|c| c.rules.iter_mut().for_each(|rule| rule.end = End::Count(20)))?,
    );
    row(
        "another time with 3 live exceptions",
        "1 PATCH + 1 GET + at most 3",
        5,
        series.changed(|c| {
            let hour = TimeDelta::hours(1);
            c.start += hour;
            c.exdates.iter_mut().for_each(|at| *at += hour);
            c.overrides.iter_mut().for_each(|o| o.original += hour);
        })?,
    );
    sim.clear_requests();
    let text = series.case.text();
    series.mirror.delete(&text)?;
    row("the series deleted", "1 DELETE", 1, series.seen());

    let mut months = weekly();
    months.rules = vec![Rule { by_month_day: vec![1, 15], ..Rule::every(Freq::Monthly) }];
    let (mut set, made) = Counted::created(sim, months)?;
    row("a set of two series", "2 POST", 2, made);
    row("a set of two renamed", "2 PATCH", 2, set.changed(|c| c.subject = "Renamed".to_owned())?);
    Ok(costs)
}

/// The rows as a table.
#[must_use]
pub fn table(costs: &[Cost]) -> String {
    let mut text = format!("{:<42} {:<30} {:>4}\n", "change", "allowed", "cost");
    for cost in costs {
        let mark = if cost.holds() { "" } else { "  MORE THAN ALLOWED" };
        let _ = writeln!(
            text,
            "{:<42} {:<30} {:>4}  {}{mark}",
            cost.change,
            cost.allowed,
            cost.requests.len(),
            cost.requests.join(" ")
        );
    }
    text
}
