//! A small seeded generator (SplitMix64), so that one seed gives one run.

/// Draws numbers, ids and token text.
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number in `low..=high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.draw() % (high.saturating_sub(low) + 1)
    }

    /// A random GUID of version 4.
    pub(crate) fn guid(&mut self) -> String {
        let (a, b) = (self.draw(), self.draw());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            ((b >> 48) & 0x3fff) | 0x8000,
            b & 0xffff_ffff_ffff
        )
    }

    /// That many characters of the URL-safe base64 alphabet.
    pub(crate) fn text(&mut self, length: usize) -> String {
        let mut out = String::with_capacity(length);
        while out.len() < length {
            let mut bits = self.draw();
            for _ in 0..10 {
                if out.len() == length {
                    break;
                }
                let letter = URL_SAFE.get((bits & 63) as usize).copied().unwrap_or(b'A');
                out.push(char::from(letter));
                bits >>= 6;
            }
        }
        out
    }

    /// Upper-case hexadecimal digits.
    pub(crate) fn hex(&mut self, length: usize) -> String {
        let mut out = String::with_capacity(length + 16);
        while out.len() < length {
            out.push_str(&format!("{:016X}", self.draw()));
        }
        out.truncate(length);
        out
    }

    /// Decimal digits.
    pub(crate) fn digits(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(b'0' + (self.draw() % 10) as u8)).collect()
    }
}
