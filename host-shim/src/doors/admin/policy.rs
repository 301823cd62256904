//! Who may use the extension, and how it behaves for whom.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::extract::{Asked, Body};
use super::types::{
    ChosenInfo, RuleChange, RuleChanged, RuleInfo, SettingChange, SettingChanged, SettingInfo, SettingsQuery,
};
use super::{Answer, Problem, accounts_problem, address, nearest, off_the_loop, scope, store_problem};
use crate::accounts::settings::{Counting, Declared, entries};
use crate::accounts::{calendars, watching};
use crate::component::types::SettingDeclaration;
use crate::serve::Shim;
use crate::store::Scope;

/// `GET /policy`.
pub(super) async fn rules(State(shim): State<Arc<Shim>>) -> Answer<Vec<RuleInfo>> {
    off_the_loop(move || all(&shim)).await
}

/// `PUT /policy`.
pub(super) async fn set_rule(State(shim): State<Arc<Shim>>, Body(change): Body<RuleChange>) -> Answer<RuleChanged> {
    off_the_loop(move || {
        let scope = crate::accounts::policy::normal(&scope(change.scope)?).map_err(accounts_problem)?;
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
        let chosen =
            account.as_ref().map(|account| shim.accounts().chosen(account).map_err(accounts_problem)).transpose()?;
        let rows = match &chosen {
            Some(chosen) => chosen.rows().to_vec(),
            None => crate::store::read(&**shim.store(), |tx| tx.settings(None)).map_err(|e| store_problem(&e))?,
        };
        let info = |setting: SettingDeclaration| {
            let declared = Declared::from(&setting);
            let mut at: Vec<ChosenInfo> = rows
                .iter()
                .filter(|row| row.name == setting.name)
                .map(|row| ChosenInfo { scope: row.scope.clone(), value: row.value.clone() })
                .collect();
            at.sort_by(|a, b| a.scope.cmp(&b.scope));
            let Counting { value, decided_by } = match &chosen {
                Some(chosen) => chosen.counting(&declared),
                None => of_server(&at, &declared),
            };
            SettingInfo {
                name: setting.name,
                description: setting.description,
                values: setting.values,
                default: setting.default,
                user_may: setting.user_may,
                chosen: at,
                value,
                decided_by,
            }
        };
        Ok(shim.mirror().settings().into_iter().map(info).collect())
    })
    .await
}

/// What counts of a setting where nothing narrower is chosen.
fn of_server(chosen: &[ChosenInfo], setting: &Declared) -> Counting {
    match chosen.iter().find(|chosen| chosen.scope == Scope::Server) {
        Some(chosen) => Counting { value: chosen.value.clone(), decided_by: Some(Scope::Server) },
        None => Counting { value: setting.default.clone(), decided_by: None },
    }
}

/// `PUT /settings`.
pub(super) async fn set_setting(
    State(shim): State<Arc<Shim>>,
    Body(change): Body<SettingChange>,
) -> Answer<SettingChanged> {
    off_the_loop(move || {
        let scope = crate::accounts::policy::normal(&scope(change.scope)?).map_err(accounts_problem)?;
        let declared = shim.mirror().declared_settings();
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
        let replaced = match &scope {
            Scope::Account(name) => {
                let own = Scope::Own(name.clone());
                held.iter().find(|row| row.scope == own && row.name == change.name).map(|row| row.value.clone())
            }
            _ => None,
        };
        // What an earlier version of the extension declared can still be taken back.
        if change.value.is_some() || !(chosen || replaced.is_some()) {
            known(declared, &change.name, change.value.as_deref())?;
        }
        shim.accounts()
            .set_setting(&scope, &change.name, change.value.as_deref(), declared)
            .map_err(accounts_problem)?;
        Ok(SettingChanged { scope, name: change.name, value: change.value, replaced })
    })
    .await
}

/// Sees whether the extension declares the setting and takes the value; what it does not is refused with what it does.
fn known(declared: &[Declared], name: &str, value: Option<&str>) -> Result<(), Problem> {
    let refused = |code: &str, why: String| Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, why));
    let Some(setting) = declared.iter().find(|setting| setting.name == name) else {
        let hint = nearest(name, declared.iter().map(|setting| setting.name.as_str()));
        return refused("setting-unknown", format!("the extension has no setting `{name}`{hint}"));
    };
    match value {
        // Whoever empties the list of the only calendars may mean none or all; this may not be guessed.
        Some(value) if name == calendars::ONLY && entries(value).next().is_none() => refused(
            "value-invalid",
            format!(
                "`{name}` names no calendar; write `{name}=all`, or the only ones; `exclude-calendars` leaves some out"
            ),
        ),
        Some(value) if watching::refusal(name, value).is_some() => {
            refused("value-invalid", watching::refusal(name, value).unwrap_or_default())
        }
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
        let declared = [setting("calendars", &[]), setting("exclude-calendars", &[])];
        for nothing in ["", " , "] {
            let problem = known(&declared, "calendars", Some(nothing)).unwrap_err();
            assert!(problem.detail.contains("write `calendars=all`"), "{}", problem.detail);
        }
        known(&declared, "calendars", Some("work")).unwrap();
        known(&declared, "exclude-calendars", Some("")).unwrap();
    }
}
