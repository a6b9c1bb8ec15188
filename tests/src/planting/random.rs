//! Numbers that look random and are the same for the same seed.

/// SplitMix64: small, and good enough to plant with.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The numbers of one document of a seed, whatever came before it.
    pub fn of(seed: u64, document: usize) -> Random {
        let mut random = Random(seed ^ (document as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        random.bits();
        random
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.bits() % (high - low + 1)
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.between(0, items.len() as u64 - 1) as usize]
    }

    /// So many digits.
    pub fn digits(&mut self, count: usize) -> String {
        self.of_alphabet("0123456789", count)
    }

    /// So many characters of an alphabet.
    pub fn of_alphabet(&mut self, alphabet: &str, count: usize) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        (0..count).map(|_| *self.pick(&alphabet)).collect()
    }

    /// So many ASCII letters and digits.
    pub fn word(&mut self, count: usize) -> String {
        self.of_alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", count)
    }

    /// So many lower-case hexadecimal digits.
    pub fn hex(&mut self, count: usize) -> String {
        self.of_alphabet("0123456789abcdef", count)
    }

    /// So many capitals.
    pub fn capitals(&mut self, count: usize) -> String {
        self.of_alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZ", count)
    }

    /// So many bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.bits() as u8).collect()
    }
}
