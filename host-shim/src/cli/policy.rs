//! `teams-mirror enable | disable | forget-rule | policy`: who may use it.

use axum::http::Method;

use super::output::{self, Output};
use super::scope::{ScopeArgs, named, option};
use super::{Context, Failure};
use crate::doors::admin::types::{RuleChange, RuleChanged, RuleInfo};
use crate::store::Scope;

/// Allow it: for everybody, a domain, a class or one account
///
/// Allows the users of a scope to use the extension. The narrowest rule decides: one for the account, else one for its
/// class, else one for its domain, else the one for the server; without any, nobody may. It holds at once; what had waited goes on. The user then
/// signs in once and turns it on.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  teams-mirror enable --server
  teams-mirror enable --domain example.org
  teams-mirror enable --class staff
  teams-mirror enable --account alice@example.org")]
pub(super) struct Enable {
    #[command(flatten)]
    scope: ScopeArgs,
}

/// Deny it: for everybody, a domain, a class or one account
///
/// Denies the users of a scope the extension. Nothing is sent for them any more and their button disappears; what stands in
/// their Teams calendars stays. Saves of mirrored events are recorded for 30 days and go through if it is enabled again.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  teams-mirror disable --account bob@example.org
  teams-mirror disable --domain example.org")]
pub(super) struct Disable {
    #[command(flatten)]
    scope: ScopeArgs,
}

/// Remove a rule, so that the next wider one counts
///
/// Removes the rule that `enable` or `disable` made for a scope. The next wider rule then counts.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  teams-mirror forget-rule --account bob@example.org
  teams-mirror forget-rule --server")]
pub(super) struct ForgetRule {
    #[command(flatten)]
    scope: ScopeArgs,
}

/// List the rules: who may use it, and why
///
/// Lists the rules, the widest first. The narrowest that fits an account decides; `teams-mirror status ADDRESS` tells which
/// that is.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  teams-mirror policy\n  teams-mirror status alice@example.org")]
pub(super) struct Policy {}

impl Enable {
    pub(super) fn run(self, context: &Context) -> Result<Output, Failure> {
        set(context, self.scope.scope(), Some(true))
    }
}

impl Disable {
    pub(super) fn run(self, context: &Context) -> Result<Output, Failure> {
        set(context, self.scope.scope(), Some(false))
    }
}

impl ForgetRule {
    pub(super) fn run(self, context: &Context) -> Result<Output, Failure> {
        set(context, self.scope.scope(), None)
    }
}

fn set(context: &Context, scope: Scope, allow: Option<bool>) -> Result<Output, Failure> {
    let client = context.client()?;
    let changed: RuleChanged = client.call(Method::PUT, "/policy", &RuleChange { scope, allow })?;
    let whom = named(&changed.scope);
    let text = match (changed.allow, changed.changed) {
        (Some(true), true) => format!("Allowed for {whom}.\n"),
        (Some(true), false) => format!("It was allowed for {whom} already.\n"),
        (Some(false), true) => {
            format!("Denied for {whom}: nothing is sent, and what stands in Teams calendars stays.\n")
        }
        (Some(false), false) => format!("It was denied for {whom} already.\n"),
        (None, true) => format!("The rule for {whom} is removed; the next wider one counts.\n"),
        (None, false) => format!("There was no rule for {whom}.\n"),
    };
    Output::new(&changed, text)
}

impl Policy {
    pub(super) fn run(self, context: &Context) -> Result<Output, Failure> {
        let rules: Vec<RuleInfo> = context.client()?.get("/policy")?;
        let text = if rules.is_empty() {
            output::paragraph(
                0,
                "There is no rule, so nobody may use it. `teams-mirror enable --server` allows it for everybody, \
                 `--domain DOMAIN` for a domain, `--class CLASS` for an account class, `--account ADDRESS` for one account.",
            )
        } else {
            let rows: Vec<Vec<String>> = rules.iter().map(row).collect();
            format!(
                "{}\nThe narrowest rule that fits decides; without one that fits, nobody may.\n",
                output::table(&["RULE", "SCOPE", "WHAT IT MEANS"], &rows)
            )
        };
        Output::new(&rules, text)
    }
}

fn row(rule: &RuleInfo) -> Vec<String> {
    let verb = if rule.allow { "may" } else { "may not" };
    let meaning = match &rule.scope {
        Scope::Server => format!("everybody {verb} use it, but for narrower rules"),
        Scope::Domain(name) => format!("users of `{name}` {verb} use it, but for rules of their own"),
        Scope::Class(name) => format!("accounts of the class `{name}` {verb} use it, but for rules of their own"),
        Scope::Account(name) | Scope::Own(name) => format!("`{name}` {verb} use it, whatever wider rules say"),
    };
    vec![if rule.allow { "allow" } else { "deny" }.into(), option(&rule.scope), meaning]
}

/// The policy in one sentence.
pub(super) fn summary(rules: &[RuleInfo]) -> String {
    let server = rules.iter().find(|rule| rule.scope == Scope::Server).map(|rule| rule.allow);
    let names = |allow: bool| -> Vec<String> {
        let own = rules.iter().filter(|rule| rule.allow == allow);
        own.filter_map(|rule| match &rule.scope {
            Scope::Server => None,
            Scope::Class(name) => Some(format!("class `{name}`")),
            Scope::Domain(name) | Scope::Account(name) | Scope::Own(name) => Some(format!("`{name}`")),
        })
        .collect()
    };
    let (allowed, denied) = (names(true), names(false));
    let mut text = match (server, allowed.is_empty()) {
        (Some(true), _) => "everybody".to_owned(),
        (_, true) => "nobody".to_owned(),
        (_, false) => some_of(&allowed),
    };
    if !denied.is_empty() && text != "nobody" {
        text.push_str(&format!(", not {}", some_of(&denied)));
    }
    text
}

fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut text = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more (`teams-mirror policy`)", names.len() - SHOWN));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_in_one_sentence() {
        let rule = |scope: Scope, allow| RuleInfo { scope, allow };
        let domain = |name: &str| Scope::Domain(name.into());
        let account = |name: &str| Scope::Account(name.into());
        assert_eq!(summary(&[]), "nobody");
        assert_eq!(summary(&[rule(Scope::Server, false), rule(account("a@x"), false)]), "nobody");
        assert_eq!(summary(&[rule(Scope::Server, true), rule(domain("x"), false)]), "everybody, not `x`");
        assert_eq!(summary(&[rule(domain("x"), true), rule(account("a@x"), false)]), "`x`, not `a@x`");
        let many: Vec<_> = (0..7).map(|n| rule(domain(&format!("d{n}")), true)).collect();
        assert_eq!(summary(&many), "`d0`, `d1`, `d2`, `d3`, `d4` and 2 more (`teams-mirror policy`)");
    }
}
