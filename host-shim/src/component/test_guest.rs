//! Extensions for tests, written as text: the least that keeps to the contract, with one thing in it done otherwise.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const PACKAGE: &str = "calendar-mirror:extension";

/// An extension whose parts a test replaces.
pub(super) struct Guest {
    /// Functions, globals and data, as text.
    pub(super) extra: String,
    /// Body of `on-create`; leaves a pointer to the answer, which [`OTHER`] is.
    pub(super) on_create: String,
    /// Body of `inspect`; leaves the same.
    pub(super) inspect: String,
    /// Body of `prepare`.
    pub(super) prepare: String,
    /// Its name, five letters.
    pub(super) name: &'static str,
    /// Bytes of memory it starts with, in pages.
    pub(super) pages: u32,
}

/// Where an answer of the kind `err(other({ code: "other", message: "teste" }))` lies ready.
pub(super) const OTHER: &str = "(i32.const 512)";
/// Where an answer to `prepare` of the kind `err({ code: "other", message: "teste" })` lies ready.
pub(super) const PROBLEM: &str = "(i32.const 560)";

impl Default for Guest {
    fn default() -> Self {
        Self {
            extra: String::new(),
            on_create: OTHER.into(),
            inspect: OTHER.into(),
            prepare: PROBLEM.into(),
            name: "teste",
            pages: 2,
        }
    }
}

impl Guest {
    /// With another `on-create`.
    pub(super) fn on_create(body: &str) -> Self {
        Self { on_create: body.into(), ..Self::default() }
    }

    /// The component.
    ///
    /// The description's parts: name, title and version are the same five letters, one service `graph`, no scopes, no settings,
    /// the record format 1.
    pub(super) fn component(&self) -> Vec<u8> {
        let account = "(param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)";
        let text = format!(
            r#"(module
                (import "{PACKAGE}/http-client@0.1.0" "send"
                    (func $send (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
                (import "{PACKAGE}/mirror-record@0.1.0" "save" (func $save (param i32 i32 i32 i32)))
                (import "{PACKAGE}/mirror-record@0.1.0" "new-id" (func $new_id (param i32)))
                (import "{PACKAGE}/log@0.1.0" "write" (func $log (param i32 i32 i32)))
                (memory (export "memory") {pages})
                (global $next (mut i32) (i32.const 4096))
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                    (local $at i32)
                    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
                    (global.set $next (i32.add (local.get $at) (local.get 3)))
                    (block $fits
                        (br_if $fits (i32.le_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
                        (drop (memory.grow (i32.add (i32.const 1) (i32.div_u (local.get 3) (i32.const 65536))))))
                    (local.get $at))
                (func (export "{PACKAGE}/extension@0.1.0#describe") (result i32) (i32.const 256))
                (func (export "{PACKAGE}/mailbox@0.1.0#inspect") {account} (param i64) (result i32) {inspect})
                (func (export "{PACKAGE}/calendar-hooks@0.1.0#prepare") (param i32) (result i32) {prepare})
                (func $create (export "{PACKAGE}/calendar-hooks@0.1.0#on-create") (param i32) (result i32) {on_create})
                (func (export "{PACKAGE}/calendar-hooks@0.1.0#on-update") (param i32) (result i32) {OTHER})
                (func (export "{PACKAGE}/calendar-hooks@0.1.0#on-delete") (param i32) (result i32) {OTHER})
                {extra}
                (data (i32.const 16) "{name}")
                (data (i32.const 24) "graph")
                (data (i32.const 32) "other")
                (data (i32.const 40) "/me/events")
                (data (i32.const 64) "\01\00")
                (data (i32.const 72) "\18\00\00\00\05\00\00\00\18\00\00\00\05\00\00\00")
                (data (i32.const 256)
                    "\10\00\00\00\05\00\00\00\10\00\00\00\05\00\00\00\10\00\00\00\05\00\00\00"
                    "\48\00\00\00\01\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00"
                    "\40\00\00\00\01\00\00\00")
                (data (i32.const 512)
                    "\01\00\00\00\00\00\00\00\05\00\00\00\00\00\00\00"
                    "\20\00\00\00\05\00\00\00\10\00\00\00\05\00\00\00")
                (data (i32.const 560) "\01\00\00\00\00\00\00\00\20\00\00\00\05\00\00\00\10\00\00\00\05\00\00\00"))"#,
            pages = self.pages,
            prepare = self.prepare,
            inspect = self.inspect,
            on_create = self.on_create,
            extra = self.extra,
            name = self.name,
        );
        let mut module = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit")).unwrap();
        let world = resolve.select_world(&[package], Some("calendar-extension")).unwrap();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
    }
}

/// One request to `/me/events`; the answer goes to 1024.
pub(super) const SEND: &str = "(call $send (i32.const 24) (i32.const 5) (i32.const 0) (i32.const 40) (i32.const 10)
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1024))";
