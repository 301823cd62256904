//! An event as Graph answers it.

use serde_json::{Map, Value, json};

use crate::clock::graph_instant;
use crate::graph::draft::is_property;
use crate::graph::error::{Result, invalid};
use crate::graph::filter::same_extended;
use crate::graph::mailbox::{Event, Moment};
use crate::graph::prefer::Prefer;
use crate::html;

/// `$select` and `$expand` of a request.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    pub select: Option<Vec<String>>,
    /// The extended properties asked for.
    pub extended: Vec<String>,
    pub extensions: bool,
    /// `exceptionOccurrences` is expanded, and what is selected of each.
    pub exceptions: Option<Box<Shape>>,
    /// On a calendar view `onlineMeeting` stays null unless `isOnlineMeeting` is selected with it.
    pub calendar_view: bool,
}

impl Shape {
    pub(crate) fn read(query: &[(String, String)]) -> Result<Self> {
        let mut shape = Self::default();
        for (name, value) in query {
            match name.to_ascii_lowercase().as_str() {
                "$select" => {
                    let names: Vec<String> = value.split(',').map(|n| n.trim().to_owned()).collect();
                    if let Some(unknown) = names.iter().find(|n| !is_property(n)) {
                        return Err(invalid(
                            "RequestBroker--ParseUri",
                            format!("Could not find a property named '{unknown}' on type 'microsoft.graph.event'."),
                        ));
                    }
                    shape.select = Some(names);
                }
                "$expand" => shape.expand(value)?,
                _ => {}
            }
        }
        Ok(shape)
    }

    /// Several are parted by commas, those in brackets apart.
    fn expand(&mut self, value: &str) -> Result<()> {
        let mut depth = 0_i32;
        let parts = value.split(|c: char| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            c == ',' && depth == 0
        });
        parts.map(str::trim).try_for_each(|part| self.expand_one(part))
    }

    fn expand_one(&mut self, value: &str) -> Result<()> {
        let (name, options) = value.split_once('(').unwrap_or((value, ""));
        let options = options.strip_suffix(')').unwrap_or(options).trim();
        let filter = options.strip_prefix("$filter=").map(str::trim);
        match name.trim().to_ascii_lowercase().as_str() {
            "singlevalueextendedproperties" => {
                let filter = filter.ok_or_else(|| {
                    invalid(
                        "ErrorInvalidProperty",
                        "singleValueExtendedProperties can be expanded with a $filter on id only.",
                    )
                })?;
                self.extended.extend(super::filter::expand_ids(filter)?);
                Ok(())
            }
            "extensions" => {
                self.extensions = true;
                Ok(())
            }
            "exceptionoccurrences" => {
                let inner: Vec<(String, String)> = options
                    .split(';')
                    .filter_map(|option| option.split_once('='))
                    .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
                    .collect();
                self.exceptions = Some(Box::new(Shape::read(&inner)?));
                Ok(())
            }
            _ => Err(super::error::not_modelled(&format!("$expand={name}"))),
        }
    }
}

impl Event {
    /// The event's JSON; `base` is the address of Graph's root.
    pub(crate) fn render(&self, prefer: &Prefer, shape: &Shape) -> Value {
        let mut all = self.properties(prefer);
        if let Some(select) = &shape.select {
            let online_selected = select.iter().any(|name| name == "isOnlineMeeting");
            if shape.calendar_view && !online_selected {
                all.insert("onlineMeeting".into(), Value::Null);
            }
            all.retain(|name, _| name == "id" || name == "@odata.etag" || select.iter().any(|s| s == name));
        }
        let found: Vec<Value> = self
            .extended
            .iter()
            .filter(|(id, _)| shape.extended.iter().any(|asked| same_extended(id, asked)))
            .map(|(id, value)| json!({"id": id, "value": value}))
            .collect();
        if !found.is_empty() {
            all.insert("singleValueExtendedProperties".into(), Value::Array(found));
        }
        if shape.extensions {
            all.insert("extensions".into(), json!(self.extensions));
        }
        all.extend(self.asked_of_a_master(prefer, shape));
        Value::Object(all)
    }

    /// What of a master is shown only where `$select` names it, and of the exceptions only where they are expanded as well.
    fn asked_of_a_master(&self, prefer: &Prefer, shape: &Shape) -> Map<String, Value> {
        let mut asked = Map::new();
        let (Some(series), Some(select)) = (&self.series, &shape.select) else { return asked };
        let selected = |name: &str| select.iter().any(|own| own == name);
        if selected("cancelledOccurrences") {
            let id = if prefer.immutable_ids { &self.immutable_id } else { &self.id };
            let ids: Vec<String> = series.deleted.iter().map(|day| format!("OID.{id}.{day}")).collect();
            asked.insert("cancelledOccurrences".into(), json!(ids));
        }
        if selected("exceptionOccurrences")
            && let Some(inner) = &shape.exceptions
        {
            let shown: Vec<Value> = self.exceptions().iter().map(|event| event.render(prefer, inner)).collect();
            asked.insert("exceptionOccurrences".into(), Value::Array(shown));
        }
        asked
    }

    fn properties(&self, prefer: &Prefer) -> Map<String, Value> {
        let mut all = self.plain.clone();
        let mut set = |name: &str, value: Value| all.insert(name.to_owned(), value);
        let id = if prefer.immutable_ids { &self.immutable_id } else { &self.id };
        set("@odata.etag", json!(self.etag()));
        set("id", json!(id));
        set("createdDateTime", json!(graph_instant(self.created)));
        set("lastModifiedDateTime", json!(graph_instant(self.modified)));
        set("changeKey", json!(self.change_key));
        set("transactionId", json!(self.transaction_id));
        set("originalStartTimeZone", json!(self.start.zone));
        set("originalEndTimeZone", json!(self.end.zone));
        set("iCalUId", json!(self.ical_uid));
        set("hasAttachments", json!(false));
        set("bodyPreview", json!(preview(&self.body)));
        set("isAllDay", json!(self.is_all_day));
        set("isCancelled", json!(self.is_cancelled));
        set("isDraft", json!(false));
        set("isOrganizer", json!(self.is_organizer));
        let master =
            self.place.as_ref().map(|place| if prefer.immutable_ids { &place.master_immutable } else { &place.master });
        set("seriesMasterId", json!(master));
        set("type", json!(self.kind()));
        if let Some(place) = &self.place {
            set("originalStart", json!(place.original_start.format("%Y-%m-%dT%H:%M:%SZ").to_string()));
        }
        let item = percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC);
        set(
            "webLink",
            json!(format!("https://outlook.office365.com/owa/?itemid={item}&exvsurl=1&path=/calendar/item")),
        );
        set("onlineMeetingUrl", Value::Null);
        set("isOnlineMeeting", json!(self.meeting.is_some()));
        set("onlineMeetingProvider", json!(self.meeting.as_ref().map_or("unknown", |meeting| meeting.provider)));
        set("recurrence", json!(self.series.as_ref().map(|series| series.recurrence.render(&self.start.zone))));
        let response = if self.is_organizer { "organizer" } else { "notResponded" };
        set("responseStatus", json!({"response": response, "time": "0001-01-01T00:00:00Z"}));
        let body = if prefer.text_body {
            json!({"contentType": "text", "content": html::to_text(&self.body)})
        } else {
            json!({"contentType": "html", "content": self.body})
        };
        set("body", body);
        set("start", self.moment(&self.start, prefer));
        set("end", self.moment(&self.end, prefer));
        let (name, address) = &self.organizer;
        set("organizer", json!({"emailAddress": {"name": name, "address": address}}));
        let online = self.meeting.as_ref().map(|meeting| {
            json!({
                "joinUrl": meeting.join_url,
                "conferenceId": meeting.conference_id,
                "tollNumber": meeting.toll_number(),
            })
        });
        set("onlineMeeting", json!(online));
        all
    }

    /// Seven decimals, in UTC unless another zone is preferred. All-day events are dates, whatever the zone.
    fn moment(&self, moment: &Moment, prefer: &Prefer) -> Value {
        let (zone, local) = match (&prefer.zone, self.is_all_day) {
            (Some((name, _)), true) => (name.as_str(), moment.local),
            (Some((name, zone)), false) => (name.as_str(), moment.utc.with_timezone(zone).naive_local()),
            (None, true) => ("UTC", moment.local),
            (None, false) => ("UTC", moment.utc.naive_utc()),
        };
        json!({"dateTime": format!("{}0", local.format("%Y-%m-%dT%H:%M:%S%.6f")), "timeZone": zone})
    }
}

/// The first 255 characters of the body's text.
fn preview(body: &str) -> String {
    html::to_text(body).chars().take(255).collect()
}
