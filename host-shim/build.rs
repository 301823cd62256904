//! Builds the extension that this program carries in itself, and tells the compiler where it lies; lists the catalogues of
//! what users are told.
//!
//! The extension is another package for another target (`wasm32-wasip2`), so it is built by a cargo of its own:
//!
//! - in a target folder of its own, `component` inside the outer one, because cargo locks a target folder while it builds in it
//!   and would wait for itself for ever; and not inside `OUT_DIR`, so that it stays warm from build to build;
//! - without the outer build's flags and wrappers (coverage, clippy, `-C target-cpu`), which are meant for this machine.
//!
//! Where the target is missing it is added by rustup, because listing it in `rust-toolchain.toml` is not enough: rustup reads
//! that list only when it installs the toolchain itself.
//!
//! `TEAMS_MIRROR_COMPONENT=/path/to/extension.wasm` names an extension built elsewhere; then nothing of this happens.

#![allow(clippy::disallowed_methods, reason = "a build script is told everything by its environment")]

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Names an extension built elsewhere.
const NAMED: &str = "TEAMS_MIRROR_COMPONENT";
const PACKAGE: &str = "teams-mirror-plugin";
const ARTEFACT: &str = "teams_mirror_plugin.wasm";
const TARGET: &str = "wasm32-wasip2";
const PROFILE: &str = "component";

/// What of the outer build must not reach the inner one.
const NOT_INHERITED: [&str; 10] = [
    "RUSTFLAGS",
    "RUSTDOCFLAGS",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_TARGET",
    "CARGO_TARGET_DIR",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_MAKEFLAGS",
];

fn main() -> ExitCode {
    match words().and_then(|()| component()) {
        Ok(path) => {
            println!("cargo::rustc-env=TEAMS_MIRROR_EMBEDDED={}", path.display());
            ExitCode::SUCCESS
        }
        Err(text) => {
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Lists the catalogues of what users are told, so that adding a language is adding a file.
fn words() -> Result<(), String> {
    let folder = variable("CARGO_MANIFEST_DIR")?.join("words");
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = fs::read_dir(&folder).map_err(|error| format!("cannot list `{}`: {error}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|kind| kind == "ftl"));
    files.sort();
    let mut list = String::from("static FILES: &[(&str, &str)] = &[\n");
    for file in files {
        let tag = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        list.push_str(&format!("    ({tag:?}, include_str!({:?})),\n", file.display().to_string()));
    }
    list.push_str("];\n");
    let path = variable("OUT_DIR")?.join("words.rs");
    fs::write(&path, list).map_err(|error| format!("cannot write `{}`: {error}", path.display()))
}

/// A copy of the extension in `OUT_DIR`, which no other build changes under the compiler's eyes.
fn component() -> Result<PathBuf, String> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={NAMED}");
    let found = match env::var_os(NAMED).filter(|path| !path.is_empty()) {
        Some(named) => named_elsewhere(Path::new(&named))?,
        None => built_here()?,
    };
    let bytes =
        fs::read(&found).map_err(|error| format!("cannot read the extension `{}`: {error}", found.display()))?;
    if !bytes.starts_with(b"\0asm") {
        return Err(format!("`{}` is no WebAssembly file", found.display()));
    }
    let copy = variable("OUT_DIR")?.join("extension.wasm");
    if fs::read(&copy).ok().as_deref() != Some(bytes.as_slice()) {
        fs::write(&copy, &bytes).map_err(|error| format!("cannot write `{}`: {error}", copy.display()))?;
    }
    Ok(copy)
}

fn named_elsewhere(named: &Path) -> Result<PathBuf, String> {
    if !named.is_absolute() {
        return Err(format!("{NAMED} must be an absolute path: `{}`", named.display()));
    }
    println!("cargo::rerun-if-changed={}", named.display());
    Ok(named.to_path_buf())
}

fn built_here() -> Result<PathBuf, String> {
    let workspace = variable("CARGO_MANIFEST_DIR")?;
    let workspace = workspace.parent().ok_or("the package lies at the root of the file system")?.to_path_buf();
    for watched in ["plugin/src", "plugin/Cargo.toml", "wit", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", workspace.join(watched).display());
    }
    have_target()?;
    let folder = outer_target_folder()?.join("component");
    let mut cargo = Command::new(variable("CARGO")?);
    cargo
        .args(["build", "--quiet", "--package", PACKAGE, "--lib", "--target", TARGET, "--profile", PROFILE])
        // The outer cargo has just brought the lock file up to date; the inner one has nothing to change in it.
        .arg("--locked")
        .arg("--manifest-path")
        .arg(workspace.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&folder)
        .current_dir(&workspace);
    for name in NOT_INHERITED {
        cargo.env_remove(name);
    }
    // Empty, not absent: that also keeps out the flags of a configuration file, which are meant for this machine.
    cargo.env("CARGO_ENCODED_RUSTFLAGS", "");
    let outcome = cargo.output().map_err(|error| format!("cannot run cargo for the extension: {error}"))?;
    if !outcome.status.success() {
        let said = String::from_utf8_lossy(&outcome.stderr).into_owned();
        return Err(format!(
            "the extension (package {PACKAGE}, target {TARGET}) did not build:\n{said}\n\
             try it alone: cargo build -p {PACKAGE} --target {TARGET} --profile {PROFILE} --target-dir {}\n\
             or name one built elsewhere: {NAMED}=/path/to/extension.wasm",
            folder.display()
        ));
    }
    Ok(folder.join(TARGET).join(PROFILE).join(ARTEFACT))
}

/// The outer build's target folder. Cargo does not tell it; it lies above `OUT_DIR` and bears a mark.
fn outer_target_folder() -> Result<PathBuf, String> {
    let out = variable("OUT_DIR")?;
    let marked = out.ancestors().skip(1).find(|folder| folder.join("CACHEDIR.TAG").is_file());
    // <target>/<profile>/build/<package>/out
    marked
        .or_else(|| out.ancestors().nth(4))
        .map(Path::to_path_buf)
        .ok_or_else(|| format!("`{}` does not lie in a target folder", out.display()))
}

/// Sees to it that the toolchain in force can compile for the extension's target.
fn have_target() -> Result<(), String> {
    if target_is_there()? {
        return Ok(());
    }
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]);
    let mut by_hand = format!("rustup target add {TARGET}");
    if let Some(toolchain) = env::var_os("RUSTUP_TOOLCHAIN") {
        by_hand.push_str(&format!(" --toolchain {}", toolchain.display()));
        rustup.arg("--toolchain").arg(toolchain);
    }
    let way_out = format!("or name an extension built elsewhere: {NAMED}=/path/to/extension.wasm");
    let outcome = rustup.output().map_err(|error| {
        format!(
            "the extension is compiled for {TARGET}; this toolchain lacks that target, and rustup, which could add it, cannot \
             be run: {error}\ninstall the target's standard library as you installed Rust; with rustup: {by_hand}\n{way_out}"
        )
    })?;
    if !outcome.status.success() || !target_is_there()? {
        return Err(format!(
            "the extension is compiled for {TARGET}; this toolchain lacks that target, and adding it failed:\n{}\n\
             add it by hand: {by_hand}\n{way_out}",
            String::from_utf8_lossy(&outcome.stderr)
        ));
    }
    println!("cargo::warning=the target {TARGET} was missing and has been added to the toolchain: {by_hand}");
    Ok(())
}

fn target_is_there() -> Result<bool, String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let outcome = Command::new(&rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .map_err(|error| format!("cannot run `{}`: {error}", rustc.display()))?;
    if !outcome.status.success() {
        return Err(format!(
            "`{}` does not know the target {TARGET}: {}",
            rustc.display(),
            String::from_utf8_lossy(&outcome.stderr)
        ));
    }
    let folder = PathBuf::from(String::from_utf8_lossy(&outcome.stdout).trim());
    Ok(fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()))
}

fn variable(name: &str) -> Result<PathBuf, String> {
    env::var_os(name).map(PathBuf::from).ok_or_else(|| format!("cargo did not set {name}"))
}
