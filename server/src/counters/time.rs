//! Days and slices of time, by the wall clock in UTC.

/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Milliseconds of a slice: what is counted from commits until it is counted from SQL.
pub(super) const SLICE_MS: i64 = 10_000;

/// The day that a time is in, counted from 1970-01-01.
pub(super) fn day_of(at_ms: i64) -> i64 {
    at_ms.div_euclid(DAY_MS)
}

/// The slice that a time is in, counted from 1970-01-01.
pub(super) fn slice_of(at_ms: i64) -> i64 {
    at_ms.div_euclid(SLICE_MS)
}

/// A day's date, `YYYY-MM-DD`.
pub fn date(day: i64) -> String {
    // Howard Hinnant's days_from_civil, backwards: years begin in March, so that the leap day is the last.
    let shifted = day + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day_of_month:02}")
}

#[cfg(test)]
mod tests {
    use super::{DAY_MS, date, day_of, slice_of};

    #[test]
    fn dates_are_those_of_the_calendar() {
        let known = [
            (0, "1970-01-01"),
            (1_767_225_600_000, "2026-01-01"),
            (1_767_225_599_999, "2025-12-31"),
            (951_782_400_000, "2000-02-29"),
            (4_107_542_400_000, "2100-03-01"),
        ];
        for (at_ms, expected) in known {
            assert_eq!(date(day_of(at_ms)), expected);
        }
        assert_eq!(day_of(DAY_MS - 1), 0);
        assert_eq!(slice_of(DAY_MS), 8_640);
    }
}
