//! The guests' mail: an SMTP server that keeps whatever it is given.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use mail_parser::{MessageParser, MessagePart, MimeHeaders as _};
use support::event;

/// One mail that left the calendar server.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Whom it is for.
    pub to: Vec<String>,
    /// The iCalendar text it carries, its lines joined.
    pub calendar: String,
}

impl Mail {
    /// `REQUEST`, `CANCEL`, `REPLY` …
    pub fn method(&self) -> &str {
        self.line("METHOD:")
    }

    pub fn uid(&self) -> &str {
        self.line("UID:")
    }

    fn line(&self, name: &str) -> &str {
        self.calendar.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default()
    }
}

pub struct Mails {
    pub port: u16,
    kept: Arc<Mutex<Vec<Mail>>>,
}

impl Mails {
    pub fn start() -> Self {
        let port = crate::radicale::free_port();
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let kept = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&kept);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let into = Arc::clone(&into);
                std::thread::spawn(move || take(&client, &into));
            }
        });
        Self { port, kept }
    }

    /// What was sent about an event, in the order it was sent.
    pub fn about(&self, uid: &str) -> Vec<Mail> {
        self.kept.lock().unwrap().iter().filter(|mail| mail.uid() == uid).cloned().collect()
    }

    /// How many there are in all.
    pub fn count(&self) -> usize {
        self.kept.lock().unwrap().len()
    }
}

/// One conversation. A client that breaks it off has sent nothing.
fn take(client: &TcpStream, into: &Mutex<Vec<Mail>>) -> Option<()> {
    let say = |text: &str| {
        let mut client = client;
        client.write_all(format!("{text}\r\n").as_bytes()).ok()
    };
    let mut lines = BufReader::new(client).lines();
    let mut to = Vec::new();
    say("220 mail.test.tld ESMTP")?;
    loop {
        let line = lines.next()?.ok()?;
        let command = line.to_ascii_uppercase();
        if command.starts_with("RCPT TO:") {
            let address = line[8..].trim().trim_matches(['<', '>']);
            to.push(address.to_owned());
            say("250 ok")?;
        } else if command.starts_with("DATA") {
            say("354 go on")?;
            let mut text = String::new();
            loop {
                let line = lines.next()?.ok()?;
                match line.strip_prefix('.') {
                    Some("") => break,
                    stuffed => text.push_str(stuffed.unwrap_or(&line)),
                }
                text.push_str("\r\n");
            }
            into.lock().unwrap().push(Mail { to: std::mem::take(&mut to), calendar: calendar_in(&text) });
            say("250 kept")?;
        } else if command.starts_with("QUIT") {
            return say("221 bye");
        } else {
            say("250 ok")?;
        }
    }
}

/// The calendar text in a mail.
fn calendar_in(text: &str) -> String {
    let mail = MessageParser::new().parse(text).unwrap_or_else(|| panic!("no mail\n{text}"));
    let is_calendar = |part: &&MessagePart<'_>| {
        part.content_type().is_some_and(|kind| kind.ctype() == "text" && kind.subtype() == Some("calendar"))
    };
    let part = mail.parts.iter().find(is_calendar).unwrap_or_else(|| panic!("no calendar in the mail\n{text}"));
    event::unfolded(part.text_contents().unwrap_or_else(|| panic!("no text in the mail's calendar\n{text}")))
}
