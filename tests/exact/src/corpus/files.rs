//! Where the files are: the three corpora come with packages that the build or the oracles need anyway.

use std::path::{Path, PathBuf};

use crate::python;

/// A set of files.
#[derive(Debug, Clone)]
pub struct Corpus {
    /// Whose.
    pub name: &'static str,
    /// The files, sorted.
    pub files: Vec<PathBuf>,
}

/// The three corpora: the crate calcard's, and those of the Python packages icalendar and recurring-ical-events.
///
/// # Errors
/// Where one of them is not there.
pub fn corpora() -> Result<Vec<Corpus>, String> {
    let python = python::environment()?;
    let calcard = calcard().ok_or("the crate calcard's files are not in cargo's store of sources")?;
    let mut icalendar = Vec::new();
    let mut recurring = Vec::new();
    for file in below(&python) {
        match file.to_string_lossy() {
            path if path.contains("recurring_ical_events") => recurring.push(file.clone()),
            path if path.contains("/icalendar/") => icalendar.push(file.clone()),
            _ => {}
        }
    }
    let sets = [("calcard", below(&calcard)), ("icalendar", icalendar), ("recurring-ical-events", recurring)];
    sets.into_iter()
        .map(|(name, mut files)| {
            files.sort();
            if files.is_empty() { Err(format!("no files of {name}")) } else { Ok(Corpus { name, files }) }
        })
        .collect()
}

fn calcard() -> Option<PathBuf> {
    let home = option_env!("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))?;
    entries(&home.join("registry/src"))
        .iter()
        .flat_map(|registry| entries(registry))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("calcard-0.3.")))
        .map(|path| path.join("resources/ical"))
        .find(|path| path.is_dir())
}

fn entries(path: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// All `.ics` files below a folder.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for path in entries(&folder) {
            if path.is_dir() && !path.is_symlink() {
                open.push(path);
            } else if path.extension().is_some_and(|kind| kind.eq_ignore_ascii_case("ics")) {
                found.push(path);
            }
        }
    }
    found
}
