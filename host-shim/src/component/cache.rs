//! Compiled extensions, kept between starts: compiling takes a good part of a second, loading a compiled one a millisecond.
//!
//! What is kept is machine code, so it is trusted only out of a directory that nobody but this user can write, and only whole:
//! the directory is opened once, its owner and mode are looked at through that handle, and everything below goes by that handle
//! too. A file is the SHA-256 of the machine code followed by the machine code. Its name holds the digest of the component
//! and of everything in engine and machine that the code depends on. Where anything is amiss the component is compiled instead.

use std::fs::{DirBuilder, File};
use std::hash::{Hash, Hasher};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags};
use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::{LoadError, hexadecimal};

/// Larger files are not ours.
const MOST_BYTES: u64 = 512 << 20;

/// The component, and whether it came out of the cache.
pub(super) fn load(
    engine: &Engine,
    binary: &[u8],
    digest: &str,
    directory: Option<&Path>,
) -> Result<(Component, bool), LoadError> {
    let cache = directory.and_then(|path| match Cache::open(path) {
        Ok(cache) => Some(cache),
        Err(why) => {
            tracing::warn!("not using the cache `{}`: {why}; the extension is compiled at every start", path.display());
            None
        }
    });
    let name = format!("{digest:.40}-{:.24}.compiled", compatibility(engine));
    if let Some(component) = cache.as_ref().and_then(|cache| cache.get(engine, &name)) {
        return Ok((component, true));
    }
    let component =
        Component::from_binary(engine, binary).map_err(|error| LoadError::NotAComponent(format!("{error:#}")))?;
    if let Some(cache) = cache
        && let Err(why) = cache.put(&component, &name)
    {
        tracing::warn!("cannot keep the compiled extension: {why}; it will be compiled again at the next start");
    }
    Ok((component, false))
}

/// Everything the machine code depends on besides the component: wasmtime's version, the engine's settings, the processor.
fn compatibility(engine: &Engine) -> String {
    struct Sink(Sha256);
    impl Hasher for Sink {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut sink = Sink(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut sink);
    hexadecimal(&sink.0.finalize())
}

struct Cache(OwnedFd);

impl Cache {
    fn open(path: &Path) -> Result<Self, String> {
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| error.to_string())?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let directory = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| error.to_string())?;
        ours(&directory, 0o077)?;
        Ok(Self(directory))
    }

    fn get(&self, engine: &Engine, name: &str) -> Option<Component> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.0, name, flags, Mode::empty()).ok()?;
        match read(file).and_then(|code| deserialize(engine, &code)) {
            Ok(component) => Some(component),
            Err(why) => {
                tracing::warn!("the cached extension `{name}` is of no use: {why}; compiling it again");
                None
            }
        }
    }

    fn put(&self, component: &Component, name: &str) -> Result<(), String> {
        let code = component.serialize().map_err(|error| format!("{error:#}"))?;
        let mut nonce = [0; 8];
        getrandom::fill(&mut nonce).map_err(|error| error.to_string())?;
        let temporary = format!("{name}.{}", hexadecimal(&nonce));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.0, &temporary, flags, Mode::RUSR | Mode::WUSR);
        let mut file = File::from(file.map_err(|error| error.to_string())?);
        let written = file
            .write_all(&Sha256::digest(&code))
            .and_then(|()| file.write_all(&code))
            .and_then(|()| rustix::fs::renameat(&self.0, &temporary, &self.0, name).map_err(Into::into));
        written.map_err(|error| {
            let _ = rustix::fs::unlinkat(&self.0, &temporary, AtFlags::empty());
            error.to_string()
        })
    }
}

/// The machine code in a file, if the file is ours and whole.
fn read(file: OwnedFd) -> Result<Vec<u8>, String> {
    ours(&file, 0o022)?;
    let mut bytes = Vec::new();
    File::from(file).take(MOST_BYTES).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    let Some((digest, code)) = bytes.split_at_checked(32) else { return Err("it is cut short".into()) };
    if Sha256::digest(code)[..] != *digest {
        return Err("it is damaged".into());
    }
    Ok(code.to_vec())
}

#[allow(unsafe_code, reason = "wasmtime runs what it is given here, so the origin of the bytes is checked: see below")]
fn deserialize(engine: &Engine, code: &[u8]) -> Result<Component, String> {
    // SAFETY: `code` is what `Component::serialize` gave to this user's own process earlier. It lay in a directory, and in a
    // file, that only this user can write (checked by `ours` on the open handles), and its digest, written with it, still fits.
    // That it was made by this version of wasmtime with these settings, wasmtime checks itself.
    unsafe { Component::deserialize(engine, code) }.map_err(|error| format!("{error:#}"))
}

/// Whether what is open belongs to this user, and grants others none of `forbidden`.
fn ours(file: &OwnedFd, forbidden: u32) -> Result<(), String> {
    let stat = rustix::fs::fstat(file).map_err(|error| error.to_string())?;
    let me = rustix::process::geteuid();
    if stat.st_uid != me.as_raw() {
        return Err(format!("it belongs to the user {}, this process runs as {}", stat.st_uid, me.as_raw()));
    }
    let mode = Mode::from_raw_mode(stat.st_mode).as_raw_mode();
    if mode & forbidden != 0 {
        return Err(format!("its mode {:04o} lets others in; it should be {:04o}", mode, mode & !forbidden));
    }
    Ok(())
}
