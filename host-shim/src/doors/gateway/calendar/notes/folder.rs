//! The files of the notes.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use super::record::{Line, Record};

const ENDING: &str = ".note";

fn not_written(folder: &Path, why: &impl std::fmt::Display) -> String {
    format!(
        "the folder for notes, `{}`, cannot be written: {why}; name another as `spool`, or give it to the gateway's user",
        folder.display()
    )
}

/// Sees whether the folder, or the one it would be made in, can be written.
pub(super) fn could_be_written(folder: &Path) -> Result<(), String> {
    let there = folder.ancestors().find(|path| path.exists()).unwrap_or(folder);
    if !there.is_dir() {
        return Err(not_written(folder, &format_args!("`{}` is no folder", there.display())));
    }
    let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    rustix::fs::access(there, access).map_err(|why| not_written(folder, &std::io::Error::from(why)))
}

/// Makes the folder, for its owner alone, and takes it for this process.
pub(super) fn claim(folder: &Path) -> Result<File, String> {
    let err = |why: std::io::Error| not_written(folder, &why);
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(err)?;
    let mode = folder.metadata().map_err(err)?.mode();
    if mode & 0o077 != 0 {
        // Notes hold people's calendars.
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).map_err(err)?;
    }
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(folder.join("gateway.lock"))
        .map_err(err)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(format!(
            "another gateway works on the notes in `{}`; stop it, or name another folder as `spool`",
            folder.display()
        )),
        Err(TryLockError::Error(why)) => Err(err(why)),
    }
}

/// The notes, oldest first, with their sizes.
pub(super) fn names(folder: &Path) -> Vec<(String, u64)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(String, u64)> = entries
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.metadata().ok()?.len())))
        .filter(|(name, _)| name.ends_with(ENDING))
        .collect();
    found.sort();
    found
}

/// A note's name: they sort by their numbers.
pub(super) fn name(number: u64) -> String {
    format!("{number:020}{ENDING}")
}

/// The number in a name.
pub(super) fn number(name: &str) -> u64 {
    name.strip_suffix(ENDING).and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// Writes a new one, durably. Gives the file and its size.
pub(super) fn write(folder: &Path, name: &str, record: &Record) -> std::io::Result<(File, u64)> {
    let path = folder.join(name);
    let mut file = OpenOptions::new().create_new(true).append(true).mode(0o600).open(&path)?;
    let written = append(&mut file, &record.begun()).and_then(|octets| {
        File::open(folder)?.sync_all()?;
        Ok(octets)
    });
    match written {
        Ok(octets) => Ok((file, octets)),
        Err(error) => {
            let _ = std::fs::remove_file(&path);
            Err(error)
        }
    }
}

/// Opens one to write more.
pub(super) fn open(folder: &Path, name: &str) -> std::io::Result<File> {
    OpenOptions::new().append(true).open(folder.join(name))
}

/// Writes a line, durably. Gives its octets.
pub(super) fn append(file: &mut File, line: &Line) -> std::io::Result<u64> {
    let mut written = serde_json::to_vec(line)?;
    written.push(b'\n');
    file.write_all(&written)?;
    file.sync_data()?;
    Ok(written.len() as u64)
}

/// Reads one. `None`: it is not there, or not even its first line is.
pub(super) fn read(folder: &Path, name: &str) -> Result<Option<Record>, String> {
    match std::fs::read_to_string(folder.join(name)) {
        Ok(text) => Record::read(&text).map_err(|error| error.to_string()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// A note that cannot be read is kept for a person to look at.
pub(super) fn set_aside(folder: &Path, name: &str, why: &str) {
    let aside = format!("{name}.unreadable");
    let kept = std::fs::rename(folder.join(name), folder.join(&aside));
    tracing::error!(note = name, why, kept = kept.is_ok(), "a note cannot be read; it is kept as `{aside}`");
}
