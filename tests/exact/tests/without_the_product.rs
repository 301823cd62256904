//! Simulator, oracle and classifier against each other, without the product in between: whatever the classifier calls
//! expressible is mapped to Graph here, by the table of graph-facts A3 and nothing else, and must then show exactly what
//! the oracle says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Weekday};
use exact::case::{Case, End, Freq, Length, Rule, Zone};
use exact::classify::{Fit, classify};
use exact::dice::Dice;
use exact::oracle::by_crate::ByCrate;
use exact::oracle::{self, Expand};
use exact::runner::MAILBOX;
use exact::{compare, generate, runner};
use graph_sim::Simulator;
use serde_json::{Value, json};

/// A plain Graph client.
struct Graph<'a> {
    sim: &'a Simulator,
    agent: ureq::Agent,
    token: String,
}

impl<'a> Graph<'a> {
    fn new(sim: &'a Simulator) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build();
        let token = sim.tokens(MAILBOX, "Calendars.ReadWrite")["access_token"].as_str().unwrap().to_owned();
        Self { sim, agent: config.new_agent(), token }
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}/v1.0{path}", self.sim.base_url()))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Content-Type", "application/json");
        let mut answer = match body {
            Some(body) => self.agent.run(request.body(body.to_string().into_bytes()).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        }
        .unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or_default())
    }
}

/// The zone's name at Microsoft.
fn windows(zone: &Zone) -> &'static str {
    use chrono_tz::Tz;
    match zone.meaning() {
        Tz::UTC => "UTC",
        Tz::Europe__Madrid => "Romance Standard Time",
        Tz::Europe__London => "GMT Standard Time",
        Tz::America__New_York | Tz::America__Toronto => "Eastern Standard Time",
        Tz::America__Los_Angeles => "Pacific Standard Time",
        Tz::America__Sao_Paulo => "E. South America Standard Time",
        Tz::Asia__Tokyo => "Tokyo Standard Time",
        Tz::Asia__Kolkata => "India Standard Time",
        Tz::Australia__Sydney => "AUS Eastern Standard Time",
        Tz::Pacific__Auckland => "New Zealand Standard Time",
        _ => "W. Europe Standard Time",
    }
}

fn day_name(day: Weekday) -> &'static str {
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"][day.num_days_from_monday() as usize]
}

fn index(nth: i32) -> &'static str {
    match nth {
        1 => "first",
        2 => "second",
        3 => "third",
        4 => "fourth",
        _ => "last",
    }
}

/// A rule as rules each of which says one thing, by the fixed split.
fn split(case: &Case, rule: &Rule) -> Vec<Rule> {
    if matches!(rule.freq, Freq::Daily | Freq::Weekly) {
        return vec![rule.clone()];
    }
    let months: Vec<Option<u32>> = match (rule.by_month.as_slice(), rule.freq) {
        ([], Freq::Yearly) => vec![Some(case.start.month())],
        ([], _) => vec![None],
        (months, _) => months.iter().copied().map(Some).collect(),
    };
    let mut pieces = Vec::new();
    for month in months {
        let piece = Rule { by_month: month.into_iter().collect(), ..rule.clone() };
        if !rule.by_set_pos.is_empty() {
            pieces.extend(rule.by_set_pos.iter().map(|pos| Rule { by_set_pos: vec![*pos], ..piece.clone() }));
        } else if !rule.by_day.is_empty() {
            pieces.extend(rule.by_day.iter().map(|day| Rule { by_day: vec![*day], ..piece.clone() }));
        } else {
            let own = vec![i32::try_from(case.start.day()).unwrap()];
            let days = if rule.by_month_day.is_empty() { &own } else { &rule.by_month_day };
            pieces.extend(days.iter().map(|day| Rule { by_month_day: vec![*day], ..piece.clone() }));
        }
    }
    pieces
}

/// A piece's pattern by the table; `first` is its first date.
fn pattern(rule: &Rule, first: NaiveDateTime) -> Value {
    let days: Vec<&str> = rule.by_day.iter().map(|(_, day)| day_name(*day)).collect();
    // A month on a grid of months comes round every so many years.
    let years = |interval: u32| match rule.freq {
        Freq::Yearly => interval,
        _ => (1..).find(|years| (years * 12) % interval == 0).unwrap(),
    };
    match (rule.freq, rule.by_month.first(), rule.by_day.is_empty()) {
        (Freq::Daily, _, true) => json!({"type": "daily", "interval": rule.interval}),
        (Freq::Daily | Freq::Weekly, _, _) => json!({
            "type": "weekly",
            "interval": rule.interval,
            "daysOfWeek": if days.is_empty() { vec![day_name(first.weekday())] } else { days },
            "firstDayOfWeek": day_name(rule.week_start),
        }),
        (_, month, true) => {
            let day = rule.by_month_day[0];
            let day = if day == -1 { 31 } else { day };
            match month {
                None => json!({"type": "absoluteMonthly", "interval": rule.interval, "dayOfMonth": day}),
                Some(month) => {
                    json!({"type": "absoluteYearly", "interval": years(rule.interval), "dayOfMonth": day, "month": month})
                }
            }
        }
        (_, month, false) => {
            let nth = rule.by_set_pos.first().copied().unwrap_or(rule.by_day[0].0);
            match month {
                None => {
                    json!({"type": "relativeMonthly", "interval": rule.interval, "daysOfWeek": days, "index": index(nth)})
                }
                Some(month) => json!({
                    "type": "relativeYearly", "interval": years(rule.interval), "daysOfWeek": days, "index": index(nth), "month": month,
                }),
            }
        }
    }
}

fn times(case: &Case, start: NaiveDateTime, length: Length) -> Value {
    let end = match length {
        Length::End(by) => start + by,
        Length::Duration(days, seconds) => start + TimeDelta::days(days.into()) + TimeDelta::seconds(seconds.into()),
        Length::Nothing => start + if case.all_day { TimeDelta::days(1) } else { TimeDelta::zero() },
    };
    let at = |time: NaiveDateTime| json!({"dateTime": time.format("%Y-%m-%dT%H:%M:%S").to_string(), "timeZone": windows(&case.zone)});
    json!({"start": at(start), "end": at(end), "isAllDay": case.all_day})
}

/// Puts the event into the mailbox, piece by piece.
fn mirror(graph: &Graph<'_>, case: &Case) -> Result<(), String> {
    let (_, to) = oracle::window(case);
    let mut covered = BTreeSet::new();
    let mut masters = Vec::new();
    let body = |start: NaiveDateTime| {
        let mut body = times(case, start, case.length);
        body["subject"] = json!(case.subject);
        body
    };
    for rule in &case.rules {
        // Forty times every fourth year are long.
        let far = match (rule.end, rule.freq) {
            (End::Never, _) => to,
            (_, Freq::Monthly) => to + TimeDelta::days(6_000),
            (_, Freq::Yearly) => to + TimeDelta::days(60_000),
            _ => to + TimeDelta::days(1_000),
        };
        let last = match rule.end {
            End::Never => None,
            _ => Some(oracle::dates_of(case, rule, far, &mut ByCrate).unwrap().last().copied()),
        };
        for piece in split(case, rule) {
            let mut dates = ByCrate.expand(&piece.body(), case.start, far, None).map_err(|e| format!("{e:?}"))?;
            if let Some(last) = last {
                dates.retain(|at| last.is_some_and(|last| *at <= last));
            }
            let Some(first) = dates.first().copied() else { continue };
            let range = match last.flatten() {
                None => json!({"type": "noEnd", "startDate": first.date().to_string()}),
                Some(last) => {
                    json!({"type": "endDate", "startDate": first.date().to_string(), "endDate": last.date().to_string()})
                }
            };
            let mut whole = body(first);
            whole["recurrence"] = json!({"pattern": pattern(&piece, first), "range": range});
            let (status, answer) = graph.call("POST", "/me/events", Some(&whole));
            if status != 201 {
                return Err(format!("{whole}: {answer}"));
            }
            masters.push(answer["id"].as_str().unwrap().to_owned());
            covered.extend(dates);
        }
    }
    let alone: BTreeSet<NaiveDateTime> = case.rdates.iter().copied().chain([case.start]).collect();
    for at in alone.difference(&covered).filter(|at| !case.exdates.contains(at)) {
        let (status, answer) = graph.call("POST", "/me/events", Some(&body(*at)));
        if status != 201 {
            return Err(answer.to_string());
        }
    }
    for at in case.exdates.iter().filter(|at| covered.contains(at)) {
        let instant = if case.all_day { at.and_utc() } else { case.instants(*at)[0] };
        let id =
            masters.iter().find_map(|master| instance(graph, master, instant)).ok_or_else(|| format!("no {at}"))?;
        assert_eq!(graph.call("DELETE", &format!("/me/events/{id}"), None).0, 204);
    }
    Ok(())
}

fn instance(graph: &Graph<'_>, master: &str, at: DateTime<chrono::Utc>) -> Option<String> {
    let text = |at: DateTime<chrono::Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let window = format!(
        "startDateTime={}&endDateTime={}&$top=50",
        text(at - TimeDelta::hours(2)),
        text(at + TimeDelta::hours(2))
    );
    let (_, answer) = graph.call("GET", &format!("/me/events/{master}/instances?{window}"), None);
    let list = answer["value"].as_array()?;
    // Two hours that are one by the clock differ by one hour.
    let same = |event: &&Value| {
        event["originalStart"]
            .as_str()
            .unwrap()
            .parse::<DateTime<chrono::Utc>>()
            .is_ok_and(|start| start == at || start == at + TimeDelta::hours(1))
    };
    list.iter().find(same).map(|event| event["id"].as_str().unwrap().to_owned())
}

#[test]
fn what_is_called_expressible_can_be_expressed() {
    let fresh = getrandom::u64().unwrap();
    println!("fresh seed {fresh}");
    let mut counted = [0, 0];
    for (seed, number) in [(1, 400), (fresh, 200)] {
        let sim = runner::simulator(seed).unwrap();
        let mut dice = Dice::new(seed);
        for n in 0..number {
            let mut case = generate::case(&mut dice, n, &mut ByCrate);
            // Exceptions are Graph's business, tested there; what is in question here is the split.
            case.overrides.clear();
            let clamps = dice.percent(50);
            let Ok(known) = oracle::occurrences(&case, &mut ByCrate) else { continue };
            match classify(&case, clamps, &mut ByCrate).unwrap() {
                Fit::Series => counted[0] += 1,
                Fit::Set(_) => counted[1] += 1,
                Fit::Neither(_) => continue,
            }
            runner::fresh(&sim);
            sim.switches(|switches| switches.recurrence_clamps = clamps);
            let graph = Graph::new(&sim);
            let outcome = mirror(&graph, &case).and_then(|()| {
                compare::compare(&case, &known, &compare::rows(&sim, MAILBOX, &case), DateTime::UNIX_EPOCH)
            });
            if let Err(what) = outcome {
                panic!("seed {seed}, case {n}, clamp {clamps}: {what}\n{}", case.text());
            }
        }
    }
    println!("{} by one series, {} by a set", counted[0], counted[1]);
    assert!(counted[0] > 200 && counted[1] > 50);
}

// A judge that finds everything right would be none.
#[test]
fn what_is_wrong_is_noticed() {
    let sim = runner::simulator(1).unwrap();
    let start = chrono::NaiveDate::from_ymd_opt(2027, 3, 1).unwrap().and_hms_opt(10, 0, 0).unwrap();
    let berlin = Zone::Named { id: "Europe/Berlin", zone: chrono_tz::Tz::Europe__Berlin, definition: "" };
    let mut right = Case::single("wrong", start, berlin);
    right.rules = vec![Rule { end: End::Count(60), ..Rule::every(Freq::Weekly) }];
    right.exdates = vec![start + TimeDelta::weeks(3)];
    let wrong = |change: &dyn Fn(&mut Case)| {
        let mut case = right.clone();
        change(&mut case);
        runner::fresh(&sim);
        mirror(&Graph::new(&sim), &case).unwrap();
        let known = oracle::occurrences(&right, &mut ByCrate).unwrap();
        compare::compare(&right, &known, &compare::rows(&sim, MAILBOX, &right), DateTime::UNIX_EPOCH)
    };
    assert_eq!(wrong(&|_| {}), Ok(()));
    assert!(wrong(&|case| case.exdates.clear()).unwrap_err().starts_with("too much (1 of 59)"));
    assert!(wrong(&|case| case.exdates.push(start)).unwrap_err().starts_with("missing (1 of 59)"));
    assert!(wrong(&|case| case.subject.push('!')).is_err());
    assert!(wrong(&|case| case.length = Length::End(TimeDelta::minutes(59))).is_err());
    assert!(wrong(&|case| case.rules[0].end = End::Never).is_err());
    // At noon in London it is one o'clock in Berlin, all year round: the same instants, another zone.
    let london = |case: &mut Case| {
        case.zone = Zone::Named { id: "Europe/London", zone: chrono_tz::Tz::Europe__London, definition: "" };
        case.start -= TimeDelta::hours(1);
        case.exdates[0] -= TimeDelta::hours(1);
    };
    assert!(wrong(&london).unwrap_err().starts_with("in another zone"));
    // Fixed to UTC it is an hour off in summer.
    let utc = |case: &mut Case| {
        london(case);
        case.zone = Zone::Utc;
    };
    assert!(wrong(&utc).unwrap_err().starts_with("missing"));
}
