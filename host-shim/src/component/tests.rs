//! Whole extensions: honest, hostile, foreign; and the one this program carries.

use std::sync::{LazyLock, Mutex};

use super::test_guest::{Guest, OTHER, PROBLEM, SEND};
use super::types::*;
use super::*;

/// Few places, so that many engines fit into one test process.
fn limits() -> Limits {
    Limits { calls: 4, ..Limits::default() }
}

fn load(guest: &Guest) -> Extension {
    Extension::load(Source::Bytes(&guest.component()), None, limits()).unwrap()
}

fn account(address: &str) -> Account {
    Account {
        address: address.into(),
        further_addresses: Vec::new(),
        display_name: None,
        time_zone: Some("Europe/Berlin".into()),
        language: "en".into(),
        settings: Vec::new(),
    }
}

fn object(icalendar: &str) -> CalendarObject {
    CalendarObject { uid: "u1".into(), tag: "0".repeat(32), icalendar: icalendar.into() }
}

const MEETING: Intent = Intent { mirror: true, meeting: true };

fn context() -> Context {
    Context {
        account: account("alice@test.tld"),
        mailbox: None,
        now_ms: 1_700_000_000_000,
        may_exist: false,
        draft: false,
    }
}

/// Counts what it is asked, and answers after a while.
#[derive(Default)]
struct Counting {
    sent: Vec<Request>,
    deadlines: Vec<Duration>,
    saved: Vec<Option<Vec<u8>>>,
    sleeps: Duration,
    works: Duration,
}

impl Services for Counting {
    fn send(&mut self, request: Request, deadline: Instant) -> Result<Response, HttpError> {
        self.deadlines.push(deadline - Instant::now());
        self.sent.push(request);
        std::thread::sleep(self.sleeps);
        let began = Instant::now();
        while began.elapsed() < self.works {
            std::hint::spin_loop();
        }
        Ok(Response { status: 200, headers: Vec::new(), retry_after_ms: None, body: b"{}".to_vec() })
    }

    fn save(&mut self, mirrored: Option<Vec<u8>>) -> Result<(), String> {
        self.saved.push(mirrored);
        Ok(())
    }
}

fn create(extension: &Extension, services: &mut dyn Services) -> Result<Result<Outcome, HookError>, CallError> {
    extension.on_create(&context(), &object("x"), MEETING, services)
}

fn answers_as_written(extension: &Extension) {
    let answer = create(extension, &mut Counting::default()).unwrap();
    assert_eq!(answer, Err(HookError::Other(Problem { code: "other".into(), message: "teste".into() })));
}

#[test]
fn a_loaded_extension_says_what_it_is() {
    let guest = Guest::default();
    let extension = load(&guest);
    assert_eq!(extension.description().name, "teste");
    assert_eq!(extension.description().services[0].name, "graph");
    assert_eq!(extension.description().record_formats, [1]);
    assert_eq!(extension.digest(), hexadecimal(&Sha256::digest(guest.component())));
    answers_as_written(&extension);
}

#[test]
fn foreign_imports_are_refused_by_name() {
    for (import, body) in [
        ("wasi:sockets/tcp@0.2.0", ""),
        ("wasi:http/outgoing-handler@0.2.0", ""),
        ("wasi:filesystem/types@0.2.6", r#"(export "f" (func))"#),
        ("wasi:clocks/wall-clock@0.2.6", ""),
        ("calendar-mirror:extension/secrets@0.1.0", ""),
        ("calendar-mirror:extension/log@0.2.0", ""),
    ] {
        let text = format!(
            r#"(component (import "wasi:random/random@0.2.9" (instance)) (import "{import}" (instance {body})))"#
        );
        let binary = wat::parse_str(&text).unwrap();
        let error = Extension::load(Source::Bytes(&binary), None, limits()).unwrap_err();
        assert_eq!(error, LoadError::ForeignImports(vec![import.into()]));
        assert!(error.to_string().contains(import), "{error}");
    }
}

#[test]
fn what_is_no_extension_is_refused() {
    let refused = |binary: &[u8]| Extension::load(Source::Bytes(binary), None, limits()).unwrap_err();
    assert!(matches!(refused(b"hello"), LoadError::NotAComponent(_)));
    assert!(matches!(refused(&wat::parse_str("(module)").unwrap()), LoadError::NotAComponent(_)));
    assert!(matches!(refused(&wat::parse_str("(component)").unwrap()), LoadError::WrongWorld(_)));
    let bad_name = Guest { name: "Teste", ..Guest::default() };
    assert!(matches!(refused(&bad_name.component()), LoadError::BadDescription(_)));
    let missing = Extension::load(Source::File(Path::new("/nowhere/x.wasm")), None, limits()).unwrap_err();
    assert!(missing.to_string().contains("/nowhere/x.wasm"), "{missing}");
    let large = Guest { pages: 1025, ..Guest::default() };
    Extension::load(Source::Bytes(&large.component()), None, limits()).unwrap_err();
}

/// Whatever a call does, the next one works: the misbehaviour depends on the meeting being wanted, and is followed by a call
/// of `inspect`, in the same extension.
fn costs_one_call(guest: &Guest, services: &mut dyn Services) -> CallError {
    let extension = load(guest);
    let error = create(&extension, services).unwrap_err();
    let answer = extension.inspect(&account("bob@test.tld"), 0, &mut Counting::default()).unwrap();
    assert!(matches!(answer, Err(HookError::Other(_))));
    error
}

#[test]
fn a_loop_is_stopped() {
    let began = Instant::now();
    let error = costs_one_call(&Guest::on_create("(loop $l (br $l)) unreachable"), &mut Counting::default());
    assert_eq!(error, CallError::OutOfTime(Duration::from_millis(250)));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn a_memory_bomb_is_stopped() {
    let guest = Guest::on_create("(loop $l (drop (memory.grow (i32.const 16))) (br $l)) unreachable");
    let error = costs_one_call(&guest, &mut Counting::default());
    assert_eq!(error, CallError::OutOfMemory(64 << 20));
    assert!(error.to_string().contains("64 MiB"), "{error}");
}

#[test]
fn bottomless_recursion_is_stopped() {
    let guest = Guest::on_create("(i32.add (i32.const 1) (call $create (local.get 0)))");
    let error = costs_one_call(&guest, &mut Counting::default());
    assert!(matches!(&error, CallError::Trap(text) if text.contains("stack")), "{error}");
}

#[test]
fn a_panic_is_a_failed_call() {
    let error = costs_one_call(&Guest::on_create("unreachable"), &mut Counting::default());
    assert!(matches!(&error, CallError::Trap(text) if text.contains("unreachable")), "{error}");
}

#[test]
fn a_wild_answer_is_a_failed_call() {
    let error = costs_one_call(&Guest::on_create("(i32.const -16)"), &mut Counting::default());
    assert!(matches!(error, CallError::Trap(_)), "{error}");
}

#[test]
fn a_flood_of_requests_ends_with_the_budget() {
    let mut services = Counting::default();
    let error = costs_one_call(&Guest::on_create(&format!("(loop $l {SEND} (br $l)) unreachable")), &mut services);
    assert_eq!(error, CallError::OutOfTime(Duration::from_millis(250)));
    assert_eq!(services.sent.len(), 50);
}

#[test]
fn a_flood_of_checkpoints_ends_with_the_budget() {
    let save = "(call $save (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1024))";
    let mut services = Counting::default();
    let error = costs_one_call(&Guest::on_create(&format!("(loop $l {save} (br $l)) unreachable")), &mut services);
    assert_eq!(error, CallError::OutOfTime(Duration::from_millis(250)));
    assert_eq!(services.saved.len(), 200);
}

#[test]
fn nothing_is_saved_where_there_is_no_event() {
    // Traps where the answer is no error.
    let save = "(call $save (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1024))
        (if (i32.eqz (i32.load8_u (i32.const 1024))) (then unreachable))";
    let extension = load(&Guest { inspect: format!("{save} {OTHER}"), ..Guest::default() });
    let mut services = Counting::default();
    extension.inspect(&account("bob@test.tld"), 0, &mut services).unwrap().unwrap_err();
    assert!(services.saved.is_empty());
}

#[test]
fn every_name_is_a_new_one() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let recorder: Recorder = {
        let seen = Arc::clone(&seen);
        Arc::new(move |item, value| {
            if item == "mirror-record.new-id: result" {
                seen.lock().unwrap().push(String::from_utf8(value.to_vec()).unwrap());
            }
        })
    };
    // Traps where the text has another length.
    let new_id = "(call $new_id (i32.const 1024))
        (if (i32.ne (i32.load (i32.const 1028)) (i32.const 32)) (then unreachable))";
    let extension = load(&Guest::on_create(&format!("{new_id} {new_id} {OTHER}"))).with_recorder(recorder);
    answers_as_written(&extension);
    answers_as_written(&extension);
    let ids = seen.lock().unwrap();
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 4, "{ids:?}");
    for id in ids.iter() {
        let digits = id.trim_matches('"');
        assert!(digits.len() == 32 && digits.bytes().all(|b| b"0123456789abcdef".contains(&b)), "{id}");
    }
}

#[test]
fn a_flood_of_log_lines_is_the_extensions_own_time() {
    let line = "(call $log (i32.const 0) (i32.const 65536) (i32.const 60000))";
    let guest = Guest::on_create(&format!("(loop $l {line} (br $l)) unreachable"));
    let error = costs_one_call(&guest, &mut Counting::default());
    assert_eq!(error, CallError::OutOfTime(Duration::from_millis(250)));
}

#[test]
fn no_more_is_taken_over_at_once_than_may_be() {
    // A thousand header fields that all name the same megabyte.
    let fields = r#"(func $fill (local $i i32)
        (loop $l
            (i32.store (i32.add (i32.const 2048) (i32.mul (local.get $i) (i32.const 16))) (i32.const 24))
            (i32.store (i32.add (i32.const 2052) (i32.mul (local.get $i) (i32.const 16))) (i32.const 5))
            (i32.store (i32.add (i32.const 2056) (i32.mul (local.get $i) (i32.const 16))) (i32.const 0))
            (i32.store (i32.add (i32.const 2060) (i32.mul (local.get $i) (i32.const 16))) (i32.const 1000000))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $l (i32.lt_u (local.get $i) (i32.const 1000)))))"#;
    let send = "(call $fill) (call $send (i32.const 24) (i32.const 5) (i32.const 0) (i32.const 40) (i32.const 10)
        (i32.const 2048) (i32.const 1000) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1024))";
    let guest = Guest { extra: fields.into(), pages: 32, ..Guest::on_create(&format!("{send} {OTHER}")) };
    let error = costs_one_call(&guest, &mut Counting::default());
    assert!(matches!(error, CallError::Trap(_)), "{error}");
}

#[test]
fn time_inside_imports_is_not_the_extensions() {
    let extension = load(&Guest::on_create(&format!("{SEND} {SEND} {OTHER}")));
    for (sleeps, works) in [(400, 0), (0, 400)] {
        let mut services = Counting {
            sleeps: Duration::from_millis(sleeps),
            works: Duration::from_millis(works),
            ..Counting::default()
        };
        create(&extension, &mut services).unwrap().unwrap_err();
        assert_eq!(services.sent.len(), 2);
        assert_eq!(services.sent[0].path, "/me/events");
        assert!(
            services.deadlines.iter().all(|left| *left > Duration::from_secs(14) && *left <= Duration::from_secs(15))
        );
    }
}

#[test]
fn no_request_outlives_its_hook() {
    let short = Limits { hook: Duration::from_millis(120), guest_time: Duration::from_millis(100), ..limits() };
    let load = |body: String| {
        Extension::load(Source::Bytes(&Guest::on_create(&body).component()), None, short.clone()).unwrap()
    };
    let slow = || Counting { sleeps: Duration::from_millis(70), ..Counting::default() };

    // The third request finds the time over; who then comes to an end is not punished.
    let mut services = slow();
    create(&load(format!("{SEND} {SEND} {SEND} {OTHER}")), &mut services).unwrap().unwrap_err();
    assert_eq!(services.sent.len(), 2);
    assert!(services.deadlines.iter().all(|left| *left <= Duration::from_millis(120)), "{:?}", services.deadlines);

    // Who goes on is.
    let save = "(call $save (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1024))";
    struct SlowDisk;
    impl Services for SlowDisk {
        fn send(&mut self, _: Request, _: Instant) -> Result<Response, HttpError> {
            Err(HttpError::NotSent("no".into()))
        }
        fn save(&mut self, _: Option<Vec<u8>>) -> Result<(), String> {
            std::thread::sleep(Duration::from_millis(10));
            Ok(())
        }
    }
    let error = create(&load(format!("(loop $l {save} (br $l)) unreachable")), &mut SlowDisk).unwrap_err();
    assert_eq!(error, CallError::HookDeadline);
}

fn prepare_call<'a>(account: &'a Account, object: &'a CalendarObject, mirrored: Option<&'a [u8]>) -> PrepareCall<'a> {
    let (wish, history) = (Wish::Keep, History::Unseen);
    PrepareCall { account, object, mirrored, wish, history, draft: false, now_ms: 0 }
}

#[test]
fn prepare_can_reach_nothing() {
    let (alice, event) = (account("alice@test.tld"), object("x"));
    let log = "(call $log (i32.const 0) (i32.const 16) (i32.const 5))";
    let new_id = "(call $new_id (i32.const 1024))";
    for (import, name) in [(SEND, "http-client.send"), (log, "log.write"), (new_id, "mirror-record.new-id")] {
        let extension = load(&Guest { prepare: format!("{import} {PROBLEM}"), ..Guest::default() });
        let error = extension.prepare(&prepare_call(&alice, &event, None)).unwrap_err();
        assert!(
            matches!(&error, CallError::Broken(text) if text.contains(name) && text.contains("prepare")),
            "{error}"
        );
    }
    let honest = load(&Guest::default());
    assert_eq!(honest.prepare(&prepare_call(&alice, &event, None)).unwrap().unwrap_err().code, "other");
}

#[test]
fn a_record_nobody_reads_is_not_handed_in() {
    let (alice, event) = (account("alice@test.tld"), object("x"));
    let extension = load(&Guest { prepare: "unreachable".into(), ..Guest::default() });
    for record in [&b"\0\x07rest"[..], b"", b"\x01"] {
        let error = extension.prepare(&prepare_call(&alice, &event, Some(record))).unwrap_err();
        assert!(matches!(&error, CallError::UnreadableRecord { reads, .. } if reads == &[1]), "{error}");
        extension.on_update(&context(), &event, MEETING, record, &mut Counting::default()).unwrap_err();
        extension.on_delete(&context(), &event, record, &mut Counting::default()).unwrap_err();
    }
    extension.on_delete(&context(), &event, b"\0\x01", &mut Counting::default()).unwrap().unwrap_err();
}

#[test]
fn calls_share_nothing() {
    // Notes in its memory and in a global that it was called; traps if it finds a note.
    let guest = Guest {
        extra: "(global $noted (mut i32) (i32.const 0))".into(),
        ..Guest::on_create(&format!(
            "(if (i32.or (global.get $noted) (i32.load (i32.const 3072))) (then unreachable))
             (global.set $noted (i32.const 1)) (i32.store (i32.const 3072) (i32.const 1)) {OTHER}"
        ))
    };
    let extension = load(&guest);
    for _ in 0..20 {
        answers_as_written(&extension);
    }
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..20).for_each(|_| answers_as_written(&extension)));
        }
    });
}

#[test]
fn wasi_is_linked_at_any_patch_version() {
    let text = r#"(component
            (import "wasi:random/random@0.2.6" (instance $r
                (export "get-random-u64" (func (result u64)))
                (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
            (import "wasi:random/insecure-seed@0.2.12" (instance $s
                (export "insecure-seed" (func (result (tuple u64 u64))))))
            (import "wasi:cli/environment@0.2.6" (instance $e (export "get-arguments" (func (result (list string)))))))"#;
    let engine = engine::new(&limits()).unwrap();
    let component = wasmtime::component::Component::from_binary(&engine, &wat::parse_str(text).unwrap()).unwrap();
    imports::link(&engine, &component).unwrap().instantiate_pre(&component).unwrap();
}

#[test]
fn the_compiled_extension_is_used_again() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let (folder, binary) = (tempfile::tempdir().unwrap(), Guest::default().component());
    let folder = folder.path().join("cache");
    let load = |limits| Extension::load(Source::Bytes(&binary), Some(&folder), limits).unwrap();
    assert!(!load(limits()).is_from_cache());
    assert_eq!(std::fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
    let second = load(limits());
    assert!(second.is_from_cache());
    answers_as_written(&second);
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing temporary is left");

    // Damaged, cut short, empty: compiled again, and kept again.
    let whole = std::fs::read(&file).unwrap();
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    for wrong in [damaged, whole[..whole.len() / 2].to_vec(), Vec::new(), vec![0; 4096]] {
        std::fs::write(&file, wrong).unwrap();
        let extension = load(limits());
        assert!(!extension.is_from_cache());
        answers_as_written(&extension);
        assert!(load(limits()).is_from_cache());
    }

    // Whole, but others can write it; a link; a folder others can enter.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    assert!(!load(limits()).is_from_cache());
    assert!(load(limits()).is_from_cache());
    let elsewhere = folder.parent().unwrap().join("elsewhere");
    std::fs::rename(&file, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
    assert!(!load(limits()).is_from_cache());
    assert!(load(limits()).is_from_cache());
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert!(!load(limits()).is_from_cache());
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    assert!(load(limits()).is_from_cache());
}

#[test]
fn a_cache_of_somebody_else_is_not_trusted() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can give a folder away");
        return;
    }
    let (folder, binary) = (tempfile::tempdir().unwrap(), Guest::default().component());
    let folder = folder.path().join("cache");
    let load = || Extension::load(Source::Bytes(&binary), Some(&folder), limits()).unwrap();
    load();
    assert!(load().is_from_cache());
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    std::os::unix::fs::chown(&file, Some(12345), None).unwrap();
    assert!(!load().is_from_cache());
    assert!(load().is_from_cache(), "its own replaced it");
    std::os::unix::fs::chown(&folder, Some(12345), None).unwrap();
    assert!(!load().is_from_cache());
}

#[test]
fn everything_that_crosses_is_recorded() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let recorder: Recorder = {
        let seen = Arc::clone(&seen);
        Arc::new(move |item, value| seen.lock().unwrap().push((item.to_owned(), value.to_vec())))
    };
    let save = "(call $save (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1024))";
    let guest = Guest::on_create(&format!("{SEND} {save} {OTHER}"));
    let extension = load(&guest).with_recorder(recorder);

    struct Telling;
    impl Services for Telling {
        fn send(&mut self, _: Request, _: Instant) -> Result<Response, HttpError> {
            let header = |name: &str, value: &str| Header { name: name.into(), value: value.into() };
            Ok(Response {
                status: 200,
                headers: vec![header("ETag", "canary-etag"), header("Authorization", "canary-token")],
                retry_after_ms: None,
                body: b"canary-body\xff".to_vec(),
            })
        }
        fn save(&mut self, _: Option<Vec<u8>>) -> Result<(), String> {
            Err("canary-save".into())
        }
    }
    let event = object("canary-text");
    let context = Context { mailbox: Some(b"canary-facts".to_vec()), ..context() };
    extension.on_create(&context, &event, MEETING, &mut Telling).unwrap().unwrap_err();
    extension.on_update(&context, &event, MEETING, b"\0\x01canary-record", &mut Telling).unwrap().unwrap_err();
    let crossed = seen.lock().unwrap();
    let found = |canary: &str| {
        crossed.iter().any(|(_, value)| value.windows(canary.len()).any(|window| window == canary.as_bytes()))
    };
    for canary in
        ["alice@test.tld", "canary-text", "canary-facts", "canary-etag", "canary-body", "canary-save", "canary-record"]
    {
        assert!(found(canary), "{canary}: {crossed:?}");
    }
    assert!(!found("canary-token"), "the header field is not one of those that come back");
}

/// Compiled once for all tests.
static EMBEDDED_EXTENSION: LazyLock<Extension> =
    LazyLock::new(|| Extension::load(Source::Embedded, None, limits()).unwrap());

/// Moves when a dependency of the extension's drags in another part of the system: then ask whether it has to be.
#[test]
fn the_embedded_extension_imports_what_it_may_and_no_more() {
    let extension = &*EMBEDDED_EXTENSION;
    let interfaces: Vec<&str> = extension.imports().iter().map(|name| name.split('@').next().unwrap()).collect();
    for own in ["http-client", "mirror-record", "log", "types"] {
        assert!(interfaces.contains(&format!("calendar-mirror:extension/{own}").as_str()), "{interfaces:?}");
    }
    for interface in interfaces {
        let expected = match interface.split_once('/').unwrap() {
            ("calendar-mirror:extension", _) => true,
            ("wasi:cli", name) => {
                ["environment", "exit", "stdin", "stdout", "stderr"].contains(&name) || name.starts_with("terminal-")
            }
            ("wasi:io", name) => ["error", "poll", "streams"].contains(&name),
            ("wasi:random", name) => ["random", "insecure-seed"].contains(&name),
            _ => false,
        };
        assert!(expected, "{interface}");
    }
}

#[test]
fn the_embedded_extension_prepares_an_event() {
    let extension = &*EMBEDDED_EXTENSION;
    let settings = extension.description().settings.iter();
    let settings = settings.map(|own| Setting { name: own.name.clone(), value: own.default.clone() }).collect();
    let alice = Account { settings, ..account("alice@test.tld") };
    let text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:u1\r\nDTSTAMP:20260101T000000Z\r\n\
        DTSTART:20260105T100000Z\r\nDTEND:20260105T110000Z\r\nSUMMARY:One\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let event = object(text);
    let call = PrepareCall { now_ms: 1_767_225_600_000, ..prepare_call(&alice, &event, None) };
    let prepared = extension.prepare(&call).unwrap().unwrap();
    assert_eq!(prepared.uid, "u1");
    assert_eq!(prepared.icalendar, text);
    assert_eq!(prepared.first_start_ms, Some(1_767_607_200_000));
    assert!(!prepared.meeting && !prepared.mirror);
}

#[test]
fn where_memory_cannot_be_reserved_it_is_taken_call_by_call() {
    // More than there are addresses.
    let limits = Limits { calls: 60_000, ..limits() };
    let guest = Guest::on_create("(loop $l (drop (memory.grow (i32.const 16))) (br $l)) unreachable");
    let extension = Extension::load(Source::Bytes(&guest.component()), None, limits).unwrap();
    let error = create(&extension, &mut Counting::default()).unwrap_err();
    assert_eq!(error, CallError::OutOfMemory(64 << 20));
    extension.inspect(&account("bob@test.tld"), 0, &mut Counting::default()).unwrap().unwrap_err();
}
