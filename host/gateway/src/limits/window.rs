//! Windows of time: they begin with the minute, the hour, the day or the month of UTC.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Unit};

/// When a count begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// With every minute.
    Minute,
    /// With every hour.
    Hour,
    /// At midnight, UTC.
    Day,
    /// On the first of the month at midnight, UTC.
    Month,
}

impl Window {
    /// All, with their names in the configuration.
    pub const ALL: [(&'static str, Window); 4] = [
        ("minute", Window::Minute),
        ("hour", Window::Hour),
        ("day", Window::Day),
        ("month", Window::Month),
    ];

    /// The beginning of the window that `now` lies in; both in seconds since 1970.
    pub fn begin(self, now: u64) -> u64 {
        match self {
            Window::Minute => now - now % 60,
            Window::Hour => now - now % 3_600,
            Window::Day => now - now % 86_400,
            Window::Month => date(now).map_or(0, |date| seconds(date.first_of_month())),
        }
    }

    /// The beginning of the next window.
    pub fn end(self, now: u64) -> u64 {
        let begin = self.begin(now);
        match self {
            Window::Minute => begin + 60,
            Window::Hour => begin + 3_600,
            Window::Day => begin + 86_400,
            Window::Month => date(begin)
                .and_then(|date| date.checked_add(1.month()).ok())
                .map_or(u64::MAX, seconds),
        }
    }
}

fn date(second: u64) -> Option<Date> {
    let timestamp = Timestamp::from_second(i64::try_from(second).ok()?).ok()?;
    Some(timestamp.to_zoned(TimeZone::UTC).date())
}

fn seconds(date: Date) -> u64 {
    let epoch = Date::constant(1970, 1, 1);
    let days = epoch.until((Unit::Day, date)).map_or(0, |span| span.get_days());
    u64::from(days.unsigned_abs()) * 86_400
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_begin_and_end() {
        // 2026-02-14T13:07:09Z.
        let now = 1_771_074_429;
        for (window, begin, end) in [
            (Window::Minute, 1_771_074_420, 1_771_074_480),
            (Window::Hour, 1_771_074_000, 1_771_077_600),
            (Window::Day, 1_771_027_200, 1_771_113_600),
            // 2026-02-01 and 2026-03-01.
            (Window::Month, 1_769_904_000, 1_772_323_200),
        ] {
            assert_eq!((window.begin(now), window.end(now)), (begin, end), "{window:?}");
            assert_eq!(window.begin(begin), begin, "{window:?}");
            assert_eq!(window.begin(end - 1), begin, "{window:?}");
            assert_eq!(window.begin(end), end, "{window:?}");
        }
    }

    #[test]
    fn no_time_is_outside_a_window() {
        for (_, window) in Window::ALL {
            for now in [0, 1, 86_399, 951_782_400, 4_102_444_800] {
                assert!(window.begin(now) <= now && now < window.end(now), "{window:?} {now}");
            }
        }
    }
}
