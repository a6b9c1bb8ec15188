//! Which target answered a conversation last.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Which target answered the last turn of recent conversations: two generations, so
/// that the memory it takes is bounded.
#[derive(Default)]
pub struct Conversations(Mutex<[HashMap<String, String>; 2]>);

impl Conversations {
    /// Conversations of one generation at most.
    const GENERATION: usize = 4096;

    /// The target of the last turn, if it is remembered.
    pub fn previous(&self, conversation: &str) -> Option<String> {
        let [young, old] = &*self.0.lock().unwrap_or_else(PoisonError::into_inner);
        young.get(conversation).or_else(|| old.get(conversation)).cloned()
    }

    /// Notes who answered.
    pub fn note(&self, conversation: String, target: &str) {
        let [young, old] = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if young.len() >= Self::GENERATION {
            *old = std::mem::take(young);
        }
        young.insert(conversation, target.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversations_are_remembered_within_a_bound() {
        let conversations = Conversations::default();
        for number in 0..3 * Conversations::GENERATION {
            conversations.note(number.to_string(), "local");
        }
        let last = (3 * Conversations::GENERATION - 1).to_string();
        assert_eq!(conversations.previous(&last).as_deref(), Some("local"));
        assert_eq!(conversations.previous("0"), None);
        let generations = conversations.0.lock().expect("unpoisoned");
        assert!(generations.iter().all(|one| one.len() <= Conversations::GENERATION));
    }
}
