//! The host's side of `log`: lines in the operator's log, capped in size and rate,
//! with control characters escaped.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::cell::Cell;
use crate::contract::log;
use crate::tape::Asked;

/// Bytes of one line after escaping.
pub(crate) const LINE_BYTES: usize = 1024;
/// Lines of one policy in one second, over all its requests.
pub(crate) const LINES_PER_SECOND: u32 = 100;

/// Counts the lines of one policy in the current second.
#[derive(Default)]
pub(crate) struct Lines {
    /// The second in the upper half, the lines in the lower.
    count: AtomicU64,
}

impl Lines {
    /// Takes one line of the second `now`. False when none is left.
    fn take(&self, now: u32) -> bool {
        let next = |count: u64| {
            let second = u64::from(now) << 32;
            if count & !u64::from(u32::MAX) != second {
                Some(second | 1)
            } else if count & u64::from(u32::MAX) < u64::from(LINES_PER_SECOND) {
                Some(count + 1)
            } else {
                None
            }
        };
        self.count.fetch_update(Relaxed, Relaxed, next).is_ok()
    }
}

impl log::Host for Cell {
    fn write(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        self.spend_call()?;
        let level = match level {
            log::Level::Debug => "debug",
            log::Level::Info => "info",
            log::Level::Warn => "warn",
            log::Level::Error => "error",
        };
        let message = escape(&message, LINE_BYTES);
        let asked = || Asked::LogWrite { level: level.to_owned(), message: message.clone() };
        Ok(self.ask(asked, |cell| {
            cell.say(level, &message);
            Ok(())
        })?)
    }
}

impl Cell {
    /// Writes a line, when the entry grants it and the caps leave room. Always at the
    /// level debug, whatever the policy thinks of it.
    pub(crate) fn say(&mut self, level: &'static str, message: &str) {
        let Some(lines) = &self.shared.lines else { return };
        let Some(left) = self.lines_left.checked_sub(1) else { return };
        self.lines_left = left;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        if lines.take(now.as_secs() as u32) {
            let message = escape(message, LINE_BYTES);
            tracing::debug!(target: "ringfence::policy", policy = %self.shared.name, level, message);
        }
    }
}

/// `text` on one line without control and formatting characters, at most `bytes` long.
pub(crate) fn escape(text: &str, bytes: usize) -> String {
    let mut line = String::new();
    for character in text.chars() {
        let before = line.len();
        let hidden = matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}');
        if character.is_control() || hidden {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
        if line.len() > bytes {
            line.truncate(before);
            break;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_no_control_characters() {
        assert_eq!(
            escape("a\x1b[31m\r\nb\u{202e}c\u{e9}", 100),
            "a\\u{1b}[31m\\r\\nb\\u{202e}c\u{e9}"
        );
    }

    #[test]
    fn lines_are_capped_on_a_character() {
        assert_eq!(escape("ab\u{e9}d", 3), "ab");
        assert_eq!(escape("ab\n", 3), "ab");
        assert_eq!(escape(&"x".repeat(5000), LINE_BYTES).len(), LINE_BYTES);
    }

    #[test]
    fn a_second_has_so_many_lines() {
        let lines = Lines::default();
        let taken = (0..LINES_PER_SECOND * 2).filter(|_| lines.take(7)).count();
        assert_eq!(taken, LINES_PER_SECOND as usize);
        assert!(lines.take(8));
    }
}
