//! What a component may import, and what it gets.
//!
//! | import | verdict |
//! | --- | --- |
//! | `calendar-mirror:extension/*` at a version this host names | given |
//! | `wasi:random/*@0.2.x` | three functions are given ([`super::random`]), the rest trap |
//! | `wasi:cli/*@0.2.x`, `wasi:io/*@0.2.x` | trap when called; a standard library imports them for its panics |
//! | anything else | the component is refused |

use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use super::call::Call;
use super::{LoadError, random, v0_1};

const OWN: &str = "calendar-mirror:extension/";
/// The versions of the contract this host speaks.
const OWN_VERSIONS: [&str; 1] = ["0.1.0"];
/// The interfaces of ours that a component may import; `types` holds only types.
const OWN_INTERFACES: [&str; 4] = ["types", "http-client", "mirror-record", "log"];
const WASI: [&str; 3] = ["wasi:cli/", "wasi:io/", "wasi:random/"];

/// Checks the imports of `component` against the list, and links those that are given.
pub(super) fn link(engine: &Engine, component: &Component) -> Result<Linker<Call>, LoadError> {
    let names = names(engine, component);
    let foreign: Vec<String> = names.iter().filter(|name| !allowed(name)).cloned().collect();
    if !foreign.is_empty() {
        return Err(LoadError::ForeignImports(foreign));
    }
    let mut linker = Linker::new(engine);
    let linked = v0_1::add_to_linker(&mut linker)
        .and_then(|()| names.iter().try_for_each(|name| random::add_to_linker(&mut linker, name)))
        .and_then(|()| linker.define_unknown_imports_as_traps(component));
    linked.map_err(|error| LoadError::WrongWorld(format!("{error:#}")))?;
    Ok(linker)
}

/// The names of all that `component` imports, sorted.
pub(super) fn names(engine: &Engine, component: &Component) -> Vec<String> {
    let mut names: Vec<String> = component.component_type().imports(engine).map(|(name, _)| name.to_owned()).collect();
    names.sort();
    names
}

fn allowed(import: &str) -> bool {
    let Some((interface, version)) = import.split_once('@') else { return false };
    if let Some(own) = interface.strip_prefix(OWN) {
        return OWN_INTERFACES.contains(&own) && OWN_VERSIONS.contains(&version);
    }
    WASI.iter().any(|package| interface.strip_prefix(package).is_some_and(|rest| !rest.is_empty()))
        && is_patch_of(version, "0.2.")
}

/// Whether `version` is `minor` and a number, and no pre-release.
fn is_patch_of(version: &str, minor: &str) -> bool {
    version.strip_prefix(minor).is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_kept_by_name_and_version() {
        for name in [
            "calendar-mirror:extension/http-client@0.1.0",
            "calendar-mirror:extension/types@0.1.0",
            "wasi:cli/stderr@0.2.6",
            "wasi:io/streams@0.2.12",
            "wasi:random/insecure-seed@0.2.0",
        ] {
            assert!(allowed(name), "{name}");
        }
        for name in [
            "calendar-mirror:extension/http-client@0.2.0",
            "calendar-mirror:extension/http-client@0.1.1",
            "calendar-mirror:extension/http-client@0.1.0-rc1",
            "calendar-mirror:extension/http-client",
            "calendar-mirror:extension/secrets@0.1.0",
            "calendar-mirror:other/http-client@0.1.0",
            "wasi:cli/stderr@0.3.0",
            "wasi:cli/@0.2.0",
            "wasi:clocks/wall-clock@0.2.6",
            "wasi:filesystem/types@0.2.6",
            "wasi:http/outgoing-handler@0.2.0",
            "wasi:sockets/tcp@0.2.0",
            "wasi:clitoo/x@0.2.0",
            "run",
        ] {
            assert!(!allowed(name), "{name}");
        }
    }
}
