//! Choosing the next token from logits.

use std::hash::{BuildHasher, Hasher, RandomState};

use super::Wish;
use crate::config::Habits;

/// Chooses tokens for one answer: greedily, or by chance in the order that the
/// reference applies its filters (repetition, temperature, top-k, top-p, min-p).
pub(crate) struct Sampler {
    /// Greedy when absent.
    temperature: Option<f32>,
    top_k: usize,
    top_p: f32,
    min_p: f32,
    penalty: f32,
    /// Which tokens stand in the prompt or the answer; empty without a penalty.
    seen: Vec<bool>,
    random: Random,
}

/// Tokens whose share is less than e^-20 of the best one's are never drawn, so that
/// the rest need not be sorted.
const NEGLIGIBLE: f32 = -20.0;

impl Sampler {
    /// What the client wishes, and the model's habits where it says nothing.
    pub(crate) fn new(habits: &Habits, wish: &Wish, prompt: &[u32], vocabulary: usize) -> Sampler {
        let habitual = habits.temperature.unwrap_or(1.0);
        let temperature = match wish.temperature {
            Some(temperature) => temperature,
            None if habits.sampled || wish.top_p.is_some() => habitual,
            None => 0.0,
        };
        let penalty = habits.repetition_penalty.unwrap_or(1.0);
        let mut seen = if penalty == 1.0 { Vec::new() } else { vec![false; vocabulary] };
        for &token in prompt {
            mark(&mut seen, token);
        }
        Sampler {
            temperature: (temperature > 0.0).then_some(temperature),
            top_k: habits.top_k.unwrap_or(0) as usize,
            top_p: wish.top_p.or(habits.top_p).unwrap_or(1.0),
            min_p: habits.min_p.unwrap_or(0.0),
            penalty,
            seen,
            random: Random::new(wish.seed),
        }
    }

    /// The next token, or nothing when the logits are no numbers.
    pub(crate) fn pick(&mut self, logits: &mut [f32]) -> Option<u32> {
        for (logit, _) in logits.iter_mut().zip(&self.seen).filter(|(_, seen)| **seen) {
            *logit = if *logit < 0.0 { *logit * self.penalty } else { *logit / self.penalty };
        }
        let (best, top) = best(logits)?;
        let token = match self.temperature {
            None => best,
            Some(temperature) => self.draw(logits, top, temperature),
        };
        mark(&mut self.seen, token);
        Some(token)
    }

    fn draw(&mut self, logits: &[f32], top: f32, temperature: f32) -> u32 {
        let mut candidates: Vec<(u32, f32)> = (0..)
            .zip(logits)
            .map(|(token, logit)| (token, (logit - top) / temperature))
            .filter(|(_, logit)| *logit > NEGLIGIBLE)
            .collect();
        candidates.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        if self.top_k > 0 {
            candidates.truncate(self.top_k);
        }
        for (_, share) in &mut candidates {
            *share = share.exp();
        }
        let total: f32 = candidates.iter().map(|(_, share)| share).sum();
        let mut sum = 0.0;
        // The best one is always kept, as is the one that crosses the limit.
        let kept = candidates.iter().take_while(|(_, share)| {
            let keep = sum < self.top_p * total && *share >= self.min_p;
            sum += share;
            keep
        });
        let kept = kept.count().max(1);
        candidates.truncate(kept);
        let total: f32 = candidates.iter().map(|(_, share)| share).sum();
        let mut point = self.random.unit() * total;
        for &(token, share) in &candidates {
            point -= share;
            if point < 0.0 {
                return token;
            }
        }
        candidates[kept - 1].0
    }
}

fn mark(seen: &mut [bool], token: u32) {
    if let Some(seen) = seen.get_mut(token as usize) {
        *seen = true;
    }
}

/// The best token, the first of equals. Nothing when a logit is no number.
fn best(logits: &[f32]) -> Option<(u32, f32)> {
    let mut best: Option<(u32, f32)> = None;
    for (token, &logit) in (0..).zip(logits) {
        if logit.is_nan() {
            return None;
        }
        if best.is_none_or(|(_, top)| logit > top) {
            best = Some((token, logit));
        }
    }
    best.filter(|(_, top)| top.is_finite())
}

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and the same on every machine.
struct Random(u64);

impl Random {
    /// From a seed; without one from the system's randomness.
    fn new(seed: Option<i64>) -> Random {
        let state = match seed {
            Some(seed) => seed.cast_unsigned(),
            None => RandomState::new().build_hasher().finish(),
        };
        Random(state)
    }

    /// 0 inclusive to 1 exclusive.
    fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^= bits >> 31;
        (bits >> 40) as f32 / (1u64 << 24) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGITS: [f32; 5] = [0.0, 2.0, 1.0, -1.0, 1.9];

    fn sampler(habits: &Habits, wish: &Wish) -> Sampler {
        Sampler::new(habits, wish, &[], LOGITS.len())
    }

    fn draws(habits: &Habits, wish: &Wish, count: usize) -> [usize; 5] {
        let mut sampler = sampler(habits, wish);
        let mut counts = [0; 5];
        for _ in 0..count {
            let token = sampler.pick(&mut LOGITS.to_vec()).expect("numbers");
            counts[token as usize] += 1;
        }
        counts
    }

    fn at(temperature: f32) -> Wish {
        Wish { temperature: Some(temperature), seed: Some(7), ..Wish::default() }
    }

    #[test]
    fn says_nothing_means_the_models_habit() {
        let sampled = Habits { sampled: true, temperature: Some(0.5), ..Habits::default() };
        let unsampled = Habits { temperature: Some(0.5), ..Habits::default() };
        let cases = [
            (&sampled, Wish::default(), Some(0.5)),
            (&unsampled, Wish::default(), None),
            (&unsampled, Wish { top_p: Some(0.9), ..Wish::default() }, Some(0.5)),
            (&sampled, Wish { temperature: Some(0.0), ..Wish::default() }, None),
            (&sampled, Wish { temperature: Some(1.5), ..Wish::default() }, Some(1.5)),
        ];
        for (habits, wish, expected) in cases {
            assert_eq!(sampler(habits, &wish).temperature, expected, "{habits:?} {wish:?}");
        }
    }

    #[test]
    fn greedy_takes_the_first_of_the_best() {
        let mut sampler = sampler(&Habits::default(), &Wish::default());
        assert_eq!(sampler.pick(&mut [1.0, 3.0, 3.0]), Some(1));
    }

    #[test]
    fn what_is_no_number_is_no_token() {
        for mut logits in [vec![0.0, f32::NAN], vec![f32::NEG_INFINITY; 2], vec![]] {
            assert_eq!(sampler(&Habits::default(), &at(1.0)).pick(&mut logits), None);
        }
    }

    #[test]
    fn draws_follow_the_shares() {
        let total: f32 = LOGITS.iter().map(|logit| logit.exp()).sum();
        let counts = draws(&Habits::default(), &at(1.0), 20_000);
        for (logit, count) in LOGITS.iter().zip(counts) {
            let (expected, got) = (logit.exp() / total, count as f32 / 20_000.0);
            assert!((expected - got).abs() < 0.015, "expected {expected}, got {got}");
        }
    }

    #[test]
    fn filters_leave_out_what_they_should() {
        let with = |habits: Habits, wish: Wish| draws(&habits, &wish, 2_000).map(|count| count > 0);
        let all = [true; 5];
        let best_two = [false, true, false, false, true];
        assert_eq!(with(Habits::default(), at(1.0)), all);
        assert_eq!(with(Habits { top_k: Some(2), ..Habits::default() }, at(1.0)), best_two);
        assert_eq!(
            with(Habits::default(), Wish { top_p: Some(0.6), ..at(1.0) }),
            best_two,
            "0.40 and 0.36 cross 0.6"
        );
        assert_eq!(with(Habits { min_p: Some(0.5), ..Habits::default() }, at(1.0)), best_two);
        assert_eq!(
            with(Habits { top_p: Some(0.1), ..Habits::default() }, at(1.0)),
            [false, true, false, false, false]
        );
        assert_eq!(with(Habits::default(), at(0.001)), [false, true, false, false, false]);
    }

    #[test]
    fn a_seed_repeats_and_another_does_not() {
        let run = |seed| {
            let wish = Wish { temperature: Some(1.0), seed: Some(seed), ..Wish::default() };
            let mut sampler = sampler(&Habits::default(), &wish);
            (0..64).map(|_| sampler.pick(&mut LOGITS.to_vec())).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }

    #[test]
    fn a_penalty_moves_what_was_there_already() {
        let habits = Habits { repetition_penalty: Some(2.0), ..Habits::default() };
        let mut sampler = Sampler::new(&habits, &Wish::default(), &[1], LOGITS.len());
        // 2.0 of the prompt's token becomes 1.0, then 1.9 of the first answer's 0.95.
        assert_eq!(sampler.pick(&mut LOGITS.to_vec()), Some(4));
        let mut logits = LOGITS.to_vec();
        assert_eq!(sampler.pick(&mut logits), Some(1));
        assert_eq!(logits, [0.0, 1.0, 1.0, -1.0, 0.95]);
        let mut logits = vec![-1.0, -1.0, -4.0, -4.0, -4.0];
        assert_eq!(sampler.pick(&mut logits), Some(0), "a negative logit becomes less");
    }
}
