//! Where a secret comes from: a file, standard input, or somebody typing unseen. Never the command line, which every user
//! of the machine can read.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::Failure;

/// No secret is longer.
const LONGEST: u64 = 4096;

/// Reads a secret from a file.
pub(super) fn from_file(path: &Path) -> Result<String, Failure> {
    let file = std::fs::File::open(path).map_err(|e| format!("cannot read `{}`: {e}", path.display()))?;
    secret(file).map_err(|e| Failure(format!("cannot read `{}`: {}", path.display(), e.0)))
}

/// Reads a secret from a pipe.
pub(super) fn from_stdin() -> Result<String, Failure> {
    if std::io::stdin().is_terminal() {
        return Err(Failure("`--secret-stdin` reads from a pipe; `--secret-prompt` asks for it here".into()));
    }
    secret(std::io::stdin().lock())
}

fn secret(from: impl std::io::Read) -> Result<String, Failure> {
    let mut text = String::new();
    from.take(LONGEST + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > LONGEST {
        return Err(Failure("there is more in it than a secret".into()));
    }
    not_empty(text.trim().to_owned())
}

fn not_empty(text: String) -> Result<String, Failure> {
    if text.is_empty() { Err(Failure("the secret is empty".into())) } else { Ok(text) }
}

/// Asks for a secret at the terminal, unseen.
pub(super) fn ask(question: &str) -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure(
            "there is no terminal to ask at; use `--secret-file FILE` or, in a pipe, `--secret-stdin`".into(),
        ));
    }
    let mut out = std::io::stderr();
    write!(out, "{question}: ")?;
    out.flush()?;
    let typed = {
        let _unseen = Unseen::begin()?;
        line(std::io::stdin().lock())
    };
    writeln!(out)?;
    not_empty(typed?.trim().to_owned())
}

/// Reads what is typed. Ctrl-C comes as a character, so that the terminal is put right before anybody leaves.
fn line(mut from: impl std::io::Read) -> Result<String, Failure> {
    let mut typed = Vec::new();
    let mut byte = [0u8];
    loop {
        if from.read(&mut byte)? == 0 {
            break;
        }
        match byte {
            [b'\n' | b'\r' | 4] => break,
            [3] => return Err(Failure("broken off; nothing was changed".into())),
            [8 | 127] => drop_character(&mut typed),
            [21] => typed.clear(),
            [other] => typed.push(other),
        }
        if u64::try_from(typed.len()).unwrap_or(u64::MAX) > LONGEST {
            return Err(Failure("that is more than a secret".into()));
        }
    }
    String::from_utf8(typed).map_err(|_| Failure("that is no text".into()))
}

/// Removes the last character, however many bytes it has.
fn drop_character(typed: &mut Vec<u8>) {
    while let Some(byte) = typed.pop() {
        if byte & 0b1100_0000 != 0b1000_0000 {
            return;
        }
    }
}

/// A terminal that shows nothing, until dropped.
struct Unseen(Termios);

impl Unseen {
    fn begin() -> Result<Self, Failure> {
        let before = tcgetattr(std::io::stdin())?;
        let mut unseen = before.clone();
        unseen.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &unseen)?;
        Ok(Self(before))
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_can_be_mended() {
        assert_eq!(line(&b"abx\x7fc\nrest"[..]).unwrap(), "abc");
        assert_eq!(line("aü\u{8}b\r".as_bytes()).unwrap(), "ab");
        assert_eq!(line(&b"wrong\x15right"[..]).unwrap(), "right");
        assert!(line(&b"ab\x03"[..]).is_err());
    }

    #[test]
    fn a_line_end_is_no_part_of_a_secret() {
        assert_eq!(secret(&b"abc\n"[..]).unwrap(), "abc");
        assert!(secret(&b"\n"[..]).is_err());
        assert!(secret(&[b'a'; 5000][..]).is_err());
    }
}
