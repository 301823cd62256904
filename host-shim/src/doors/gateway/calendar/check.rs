//! What an administrator should know. Looks, and changes nothing: a gateway may be running.

use super::hook::Hook;
use super::{notes, write_back};
use crate::doors::gateway::check::Finding;
use crate::doors::gateway::config::{GatewayConfig, Service};

/// What is in order, and what is not.
pub(crate) async fn findings(config: &GatewayConfig) -> Vec<Finding> {
    let mut found = vec![match Hook::new(config) {
        Ok(hook) => answers(config, &hook).await,
        Err(why) => Finding::problem(why),
    }];
    found.push(match notes::look_at(&config.spool) {
        Ok(waiting) => {
            Finding::remark(format!("notes are kept in `{}`; waiting to be told: {waiting}", config.spool.display()))
        }
        Err(why) => Finding::problem(why),
    });
    if let Some(Service { password_file: Some(file), .. }) = &config.service
        && let Err(why) = std::fs::read_to_string(file)
    {
        found.push(Finding::problem(format!("`password_file`, `{}`, cannot be read: {why}", file.display())));
    }
    if config.address.is_none() {
        found.push(Finding::remark(
            "a calendar's owner is known by the first address that the server names; where users may change those themselves, name \
             `address`, or one of them could name another's",
        ));
    }
    found.push(Finding::remark(write_back::remark(config)));
    found
}

async fn answers(config: &GatewayConfig, hook: &Hook) -> Finding {
    match hook.account(&account(config)).await {
        Ok(answer) if answer.code() == "other-domain" && config.address.is_some() => {
            Finding::problem(format!("`address`: {}", answer.sentence()))
        }
        Ok(answer) if answer.code() == "account-invalid" => {
            Finding::problem(format!("`address` gives no address: {}", answer.sentence()))
        }
        Ok(_) => Finding::remark(format!("teams-mirror answers at `{}`", config.hook)),
        Err(error) => Finding::problem(format!("{error}. Until it answers, saves go on and are noted")),
    }
}

/// An account that nobody has, to ask the hook about.
pub(super) fn account(config: &GatewayConfig) -> String {
    let account = config.address.as_deref().unwrap_or("{user}").replace("{user}", "teams-mirror-check");
    if account.contains('@') { account } else { format!("{account}@teams-mirror.invalid") }
}
