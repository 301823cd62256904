//! Who may log in to Cyrus: the protocol of `saslauthd`, with one password for everybody.

use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use crate::client::PASSWORD;

/// Answers at `socket` for as long as this process lives.
pub fn serve(socket: &Path) {
    let listener = UnixListener::bind(socket).unwrap();
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o777)).unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // Whoever breaks off is not logged in.
            let _ = answer(client);
        }
    });
}

/// User, password, service and realm, each with its length before it; and so is the answer.
fn answer(mut client: UnixStream) -> io::Result<()> {
    let mut part = || -> io::Result<Vec<u8>> {
        let mut length = [0; 2];
        client.read_exact(&mut length)?;
        let mut text = vec![0; usize::from(u16::from_be_bytes(length))];
        client.read_exact(&mut text)?;
        Ok(text)
    };
    let parts = [part()?, part()?, part()?, part()?];
    let word: &[u8] = if parts[1] == PASSWORD.as_bytes() { b"OK" } else { b"NO" };
    client.write_all(&u16::try_from(word.len()).unwrap_or_default().to_be_bytes())?;
    client.write_all(word)
}
