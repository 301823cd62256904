//! Whether the product's reasons are true: what an independent reading says of an object that was not mirrored.

use serde_json::Value;

use super::Verdict;
use super::answer::{list_of, local, text_of};
use super::lines::{all, events, first};
use crate::case::{Case, End, Override, Rule, Zone};
use crate::classify::{Fit, classify};
use crate::oracle::by_crate::ByCrate;

/// What the classifier says, where the object repeats and its rules can be read.
pub(super) fn fit(known: &Value) -> Option<Fit> {
    let rules = list_of(known, "rules");
    let repeats = !rules.is_empty() || !list_of(known, "rdates").is_empty();
    if !repeats || known.get("error").is_some() {
        return None;
    }
    if known.get("exrules").and_then(Value::as_u64) != Some(0) {
        return Some(Fit::Neither("EXRULE"));
    }
    let start = local(known.get("start")?)?;
    let mut case = Case::single("corpus", start, Zone::Floating);
    case.all_day = known.get("all_day").and_then(Value::as_bool)?;
    for rule in rules {
        let Some(mut read) = Rule::read(text_of(rule, "text")) else {
            return Some(Fit::Neither("a rule part beyond RFC 5545 or not of a calendar"));
        };
        if let Some(count) = rule.get("count").and_then(Value::as_u64) {
            read.end = End::Count(u32::try_from(count).unwrap_or(u32::MAX));
        } else if let Some(until) = rule.get("until").and_then(local) {
            read.end = End::Until(until);
        }
        case.rules.push(read);
    }
    case.rdates = list_of(known, "rdates").iter().filter_map(local).collect();
    let (moved, future) = (known.get("moved")?.as_u64()?, known.get("future")?.as_u64()?);
    for nth in 0..known.get("overrides")?.as_u64()? {
        case.overrides.push(Override {
            original: start,
            start: (nth < moved).then_some(start),
            length: None,
            subject: None,
            cancelled: false,
            and_future: nth < future,
        });
    }
    Some(classify(&case, true, &mut ByCrate).unwrap_or(Fit::Neither("too many occurrences")))
}

/// Whether a reason is false.
pub(super) fn untrue(why: &str, known: &Value, verdict: &Verdict) -> Option<String> {
    let expressible = matches!(verdict.fit, Some(Fit::Series | Fit::Set(_)));
    let unread = known.get("error").and_then(Value::as_str);
    let upper = verdict.text.to_ascii_uppercase();
    let wrong = match why {
        "no-start" => known.get("nothing").is_none() && unread.is_none(),
        "bad-date" | "end-before-start" => unread.is_none() && !ends_before_start(known),
        "cancelled" => !upper.contains("STATUS:CANCELLED"),
        "uid-missing" => first(events(&verdict.text), "UID").is_some_and(|uid| !uid.value.is_empty()),
        "too-large" => verdict.text.len() < 512 * 1024 && verdict.text.lines().count() < 10_000,
        "rule-unreadable" if !has_only_rule_parts(&verdict.text) => false,
        "rule-unreadable" | "rule-not-expressible" | "too-many-pieces" => expressible,
        "series-zone-unknown" => text_of(known, "zone").parse::<chrono_tz::Tz>().is_ok(),
        "not-icalendar" => unread.is_none() && !list_of(known, "occurrences").is_empty(),
        // Nothing of the event shows, and nothing should.
        _ => !(known.get("occurrences").is_some() && list_of(known, "occurrences").is_empty()),
    };
    wrong.then(|| format!("the reason `{why}` is not true ({:?}, {unread:?})", verdict.fit))
}

/// Whether each part of the rules has the form of one; the oracle passes over what has not.
fn has_only_rule_parts(text: &str) -> bool {
    let well_formed = |value: &str| value.split(';').all(|part| part.contains('='));
    all(events(text), "RRULE").iter().all(|rule| rule.parameters.is_empty() && well_formed(&rule.value))
}

fn ends_before_start(known: &Value) -> bool {
    known.get("backward").and_then(Value::as_bool).unwrap_or_default()
}
