//! Programs of Debian packages that are not installed: fetched once, kept under the target directory, unpacked for each run into
//! a folder that goes with it. No user is made, no service starts, and nobody has to be root.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::python::{run, skip};

/// Unpacked packages.
pub struct Unpacked {
    dir: tempfile::TempDir,
}

impl Unpacked {
    /// The named packages with what they need and this system does not have. `None`: skipped, and said so.
    pub fn of(name: &str, packages: &[&str]) -> Option<Self> {
        let unpacked = unpacked(name, packages);
        unpacked.map(|dir| Self { dir }).map_err(|why| skip(&format!("`{name}` of Debian cannot be had: {why}"))).ok()
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// Where the dynamic linker finds the libraries.
    pub fn libraries(&self) -> String {
        let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
        let folders = ["usr/lib", "lib"].map(|folder| self.path(folder).join(&triplet).display().to_string());
        folders.join(":")
    }
}

fn unpacked(name: &str, packages: &[&str]) -> Result<tempfile::TempDir, String> {
    let archives = fetched(name, packages)?;
    let dir = tempfile::Builder::new().permissions(readable()).tempdir().map_err(|e| e.to_string())?;
    for archive in archives {
        run(Command::new("dpkg-deb").arg("--extract").arg(archive).arg(dir.path()))?;
    }
    Ok(dir)
}

fn readable() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o755)
}

fn fetched(name: &str, packages: &[&str]) -> Result<Vec<PathBuf>, String> {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("debian").join(name);
    let archives = root.join("archives");
    std::fs::create_dir_all(archives.join("partial")).map_err(|e| e.to_string())?;
    let lock = File::create(root.join("lock")).map_err(|e| e.to_string())?;
    lock.lock().map_err(|e| e.to_string())?;
    let done = root.join("fetched");
    if !done.exists() {
        let mut command = Command::new("apt-get");
        command
            .args(["--quiet", "--yes", "--download-only", "--no-install-recommends", "--reinstall"])
            .args(["-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User="])
            .arg("-o")
            .arg(format!("Dir::Cache={}", root.display()))
            .arg("install")
            .args(packages);
        run(&mut command).map_err(|printed| format!("{printed}\nas root: apt-get update"))?;
        std::fs::write(&done, "").map_err(|e| e.to_string())?;
    }
    let files = std::fs::read_dir(&archives).map_err(|e| e.to_string())?.flatten();
    let name_of = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // The programs and their libraries; a mail system, which they recommend to have, is none of ours.
    let wanted = |file: &str| file.ends_with(".deb") && (file.starts_with(name) || file.starts_with("lib"));
    Ok(files.map(|entry| entry.path()).filter(|path| wanted(&name_of(path))).collect())
}
