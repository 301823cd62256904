//! Who may use the extension, and how it behaves for whom.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::extract::{Asked, Body};
use super::types::{
    ChosenInfo, RuleChange, RuleChanged, RuleInfo, SettingChange, SettingChanged, SettingInfo, SettingsQuery,
};
use super::{Answer, Problem, accounts_problem, address, nearest, off_the_loop, scope, store_problem};
use crate::accounts::settings::Declared;
use crate::serve::Shim;
use crate::store::Scope;

/// `GET /policy`.
pub(super) async fn rules(State(shim): State<Arc<Shim>>) -> Answer<Vec<RuleInfo>> {
    off_the_loop(move || all(&shim)).await
}

/// `PUT /policy`.
pub(super) async fn set_rule(State(shim): State<Arc<Shim>>, Body(change): Body<RuleChange>) -> Answer<RuleChanged> {
    off_the_loop(move || {
        let scope = scope(change.scope)?;
        let before = all(&shim)?.into_iter().find(|rule| rule.scope == scope).map(|rule| rule.allow);
        shim.accounts().set_policy(&scope, change.allow).map_err(accounts_problem)?;
        // A rule that goes may allow as well: the wider one then counts. What still may not is parked again.
        shim.mirror().unpark(None, "policy").map_err(|e| store_problem(&e))?;
        Ok(RuleChanged { changed: before != change.allow, scope, allow: change.allow })
    })
    .await
}

/// The rules, the widest first.
pub(super) fn all(shim: &Shim) -> Result<Vec<RuleInfo>, Problem> {
    let mut rules: Vec<RuleInfo> = shim
        .accounts()
        .policy()
        .map_err(accounts_problem)?
        .into_iter()
        .map(|row| RuleInfo { scope: row.scope, allow: row.allow })
        .collect();
    rules.sort_by(|a, b| a.scope.cmp(&b.scope));
    Ok(rules)
}

/// `GET /settings`.
pub(super) async fn settings(
    State(shim): State<Arc<Shim>>,
    Asked(query): Asked<SettingsQuery>,
) -> Answer<Vec<SettingInfo>> {
    off_the_loop(move || {
        let account = query.account.as_deref().map(address).transpose()?;
        let declared = declared(&shim);
        let name = account.as_ref().map(crate::address::Address::as_str);
        let rows = crate::store::read(&**shim.store(), |tx| tx.settings(name)).map_err(|e| store_problem(&e))?;
        let held = match &account {
            Some(account) => shim.accounts().settings_for(account, &declared).map_err(accounts_problem)?,
            None => Vec::new(),
        };
        let settings = &shim.mirror().extension().description().settings;
        Ok(settings
            .iter()
            .map(|setting| {
                let mut chosen: Vec<ChosenInfo> = rows
                    .iter()
                    .filter(|row| row.name == setting.name)
                    // A choice for another domain says nothing about this account.
                    .filter(|row| match (&row.scope, &account) {
                        (Scope::Domain(domain), Some(account)) => domain == account.domain(),
                        _ => true,
                    })
                    .map(|row| ChosenInfo { scope: row.scope.clone(), value: row.value.clone() })
                    .collect();
                chosen.sort_by(|a, b| a.scope.cmp(&b.scope));
                let of_server = || chosen.iter().find(|c| c.scope == Scope::Server).map(|c| c.value.clone());
                let value = held
                    .iter()
                    .find(|(name, _)| *name == setting.name)
                    .map(|(_, value)| value.clone())
                    .or_else(of_server)
                    .unwrap_or_else(|| setting.default.clone());
                SettingInfo {
                    name: setting.name.clone(),
                    description: setting.description.clone(),
                    values: setting.values.clone(),
                    default: setting.default.clone(),
                    user_may: setting.user_may,
                    chosen,
                    value,
                }
            })
            .collect())
    })
    .await
}

/// `PUT /settings`.
pub(super) async fn set_setting(
    State(shim): State<Arc<Shim>>,
    Body(change): Body<SettingChange>,
) -> Answer<SettingChanged> {
    off_the_loop(move || {
        let scope = scope(change.scope)?;
        let declared = declared(&shim);
        // Invitations are the server's (RFC 6638) unless somebody says that it sends none.
        if change.name == "invitations" && change.value.as_deref() == Some("microsoft") && !change.server_invites_nobody {
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "invited-twice",
                "guests would be invited twice, by the calendar server and by Microsoft; if the server mails no invitations of \
                 its own, say so with `--server-invites-nobody`",
            ));
        }
        let held = crate::store::read(&**shim.store(), |tx| {
            let account = if let Scope::Account(name) = &scope { Some(name.as_str()) } else { None };
            tx.settings(account)
        })
        .map_err(|e| store_problem(&e))?;
        let chosen = held.iter().any(|row| row.scope == scope && row.name == change.name);
        // What an earlier version of the extension declared can still be taken back.
        if change.value.is_some() || !chosen {
            known(&declared, &change.name, change.value.as_deref())?;
        }
        shim.accounts()
            .set_setting(&scope, &change.name, change.value.as_deref(), &declared)
            .map_err(accounts_problem)?;
        Ok(SettingChanged { scope, name: change.name, value: change.value })
    })
    .await
}

/// The extension's settings as the accounts know them.
fn declared(shim: &Shim) -> Vec<Declared> {
    let settings = &shim.mirror().extension().description().settings;
    settings.iter().map(Declared::from).collect()
}

/// Sees whether the extension declares the setting and takes the value; what it does not is refused with what it does.
fn known(declared: &[Declared], name: &str, value: Option<&str>) -> Result<(), Problem> {
    let refused = |code: &str, why: String| Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, why));
    let Some(setting) = declared.iter().find(|setting| setting.name == name) else {
        let hint = nearest(name, declared.iter().map(|setting| setting.name.as_str()));
        return refused("setting-unknown", format!("the extension has no setting `{name}`{hint}"));
    };
    match value {
        Some(value) if !setting.values.is_empty() && !setting.values.iter().any(|known| known == value) => refused(
            "value-invalid",
            format!("`{name}` cannot be `{value}`; it can be `{}`", setting.values.join("`, `")),
        ),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::types::UserChoice;

    #[test]
    fn an_unknown_setting_names_the_nearest() {
        let setting = |name: &str, values: &[&str]| Declared {
            name: name.into(),
            values: values.iter().map(|&value| value.into()).collect(),
            default: String::new(),
            user_may: UserChoice::Nothing,
        };
        let declared = [setting("meetings", &["never", "always"]), setting("guest-list", &["on", "off"])];
        let problem = known(&declared, "meeting", Some("never")).unwrap_err();
        assert!(problem.detail.contains("did you mean `meetings`?"), "{}", problem.detail);
        let problem = known(&declared, "guest-list", Some("yes")).unwrap_err();
        assert!(problem.detail.contains("`on`, `off`"), "{}", problem.detail);
        known(&declared, "guest-list", Some("on")).unwrap();
        known(&declared, "guest-list", None).unwrap();
    }
}
