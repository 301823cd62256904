//! A Chromium with a fresh profile, and a person in front of it.

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};

use crate::webdriver::{Element, Failed, Session};

/// How long anything may take that should happen soon.
pub const SOON: Duration = Duration::from_secs(20);

/// Quiet and alone: no window, no calls home.
const FLAGS: [&str; 8] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// How a person looks at pages.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// `en` or `de`.
    pub language: &'static str,
    /// 360 CSS pixels wide, with a finger; else a desktop's 1280.
    pub phone: bool,
    /// JavaScript runs.
    pub script: bool,
}

impl Look {
    pub const DESKTOP: Self = Self { language: "en", phone: false, script: true };
}

/// A browser. It ends when it is dropped.
pub struct Chromium {
    pub look: Look,
    session: Session,
    process: Child,
    /// The pages clicked on, in order.
    clicked: RefCell<Vec<String>>,
    _profile: tempfile::TempDir,
}

/// A window or tab, by the driver's name for it.
pub type Window = String;

/// Tells, past the test runner's capturing, that a test did not run; fails where nothing may be skipped.
pub fn skip(what: &str) {
    let name = std::thread::current().name().unwrap_or("a browser test").to_owned();
    assert!(std::env::var_os("TEAMS_MIRROR_REQUIRE_ALL").is_none(), "{name}: {what}");
    let _ = writeln!(std::io::stderr(), "skipped: {name}: {what}");
}

impl Chromium {
    /// Opens a browser; nothing where there is none on this machine, which is told.
    pub fn open(look: Look) -> Option<Self> {
        for program in ["chromedriver", "chromium"] {
            let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            if !found.is_ok_and(|status| status.success()) {
                skip(&format!("`{program}` does not run here; Debian has it in `chromium` and `chromium-driver`"));
                return None;
            }
        }
        let (process, port) = start_driver();
        let profile = tempfile::tempdir().unwrap();
        let session = Session::open(port, &capabilities(look, profile.path()));
        let session = session.unwrap_or_else(|error| panic!("no browser: {error}"));
        let chromium = Self { look, session, process, clicked: RefCell::default(), _profile: profile };
        chromium.fit();
        Some(chromium)
    }

    /// Where pages run no scripts, the driver's clicks on an emulated phone never end; there the window is only as narrow as one.
    fn fit(&self) {
        if self.look.phone && !self.look.script {
            let narrow = json!({ "width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": false });
            self.devtools("Emulation.setDeviceMetricsOverride", &narrow);
        }
    }

    /// Goes to an address, as one typed in.
    pub fn go(&self, address: &str) {
        done(address, self.session.post("/url", &json!({ "url": address })));
    }

    /// The page's address.
    pub fn address(&self) -> String {
        text(self.session.get("/url"))
    }

    /// What stands on the page, as text.
    pub fn text(&self) -> String {
        self.text_of("body")
    }

    /// What stands in an element that is there; empty where none is.
    pub fn text_of(&self, css: &str) -> String {
        let found = self.session.find(css).unwrap_or_default();
        found.first().map(|element| text(self.session.of(element, "/text"))).unwrap_or_default()
    }

    /// Waits for an element that can be seen.
    pub fn see(&self, css: &str) -> Element {
        self.wait(&format!("`{css}` to be seen"), || self.seen(css))
    }

    /// An element that can be seen now.
    pub fn seen(&self, css: &str) -> Option<Element> {
        let found = self.session.find(css).ok()?;
        found.into_iter().find(|element| self.session.of(element, "/displayed").is_ok_and(|shown| shown == true))
    }

    /// Waits until the page shows a text.
    pub fn read(&self, text: &str) {
        self.wait(&format!("“{text}” on the page"), || self.text().contains(text).then_some(()));
    }

    /// Waits until something is so; where it never is, says what the page shows instead.
    pub fn wait<T>(&self, what: &str, mut so: impl FnMut() -> Option<T>) -> T {
        let end = Instant::now() + SOON;
        loop {
            if let Some(found) = so() {
                return found;
            }
            assert!(Instant::now() < end, "waited for {what}; {} shows:\n{}", self.address(), self.text());
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// Clicks an element once it can be seen.
    pub fn click(&self, css: &str) {
        self.wait(&format!("`{css}` to be clicked"), || {
            let (element, page) = (self.seen(css)?, self.address());
            self.session.on(&element, "/click", &json!({})).ok()?;
            self.clicked.borrow_mut().push(page);
            Some(())
        });
    }

    /// The pages that were clicked on since this was asked last, in order.
    pub fn clicked(&self) -> Vec<String> {
        self.clicked.take()
    }

    /// Clicks an element twice, as quickly as a person does.
    pub fn double_click(&self, css: &str) {
        let element = self.see(css);
        let (down, up) = (json!({ "type": "pointerDown", "button": 0 }), json!({ "type": "pointerUp", "button": 0 }));
        let there = json!({ "type": "pointerMove", "x": 0, "y": 0, "origin": element.reference() });
        let actions =
            json!({ "actions": [{ "type": "pointer", "id": "mouse", "actions": [there, down, up, down, up] }] });
        done(css, self.session.post("/actions", &actions));
    }

    /// Writes into a field, in place of what is there.
    pub fn write(&self, css: &str, text: &str) {
        let element = self.see(css);
        done(css, self.session.on(&element, "/clear", &json!({})));
        done(css, self.session.on(&element, "/value", &json!({ "text": text })));
    }

    /// Presses Enter in a field.
    pub fn press_enter(&self, css: &str) {
        done(css, self.session.on(&self.see(css), "/value", &json!({ "text": "\u{e007}" })));
    }

    /// What a field holds.
    pub fn value(&self, css: &str) -> String {
        text(self.session.of(&self.see(css), "/property/value"))
    }

    /// An attribute of an element.
    pub fn attribute(&self, css: &str, name: &str) -> String {
        text(self.session.of(&self.see(css), &format!("/attribute/{name}")))
    }

    /// Goes back, as by the browser's button.
    pub fn back(&self) {
        done("back", self.session.post("/back", &json!({})));
    }

    /// Loads the page again.
    pub fn reload(&self) {
        done("reload", self.session.post("/refresh", &json!({})));
    }

    /// The window in front.
    pub fn window(&self) -> Window {
        text(self.session.get("/window"))
    }

    /// Waits for a window a click opened beside these, and looks at it.
    pub fn follow_new_window(&self, known: &[Window]) -> Window {
        let new = self.wait("a new window", || {
            let windows = self.session.get("/window/handles").ok()?;
            let mut names = windows.as_array()?.iter().filter_map(Value::as_str);
            names.find(|name| known.iter().all(|known| known != name)).map(str::to_owned)
        });
        self.look_at(&new);
        self.fit();
        new
    }

    /// Opens a second tab and looks at it.
    pub fn open_tab(&self) -> Window {
        let tab = done("a tab", self.session.post("/window/new", &json!({ "type": "tab" })));
        let tab = tab["handle"].as_str().unwrap_or_default().to_owned();
        self.look_at(&tab);
        self.fit();
        tab
    }

    /// Looks at a window.
    pub fn look_at(&self, window: &Window) {
        done("another window", self.session.post("/window", &json!({ "handle": window })));
    }

    /// Closes the window in front and looks at another.
    pub fn close_and_look_at(&self, window: &Window) {
        done("the window's end", self.session.delete("/window"));
        self.look_at(window);
    }

    /// Looks into a frame of the page.
    pub fn enter_frame(&self, css: &str) {
        let frame = self.see(css).reference();
        done(css, self.session.post("/frame", &json!({ "id": frame })));
    }

    /// Looks at the whole page again.
    pub fn leave_frame(&self) {
        done("the whole page", self.session.post("/frame", &json!({ "id": null })));
    }

    /// Runs a script in the page, also where the page's own may not run; `return` gives its value.
    pub fn evaluate(&self, script: &str) -> Value {
        done(script, self.session.script(script, false, &[]))
    }

    /// The same for a script that calls its last argument when it is done.
    pub fn evaluate_later(&self, script: &str) -> Value {
        done("the script", self.session.script(script, true, &[]))
    }

    /// Any command of the DevTools.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        done(command, self.session.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters })))
    }

    /// How far the page reaches beyond its window to the right, in CSS pixels.
    pub fn overflow(&self) -> i64 {
        let script = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        self.evaluate(script).as_i64().unwrap_or(i64::MAX)
    }

    /// The page as a picture, PNG.
    pub fn picture(&self) -> Vec<u8> {
        base64::prelude::BASE64_STANDARD.decode(text(self.session.get("/screenshot"))).unwrap()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- at the end {} showed:\n{}", self.address(), self.text());
        }
        // The driver ends its browser with the session, and not where it is killed itself.
        let _ = self.session.quit();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a command that has to succeed gave.
#[track_caller]
fn done(what: &str, answer: Result<Value, Failed>) -> Value {
    answer.unwrap_or_else(|error| panic!("{what}: {error}"))
}

fn text(answer: Result<Value, Failed>) -> String {
    answer.ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn capabilities(look: Look, profile: &Path) -> Value {
    let mut arguments: Vec<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
    arguments.push(format!("--user-data-dir={}", profile.display()));
    arguments.push("--window-size=1280,900".to_owned());
    let mut options = json!({
        "args": arguments,
        "prefs": {
            "intl.accept_languages": look.language,
            // 1 allows, 2 forbids.
            "profile.managed_default_content_settings.javascript": if look.script { 1 } else { 2 },
        },
    });
    if look.phone && look.script {
        options["mobileEmulation"] = json!({ "deviceMetrics": { "width": 360, "height": 740, "pixelRatio": 2.0, "mobile": true, "touch": true } });
    }
    json!({ "browserName": "chrome", "goog:chromeOptions": options })
}

/// Starts a WebDriver on a free port.
///
/// It takes a port that is free under IPv6 and then the one of the same number under IPv4; where any other socket of the machine
/// holds that one, it ends, so that another number is tried.
fn start_driver() -> (Child, u16) {
    let mut said = Vec::new();
    for _ in 0..10 {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let port = line.strip_suffix('.').and_then(|line| line.split_once("started successfully on port "));
            said.push(line.clone());
            port?.1.parse().ok()
        });
        if let Some(port) = port {
            // It stops when nobody reads what it prints.
            std::thread::spawn(move || lines.for_each(drop));
            return (process, port);
        }
        said.push(format!("({})", process.wait().unwrap()));
    }
    panic!("chromedriver found no port to listen on:\n{}", said.join("\n"));
}
