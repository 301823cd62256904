//! The user, the calendar, the mailbox's settings, time zone lists and id translation.

use serde_json::{Map, Value, json};

use crate::answer::{Answer, Call};
use crate::directory::User;
use crate::graph::error::{Result, invalid};
use crate::graph::events::body_object;
use crate::switches::TimeZoneAnswer;
use crate::world::World;
use crate::zones;

pub(crate) fn me(call: &Call, user: &User) -> Result<Answer> {
    let (given, family) = user.display_name.split_once(' ').unwrap_or((&user.display_name, ""));
    let all = json!({
        "businessPhones": [],
        "displayName": user.display_name,
        "givenName": given,
        "jobTitle": null,
        "mail": user.address,
        "mobilePhone": null,
        "officeLocation": null,
        "preferredLanguage": "en-US",
        "surname": family,
        "userPrincipalName": user.address,
        "id": user.graph_id(),
    });
    selected(call, "users/$entity", all)
}

pub(crate) fn calendar(call: &Call, user: &User) -> Result<Answer> {
    let all = calendar_object(user);
    selected(call, &format!("users('{}')/calendar/$entity", user.graph_id()), all)
}

pub(crate) fn calendars(call: &Call, user: &User) -> Answer {
    let context = format!("{}/v1.0/$metadata#users('{}')/calendars", call.base, user.graph_id());
    Answer::json(200, &json!({"@odata.context": context, "value": [calendar_object(user)]}))
}

fn calendar_object(user: &User) -> Value {
    json!({
        "id": format!("AQMkADAwCAL{}AAA=", user.object_id.replace('-', "")),
        "name": "Calendar",
        "color": "auto",
        "hexColor": "",
        "isDefaultCalendar": true,
        "changeKey": "NEXywgsVrkeNsFsyVyRrtAAAAAACOg==",
        "canShare": true,
        "canViewPrivateItems": true,
        "canEdit": true,
        "allowedOnlineMeetingProviders": user.kind.providers(),
        "defaultOnlineMeetingProvider": user.kind.default_provider(),
        "isTallyingResponses": true,
        "isRemovable": false,
        "owner": {"name": user.display_name, "address": user.address},
    })
}

pub(crate) fn mailbox_settings(world: &World, call: &Call, user: &User, part: Option<&str>) -> Result<Answer> {
    let all = json!({
        "archiveFolder": null,
        "timeZone": user.time_zone,
        "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
        "dateFormat": "dd.MM.yyyy",
        "timeFormat": "HH:mm",
        "automaticRepliesSetting": {"status": "disabled"},
        "language": {"locale": "en-US", "displayName": "English (United States)"},
        "workingHours": {
            "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
            "startTime": "08:00:00.0000000",
            "endTime": "17:00:00.0000000",
            "timeZone": {"name": user.time_zone},
        },
    });
    match part {
        None => selected(call, &format!("users('{}')/mailboxSettings", user.graph_id()), all),
        Some("timezone") if world.switches.time_zone_answer == TimeZoneAnswer::Plain => {
            Ok(Answer::json(200, &json!(user.time_zone)))
        }
        Some(part) => {
            let name = all.as_object().and_then(|all| all.keys().find(|key| key.eq_ignore_ascii_case(part)));
            let Some(name) = name else { return Err(super::no_such_segment(part)) };
            let context = format!("{}/v1.0/$metadata#users('{}')/mailboxSettings/{name}", call.base, user.graph_id());
            Ok(Answer::json(200, &json!({"@odata.context": context, "value": all.get(name)})))
        }
    }
}

/// `supportedTimeZones(TimeZoneStandard=…)`
pub(crate) fn supported_time_zones(call: &Call, function: &str) -> Answer {
    let names =
        if function.to_ascii_lowercase().contains("'iana'") { zones::iana_names() } else { zones::windows_names() };
    let value: Vec<Value> = names.iter().map(|name| json!({"alias": name, "displayName": name})).collect();
    let context = format!("{}/v1.0/$metadata#Collection(microsoft.graph.timeZoneInformation)", call.base);
    Answer::json(200, &json!({"@odata.context": context, "value": value}))
}

/// POST /me/translateExchangeIds, between default and immutable ids, a thousand at most.
pub(crate) fn translate_ids(world: &World, call: &Call, user: &User) -> Result<Answer> {
    let object = body_object(call)?;
    let ids = object.get("inputIds").and_then(Value::as_array).cloned().unwrap_or_default();
    if ids.is_empty() || ids.len() > 1_000 {
        return Err(invalid("ErrorInvalidParameter", "inputIds takes 1 to 1000 ids."));
    }
    let immutable = object.get("targetIdType").and_then(Value::as_str) == Some("restImmutableEntryId");
    let mailbox = world.mailboxes.get(&user.address);
    let value: Vec<Value> = ids
        .iter()
        .filter_map(Value::as_str)
        .map(|source| {
            let event = mailbox.and_then(|m| m.resolve(source, true).and_then(|id| m.find(&id)));
            match event {
                Some(event) => {
                    let target = if immutable { &event.immutable_id } else { &event.id };
                    json!({"sourceId": source, "targetId": target})
                }
                None => json!({"sourceId": source, "errorDetails": {"code": "ErrorInvalidIdMalformed", "message": "Id is malformed."}}),
            }
        })
        .collect();
    let context = format!("{}/v1.0/$metadata#Collection(microsoft.graph.convertIdResult)", call.base);
    Ok(Answer::json(200, &json!({"@odata.context": context, "value": value})))
}

fn selected(call: &Call, context: &str, all: Value) -> Result<Answer> {
    let mut members: Map<String, Value> = all.as_object().cloned().unwrap_or_default();
    if let Some((_, names)) = call.query_pairs().iter().find(|(name, _)| name.eq_ignore_ascii_case("$select")) {
        let names: Vec<&str> = names.split(',').map(str::trim).collect();
        if let Some(unknown) = names.iter().find(|name| !members.contains_key(**name)) {
            return Err(invalid("RequestBroker--ParseUri", format!("Could not find a property named '{unknown}'.")));
        }
        let with_id = context.contains("calendar");
        members.retain(|name, _| names.contains(&name.as_str()) || with_id && name == "id");
    }
    members.insert("@odata.context".into(), json!(format!("{}/v1.0/$metadata#{context}", call.base)));
    Ok(Answer::json(200, &Value::Object(members)))
}
