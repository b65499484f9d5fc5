//! Points in time as vendors write them.

/// Unix seconds of an RFC 3339 time (`2026-12-01T00:00:00.5Z`, `+08:00` too) or of a date alone.
pub(crate) fn unix_of(text: &str) -> Option<i64> {
    let text = text.trim();
    let (date, rest) = text.split_at_checked(10)?;
    let mut parts = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let midnight = days(year, month, day) * 86_400;
    let Some(clock) = rest.strip_prefix(['T', 't', ' ']) else { return rest.is_empty().then_some(midnight) };
    let (time, zone) = clock.split_at_checked(8)?;
    let mut parts = time.split(':').map(|part| part.parse::<i64>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let zone = zone.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let shift = match zone.as_bytes().first() {
        None | Some(b'Z' | b'z') => 0,
        Some(sign @ (b'+' | b'-')) => {
            let (hours, minutes) = zone[1..].split_once(':')?;
            let shift = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
            if *sign == b'+' { shift } else { -shift }
        }
        Some(_) => return None,
    };
    Some(midnight + hours * 3600 + minutes * 60 + seconds - shift)
}

/// Days since 1970 of a date of the Gregorian calendar.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// The next midnight in California, where Google's days end; Unix seconds.
pub(crate) fn next_day_in_california(now: i64) -> i64 {
    let local = now + california(now);
    let midnight = local - local.rem_euclid(DAY) + DAY;
    // The clocks may be changed before it.
    midnight - california(midnight - california(now))
}

/// How far its clocks are from those of Greenwich: in summer, from the second Sunday of March to the first of November, an hour
/// less.
fn california(now: i64) -> i64 {
    let year =
        jiff::Timestamp::from_second(now).map_or(1970, |now| now.to_zoned(jiff::tz::TimeZone::UTC).year());
    let sunday = |month: i64| {
        let first = days(year.into(), month, 1);
        // The first day of 1970 was a Thursday.
        first + (7 - (first + 4).rem_euclid(7)) % 7
    };
    let summer = (sunday(3) + 7) * DAY + 10 * HOUR..sunday(11) * DAY + 9 * HOUR;
    if summer.contains(&now) { -7 * HOUR } else { -8 * HOUR }
}

#[cfg(test)]
mod tests {
    use super::{next_day_in_california, unix_of};

    #[test]
    fn days_end_at_midnight_in_california() {
        for (now, next) in [
            ("2026-11-30T00:00:00Z", "2026-11-30T08:00:00Z"),
            ("2026-11-30T08:00:00Z", "2026-12-01T08:00:00Z"),
            ("2026-07-01T06:59:59Z", "2026-07-01T07:00:00Z"),
            ("2026-07-01T12:00:00Z", "2026-07-02T07:00:00Z"),
            // The clocks are changed in between.
            ("2026-03-08T09:00:00Z", "2026-03-09T07:00:00Z"),
            ("2026-11-01T08:00:00Z", "2026-11-02T08:00:00Z"),
            ("2026-03-08T07:00:00Z", "2026-03-08T08:00:00Z"),
        ] {
            assert_eq!(next_day_in_california(unix_of(now).unwrap()), unix_of(next).unwrap(), "{now}");
        }
    }

    #[test]
    fn times_in_every_form() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-12-01T00:00:00Z", Some(1_796_083_200)),
            ("2026-12-01", Some(1_796_083_200)),
            ("2026-12-01T00:00:00.123456789Z", Some(1_796_083_200)),
            ("2026-12-01T08:00:00+08:00", Some(1_796_083_200)),
            ("2024-02-29T12:00:01Z", Some(1_709_208_001)),
            ("2026-13-01T00:00:00Z", None),
            ("soon", None),
            ("", None),
            ("2026-12-01Tx", None),
        ] {
            assert_eq!(unix_of(text), expected, "{text}");
        }
    }
}
