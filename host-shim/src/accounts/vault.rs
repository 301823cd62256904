//! What is secret, closed: XChaCha20-Poly1305 under a key ring the store does not hold.
//!
//! A box is `key id (4) ‖ nonce (24) ‖ ciphertext and tag`. Its associated data name what it belongs to, so that a box
//! moved to another account's row or another connector's does not open. The ring is the file `keys` in a folder of its own:
//!
//! ```text
//! 6f1c9a02 <64 hex digits>     the first key closes; all of them open
//! 11d0c3b7 <64 hex digits>     an older one
//! tag <64 hex digits>          never changed: marks of the mirror are made with it
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use chacha20poly1305::aead::{Aead, Generate, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::store::{self, Store, StoreError};

/// Begins the associated data; another way of making them gets another name.
const FORM: &[u8] = b"teams-mirror box 1";

const ID: usize = 4;
const NONCE: usize = 24;

/// Why the vault or a box does not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// A file of the vault cannot be used.
    #[error("`{path}` cannot be used: {why}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it and what to do.
        why: String,
    },
    /// The key that closed the box is not in the ring.
    #[error("sealed with key {0}, which is not in the key ring; put that key's line back into it")]
    UnknownKey(String),
    /// The box belongs to something else, or was damaged.
    #[error("a sealed value does not open: it was damaged or belongs to another row")]
    Closed,
    /// The store failed while the starts were counted.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The key ring.
pub struct Vault {
    keys: Vec<([u8; ID], XChaCha20Poly1305)>,
    tag: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl Vault {
    /// Makes a new key ring in `dir`, readable by its owner only; never over one that is there.
    pub fn create(dir: &Path) -> Result<Self, VaultError> {
        let path = dir.join("keys");
        let err = |e: io::Error| match e.kind() {
            io::ErrorKind::AlreadyExists => bad(&path, "there is a key ring already; without it nothing sealed opens"),
            _ => bad(&path, &format!("it cannot be made: {e}")),
        };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(err)?;
        let (id, key, tag) = (random::<ID>(&path)?, random::<32>(&path)?, random::<32>(&path)?);
        let text = Zeroizing::new(format!("{} {}\ntag {}\n", hex(&*id), *hex_secret(&*key), *hex_secret(&*tag)));
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path).map_err(err)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(err)?;
        File::open(dir).and_then(|d| d.sync_all()).map_err(err)?;
        Self::open(dir)
    }

    /// Reads the key ring in `dir`.
    pub fn open(dir: &Path) -> Result<Self, VaultError> {
        let path = dir.join("keys");
        let err = |e: io::Error| {
            if e.kind() == io::ErrorKind::PermissionDenied {
                return bad(
                    &path,
                    &format!("{e}; give the folder and its files to the user who runs this program (`chown`)"),
                );
            }
            bad(
                &path,
                &format!(
                    "{e}; restore it from its backup; without one nothing that is stored can be opened, and only a new installation in another folder (`teams-mirror init --state DIR`) goes on"
                ),
            )
        };
        let mut file = File::open(&path).map_err(err)?;
        let meta = file.metadata().map_err(err)?;
        if meta.mode() & 0o077 != 0 {
            let why = "others can read it; run `chmod 600` on it. If somebody may have copied it, make a new installation and a new client secret: whoever has the store, too, can open the tokens";
            return Err(bad(&path, why));
        }
        if meta.uid() != rustix::process::geteuid().as_raw() {
            return Err(bad(&path, "it belongs to another user; give it to the user who runs this program"));
        }
        // Read to its size at once, so that no half of it is left behind by a growing buffer.
        let mut text =
            Zeroizing::new(String::with_capacity(usize::try_from(meta.len()).unwrap_or(0).saturating_add(1)));
        file.read_to_string(&mut text).map_err(err)?;
        Self::read(&text).map_err(|why| bad(&path, &why))
    }

    fn read(text: &str) -> Result<Self, String> {
        let (mut keys, mut tag) = (Vec::new(), None);
        for (number, line) in (1_u32..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let key = line.split_once(' ').and_then(|(name, value)| Some((name, unhex::<32>(value.trim())?)));
            let Some((name, value)) = key else {
                return Err(format!("line {number} is not a key: a name and 64 hex digits"));
            };
            if name == "tag" {
                tag = Some(value);
            } else if let Some(id) = unhex::<ID>(name) {
                if keys.iter().any(|(other, _)| *other == *id) {
                    return Err(format!("line {number} has the id of another key"));
                }
                keys.push((*id, XChaCha20Poly1305::new(&Key::from(*value))));
            } else {
                return Err(format!("line {number} does not begin with 8 hex digits or `tag`"));
            }
        }
        match tag {
            _ if keys.is_empty() => Err("it holds no key; restore it from its backup".into()),
            None => Err("its `tag` line is missing; restore it from its backup".into()),
            Some(tag) => Ok(Self { keys, tag }),
        }
    }

    /// Closes `plain` for what `bound_to` names.
    pub fn seal(&self, bound_to: &[&str], plain: &[u8]) -> Vec<u8> {
        let Some((id, cipher)) = self.keys.first() else { return Vec::new() };
        let nonce = XNonce::generate();
        let aad = associated(bound_to, id);
        let mut sealed = Vec::with_capacity(ID + NONCE + 16 + plain.len());
        sealed.extend_from_slice(id);
        sealed.extend_from_slice(&nonce);
        match cipher.encrypt(&nonce, Payload { msg: plain, aad: &aad }) {
            Ok(ciphertext) => sealed.extend_from_slice(&ciphertext),
            // Only a plain text of 256 GB does this. What is left opens for nobody.
            Err(_) => sealed.clear(),
        }
        sealed
    }

    /// Opens what was closed for the same `bound_to`.
    pub fn open_sealed(&self, bound_to: &[&str], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (id, rest) = sealed.split_first_chunk::<ID>().ok_or(VaultError::Closed)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE>().ok_or(VaultError::Closed)?;
        let Some((_, cipher)) = self.keys.iter().find(|(key, _)| key == id) else {
            return Err(VaultError::UnknownKey(hex(id)));
        };
        let aad = associated(bound_to, id);
        cipher
            .decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad: &aad })
            .map(Zeroizing::new)
            .map_err(|_| VaultError::Closed)
    }

    /// The mark of an event: 32 hex digits that only this ring makes of (account, uid), the same for ever.
    pub fn tag(&self, account: &str, uid: &str) -> String {
        let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(self.tag.as_slice()) else { return String::new() };
        mac.update(&length(account));
        mac.update(account.as_bytes());
        mac.update(uid.as_bytes());
        hex(mac.finalize().into_bytes().get(..16).unwrap_or_default())
    }
}

/// Counts a start in the store and beside the key ring; whether the store was restored from a backup.
///
/// A store behind the count beside the ring does not know what was done since. That stays so at every start, a crash in
/// between or not, until [`restore_settled`].
pub fn bump_start(dir: &Path, store: &dyn Store) -> Result<bool, VaultError> {
    let path = dir.join("starts");
    let err = |e: io::Error| match e.kind() {
        io::ErrorKind::PermissionDenied => {
            bad(&path, &format!("{e}; give the folder and its files to the user who runs this program (`chown`)"))
        }
        _ => bad(&path, &e.to_string()),
    };
    let beside = match std::fs::read_to_string(&path) {
        Ok(text) => text.trim().parse::<u64>().map_err(|_| bad(&path, "it is not a number; remove it"))?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => 0,
        Err(e) => return Err(err(e)),
    };
    // The store first: a crash in between leaves the store ahead, which says nothing, and not behind, which would.
    let (count, restored) = store::transact(store, |tx| {
        let known = tx.meta("starts")?.and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        let restored = known < beside || tx.meta("restored")?.as_deref() == Some("yes");
        let count = known.max(beside).saturating_add(1);
        tx.put_meta("starts", &count.to_string())?;
        tx.put_meta("restored", if restored { "yes" } else { "no" })?;
        Ok((count, restored))
    })?;
    let new = dir.join("starts.new");
    let write = || {
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
        file.write_all(count.to_string().as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, &path)?;
        File::open(dir)?.sync_all()
    };
    write().map_err(err)?;
    Ok(restored)
}

/// The store has been compared with Microsoft since it was restored.
pub fn restore_settled(store: &dyn Store) -> Result<(), StoreError> {
    store::transact(store, |tx| tx.put_meta("restored", "no"))
}

fn associated(bound_to: &[&str], id: &[u8; ID]) -> Vec<u8> {
    let mut aad = FORM.to_vec();
    for part in bound_to {
        aad.extend_from_slice(&length(part));
        aad.extend_from_slice(part.as_bytes());
    }
    aad.extend_from_slice(id);
    aad
}

/// Lengths keep ("ab", "c") and ("a", "bc") apart.
fn length(part: &str) -> [u8; 8] {
    (part.len() as u64).to_be_bytes()
}

fn bad(path: &Path, why: &str) -> VaultError {
    VaultError::File { path: path.display().to_string(), why: why.into() }
}

fn random<const N: usize>(path: &Path) -> Result<Zeroizing<[u8; N]>, VaultError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut_slice())
        .map_err(|e| bad(path, &format!("the system gives no random numbers: {e}")))?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    text
}

fn hex_secret(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(hex(bytes))
}

fn unhex<const N: usize>(text: &str) -> Option<Zeroizing<[u8; N]>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = Zeroizing::new([0; N]);
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        let digit = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok());
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use proptest::prelude::*;

    use super::*;
    use crate::store::sqlite::SqliteStore;

    fn vault() -> Vault {
        Vault::create(tempfile::tempdir().unwrap().path()).unwrap()
    }

    #[test]
    fn the_ring_is_the_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Vault::open(dir.path()).unwrap_err().to_string().contains("init"));
        let vault = Vault::create(dir.path()).unwrap();
        let sealed = vault.seal(&["a"], b"x");
        assert!(Vault::create(dir.path()).unwrap_err().to_string().contains("already"));
        assert_eq!(*Vault::open(dir.path()).unwrap().open_sealed(&["a"], &sealed).unwrap(), b"x");
        let keys = dir.path().join("keys");
        assert_eq!(std::fs::metadata(&keys).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Vault::open(dir.path()).unwrap_err().to_string().contains("others can read it"));
    }

    #[test]
    fn a_bad_ring_is_refused_with_its_line() {
        let key = "11".repeat(32);
        let tag = format!("tag {key}\n");
        for (text, says) in [
            (String::new(), "no key"),
            (format!("00000001 {key}\n"), "`tag` line"),
            (format!("00000001 {key}ff\n{tag}"), "line 1"),
            (format!("00000001 {}\n{tag}", "1".repeat(62)), "line 1"),
            (format!("\n01 {key}\n{tag}"), "line 2"),
            (format!("00000001 {key}\n00000001 {key}\n{tag}"), "another key"),
        ] {
            let why = Vault::read(&text).unwrap_err();
            assert!(why.contains(says), "{why}");
            assert!(!why.contains("1111"), "no part of a key is told");
        }
    }

    #[test]
    fn after_a_rotation_old_boxes_open_and_tags_stay() {
        let (old, new, tag) = ("11".repeat(32), "22".repeat(32), "33".repeat(32));
        let before = Vault::read(&format!("00000001 {old}\ntag {tag}")).unwrap();
        let sealed = before.seal(&["a"], b"text");
        let after = Vault::read(&format!("00000002 {new}\n00000001 {old}\ntag {tag}")).unwrap();
        assert_eq!(*after.open_sealed(&["a"], &sealed).unwrap(), b"text");
        assert_eq!(after.seal(&["a"], b"text")[..4], [0, 0, 0, 2]);
        assert_eq!(before.tag("a@x.example", "1"), after.tag("a@x.example", "1"));
        assert!(matches!(
            before.open_sealed(&["a"], &after.seal(&["a"], b"")),
            Err(VaultError::UnknownKey(id)) if id == "00000002"
        ));
    }

    #[test]
    fn a_tag_tells_account_and_uid_apart() {
        let vault = vault();
        let tag = vault.tag("a@x.example", "1");
        assert!(tag.len() == 32 && tag.bytes().all(|c| c.is_ascii_hexdigit()));
        assert_ne!(tag, vault.tag("a@x.example1", ""));
        assert_ne!(tag, vault.tag("b@x.example", "1"));
        assert_ne!(tag, super::tests::vault().tag("a@x.example", "1"));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", vault()), "Vault { keys: 1, .. }");
    }

    #[test]
    fn a_restored_store_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let open = |name: &str| SqliteStore::open(&dir.path().join(name)).unwrap();
        let store = open("store.db");
        assert!(!bump_start(dir.path(), &store).unwrap());
        assert!(!bump_start(dir.path(), &store).unwrap());
        let older = open("older.db");
        crate::store::transact(&older, |tx| tx.put_meta("starts", "1")).unwrap();
        assert!(bump_start(dir.path(), &older).unwrap());
        assert!(bump_start(dir.path(), &older).unwrap(), "it is still so after a crash");
        restore_settled(&older).unwrap();
        assert!(!bump_start(dir.path(), &older).unwrap());
        assert!(bump_start(dir.path(), &open("lost.db")).unwrap(), "an empty store in place of a lost one");
        std::fs::remove_file(dir.path().join("starts")).unwrap();
        assert!(!bump_start(dir.path(), &older).unwrap());
    }

    proptest! {
        #[test]
        fn opens_for_what_it_was_closed_for_and_nothing_else(
            plain in prop::collection::vec(any::<u8>(), 0..200),
            parts in prop::collection::vec("[a-z@.]{0,8}", 1..4),
            other in prop::collection::vec("[a-z@.]{0,8}", 1..4),
            bit in any::<prop::sample::Index>(),
            cut in any::<prop::sample::Index>(),
        ) {
            let vault = Vault::read(&format!("00000001 {}\ntag {}", "11".repeat(32), "33".repeat(32))).unwrap();
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            let other: Vec<&str> = other.iter().map(String::as_str).collect();
            let sealed = vault.seal(&parts, &plain);
            prop_assert_eq!(sealed.len(), plain.len() + 44);
            prop_assert_eq!(&*vault.open_sealed(&parts, &sealed).unwrap(), &plain);
            if parts != other {
                prop_assert!(vault.open_sealed(&other, &sealed).is_err());
            }
            let mut flipped = sealed.clone();
            let bit = bit.index(sealed.len() * 8);
            flipped[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(vault.open_sealed(&parts, &flipped).is_err());
            prop_assert!(vault.open_sealed(&parts, &sealed[..cut.index(sealed.len())]).is_err());
        }
    }
}
