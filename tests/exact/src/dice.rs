//! Randomness that a seed repeats (SplitMix64).

/// A generator.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 where that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.draw() % end.max(1)
    }

    /// A number from `low` to `high`, both possible.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high - low).unwrap_or(0) + 1;
        low + i64::try_from(self.below(span)).unwrap_or(0)
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, of_a_hundred: u64) -> bool {
        self.below(100) < of_a_hundred
    }

    /// One of several; `None` where there are none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        let at = usize::try_from(self.below(of.len() as u64)).unwrap_or(0);
        of.get(at)
    }

    /// One of several; the default where there are none.
    pub fn one<T: Clone + Default>(&mut self, of: &[T]) -> T {
        self.pick(of).cloned().unwrap_or_default()
    }

    /// So many different ones of several, in their order.
    pub fn some<T: Clone>(&mut self, of: &[T], number: usize) -> Vec<T> {
        let mut at: Vec<usize> = (0..of.len()).collect();
        while at.len() > number.min(of.len()) {
            let out = usize::try_from(self.below(at.len() as u64)).unwrap_or(0);
            at.remove(out);
        }
        at.into_iter().filter_map(|at| of.get(at).cloned()).collect()
    }
}
