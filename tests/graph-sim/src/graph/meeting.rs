//! Online meetings: join links in both forms, and the block Microsoft writes into the body.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::directory::User;
use crate::html;
use crate::rng::Rng;
use crate::switches::{BlobCheck, JoinUrlFormat};

/// A meeting an event has.
#[derive(Debug, Clone)]
pub(crate) struct Meeting {
    pub provider: &'static str,
    pub join_url: String,
    pub conference_id: String,
    /// The block as it stands in the body.
    pub block: String,
}

const IN_LINK: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');
const RULE: &str = "<div style=\"width:100%; height:20px\"><span style=\"white-space:nowrap; color:gray; opacity:.36\">________________________________________________________________________________</span>\r\n</div>";
const TOLL: &str = "+1 323-555-0166";
const SMALL: &str = "font-size:12px; text-decoration:none; color:#6264a7";

impl Meeting {
    pub(crate) fn new(provider: &'static str, format: JoinUrlFormat, owner: &User, rng: &mut Rng) -> Self {
        let conference_id = rng.digits(9);
        if provider != "teamsForBusiness" {
            let name = owner.address.split('@').next().unwrap_or_default();
            let domain = owner.address.split('@').nth(1).unwrap_or_default();
            let join_url = format!("https://meet.lync.com/{domain}/{name}/{}", rng.hex(8));
            let block = format!(
                "{RULE}\r\n<div class=\"me-email-text\"><a class=\"me-email-headline\" href=\"{}\">Join Skype Meeting</a></div>\r\n{RULE}",
                html::escape(&join_url)
            );
            return Self { provider, join_url, conference_id, block };
        }
        let thread = rng.text(48).replace(['-', '_'], "x");
        let (join_url, block) = match format {
            JoinUrlFormat::MeetupJoin => {
                let context = format!("{{\"Tid\":\"{}\",\"Oid\":\"{}\"}}", owner.tenant, owner.object_id);
                let url = format!(
                    "https://teams.microsoft.com/l/meetup-join/19%3ameeting_{thread}%40thread.v2/0?context={}",
                    lower_escapes(&utf8_percent_encode(&context, IN_LINK).to_string())
                );
                let block = old_block(&url, &conference_id, &thread, owner);
                (url, block)
            }
            JoinUrlFormat::Meet => {
                let id = rng.digits(13);
                let hash = rng.text(18).replace(['-', '_'], "x");
                let url = format!("https://teams.microsoft.com/meet/{id}?p={hash}");
                let block = new_block(&url, &id, &rng.text(8).replace(['-', '_'], "x"), &thread, owner);
                (url, block)
            }
        };
        Self { provider, join_url, conference_id, block }
    }

    /// Whether a body still carries this meeting's block.
    pub(crate) fn is_in(&self, document: &str, check: BlobCheck) -> bool {
        let plain = html::unescape(document);
        match check {
            BlobCheck::JoinUrl => plain.contains(&self.join_url),
            BlobCheck::Block => plain.contains(&self.join_url) && plain.contains("me-email-text"),
            BlobCheck::Verbatim => squash(document).contains(&squash(&self.block)),
        }
    }

    pub(crate) fn toll_number(&self) -> &'static str {
        TOLL
    }
}

/// White space apart, also between tags.
fn squash(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Microsoft writes the escapes of the join link in lower case.
fn lower_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut escaped = 0;
    for c in text.chars() {
        if c == '%' {
            escaped = 2;
            out.push(c);
        } else if escaped > 0 {
            escaped -= 1;
            out.push(c.to_ascii_lowercase());
        } else {
            out.push(c);
        }
    }
    out
}

fn options(thread: &str, owner: &User) -> String {
    format!(
        "https://teams.microsoft.com/meetingOptions/?organizerId={}&amp;tenantId={}&amp;threadId=19_meeting_{thread}@thread.v2&amp;messageId=0&amp;language=en-US",
        owner.object_id, owner.tenant
    )
}

// The block as the page "Enable an event as an online meeting in an Outlook calendar" prints it.
fn old_block(url: &str, conference_id: &str, thread: &str, owner: &User) -> String {
    let link = |href: &str, text: &str| {
        format!(
            "<a class=\"me-email-link\" target=\"_blank\" href=\"{href}\" rel=\"noreferrer noopener\" style=\"{SMALL}\">{text}</a>"
        )
    };
    let grouped = conference_id
        .as_bytes()
        .chunks(3)
        .map(|group| String::from_utf8_lossy(group).into_owned())
        .collect::<Vec<_>>()
        .join(" ");
    format!(
        "{RULE}\r\n\
         <div class=\"me-email-text\" style=\"color:#252424; font-family:'Segoe UI','Helvetica Neue',Helvetica,Arial,sans-serif\">\r\n\
         <div style=\"margin-top:24px; margin-bottom:10px\"><a class=\"me-email-headline\" href=\"{}\" target=\"_blank\" rel=\"noreferrer noopener\" style=\"font-size:18px; font-family:'Segoe UI Semibold','Segoe UI','Helvetica Neue',Helvetica,Arial,sans-serif; text-decoration:underline; color:#6264a7\">Join\r\n Microsoft Teams Meeting</a> </div>\r\n\
         <div>\r\n<div><a class=\"me-email-link\" href=\"tel:&#43;1 323-555-0166,,{conference_id}# \" target=\"_blank\" rel=\"noreferrer noopener\" style=\"font-size:14px; text-decoration:none; color:#6264a7\">&#43;1 323-555-0166</a>\r\n\
         <span style=\"font-size:12px\">&nbsp; United States, Los Angeles (Toll) </span></div>\r\n</div>\r\n\
         <div style=\"margin-top:10px; margin-bottom:20px\"><span style=\"font-size:12px\">Conference ID:\r\n</span><span style=\"font-size:14px\">{grouped}# </span></div>\r\n\
         <div style=\"margin-bottom:24px\">{} | {} | {} | {} </div>\r\n\
         <div style=\"font-size:14px; margin-bottom:4px\"></div>\r\n<div style=\"font-size:12px\"></div>\r\n</div>\r\n{RULE}",
        html::escape(url),
        link(
            &format!("https://dialin.teams.microsoft.com/{}?id={conference_id}", owner.object_id),
            "Local\r\n numbers"
        ),
        link("https://mysettings.lync.com/pstnconferencing", "Reset PIN"),
        link("https://aka.ms/JoinTeamsMeeting", "Learn more about Teams"),
        link(&options(thread, owner), "Meeting options"),
    )
}

// The newer block in outline: what matters is that neither its words nor its link look like the old one's.
fn new_block(url: &str, id: &str, passcode: &str, thread: &str, owner: &User) -> String {
    let grouped =
        id.as_bytes().chunks(3).map(|group| String::from_utf8_lossy(group).into_owned()).collect::<Vec<_>>().join(" ");
    format!(
        "{RULE}\r\n\
         <div class=\"me-email-text\" lang=\"en-US\" style=\"max-width:1024px; color:#242424; font-family:'Segoe UI','Helvetica Neue',Helvetica,Arial,sans-serif\">\r\n\
         <div style=\"margin-bottom:24px; overflow:hidden; white-space:nowrap\"><span style=\"font-size:24px; font-weight:700\">Microsoft Teams meeting</span></div>\r\n\
         <div style=\"margin-bottom:12px\"><a id=\"meet_invite_block.action.join_link\" class=\"me-email-headline\" href=\"{}\" target=\"_blank\" rel=\"noreferrer noopener\" style=\"font-size:20px; font-weight:600; text-decoration:underline; color:#5B5FC7\">Join the meeting now</a></div>\r\n\
         <div style=\"margin-bottom:6px\"><span style=\"font-size:14px; color:#616161\">Meeting ID: </span><span style=\"font-size:14px\">{grouped}</span></div>\r\n\
         <div style=\"margin-bottom:32px\"><span style=\"font-size:14px; color:#616161\">Passcode: </span><span style=\"font-size:14px\">{passcode}</span></div>\r\n\
         <div><span style=\"font-size:14px\">For organizers: </span><a id=\"meet_invite_block.action.organizer_meet_options\" class=\"me-email-link\" href=\"{}\" target=\"_blank\" rel=\"noreferrer noopener\" style=\"font-size:14px; color:#5B5FC7\">Meeting options</a></div>\r\n\
         </div>\r\n{RULE}",
        html::escape(url),
        options(thread, owner),
    )
}
