//! Dates, instants and lengths of time: text in PostgreSQL's usual forms in, numbers
//! out, and back in the canonical form. UTC only; no clock.

use std::fmt::Write as _;
use std::ops::Range;

/// Microseconds of a day.
pub const DAY_MICROS: i64 = 86_400_000_000;
/// 0001-01-01 in days since 1970-01-01.
const FIRST_DAY: i64 = -719_162;
/// 9999-12-31 in days since 1970-01-01.
const LAST_DAY: i64 = 2_932_896;

/// Days since 1970-01-01 of `2026-01-31`, years 0001 to 9999.
#[must_use]
pub fn parse_date(text: &str) -> Option<i32> {
    let mut input = Cursor(text.trim());
    let days = input.date()?;
    input.end()?;
    i32::try_from(days).ok()
}

/// Microseconds since the epoch of `2026-01-31T09:00:00.5+01:00` and its kin: `T` or
/// a space between, time and zone may be absent (UTC), years 0001 to 9999.
#[must_use]
pub fn parse_timestamp(text: &str) -> Option<i64> {
    let mut input = Cursor(text.trim());
    let days = input.date()?;
    let mut micros = days * DAY_MICROS;
    if input.take_any(&['T', 't', ' ']).is_some() {
        micros += input.time()?;
        micros -= input.zone()?;
    }
    input.end()?;
    let day = micros.div_euclid(DAY_MICROS);
    (FIRST_DAY..=LAST_DAY).contains(&day).then_some(micros)
}

/// Microseconds of a CEL duration, `1h30m`, `-1.5s`, `250ms`.
#[must_use]
pub fn parse_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut total: i128 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let unit_len = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_len);
        let micros: i128 = match unit {
            "h" => 3_600_000_000,
            "m" => 60_000_000,
            "s" => 1_000_000,
            "ms" => 1_000,
            "us" | "µs" => 1,
            _ => return None,
        };
        let amount = crate::value::Decimal::parse(number).ok()?;
        let scale = 10_i128.checked_pow(u32::from(amount.scale))?;
        total = total.checked_add(amount.units.checked_mul(micros)? / scale)?;
        rest = tail;
    }
    i64::try_from(if negative { -total } else { total }).ok()
}

/// Year, month (1–12) and day (1–31) of a day number (Hinnant, `civil_from_days`).
#[must_use]
pub const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + (month <= 2) as i64;
    (year, month, day)
}

/// Day number of a date of the Gregorian calendar (Hinnant, `days_from_civil`).
const fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Appends `2026-01-31`.
pub fn write_date(days: i64, out: &mut String) {
    let (year, month, day) = civil(days);
    match year {
        0..=9999 => digits::<4>(year, out),
        // databases hold more years than we take
        _ => {
            let written = write!(out, "{year:04}");
            debug_assert!(written.is_ok(), "writing to a string does not fail");
        }
    }
    out.push('-');
    digits::<2>(month, out);
    out.push('-');
    digits::<2>(day, out);
}

/// Appends the last digits of a number that is not negative.
fn digits<const WIDTH: usize>(number: i64, out: &mut String) {
    let mut text = [b'0'; WIDTH];
    fill(number, &mut text);
    out.push_str(std::str::from_utf8(&text).unwrap_or_default());
}

/// Writes the last digits of a number that is not negative.
fn fill(number: i64, text: &mut [u8]) {
    let mut left = number.unsigned_abs();
    for digit in text.iter_mut().rev() {
        *digit = b'0' + (left % 10) as u8;
        left /= 10;
    }
}

/// Appends `09:00:00`.
fn write_clock(seconds: i64, out: &mut String) {
    digits::<2>(seconds / 3600, out);
    out.push(':');
    digits::<2>(seconds / 60 % 60, out);
    out.push(':');
    digits::<2>(seconds % 60, out);
}

/// Appends `2026-01-31T09:00:00.5+00:00`, microseconds without trailing zeros.
pub fn write_timestamp(micros: i64, out: &mut String) {
    let (days, time) = (micros.div_euclid(DAY_MICROS), micros.rem_euclid(DAY_MICROS));
    let (seconds, fraction) = (time / 1_000_000, time % 1_000_000);
    let (year, month, day) = civil(days);
    if !(0..=9999).contains(&year) {
        write_date(days, out);
        out.push('T');
        write_clock(seconds, out);
        write_fraction(fraction, out);
        out.push_str("+00:00");
        return;
    }
    // nearly every row has one: it is put together in one place
    let mut text = *b"0000-00-00T00:00:00.000000";
    let mut put = |place: Range<usize>, number: i64| text.get_mut(place).map(|place| fill(number, place));
    put(0..4, year);
    put(5..7, month);
    put(8..10, day);
    put(11..13, seconds / 3600);
    put(14..16, seconds / 60 % 60);
    put(17..19, seconds % 60);
    put(20..26, fraction);
    let zeros = text.iter().rev().take_while(|digit| **digit == b'0').count();
    let length = if fraction == 0 { 19 } else { 26 - zeros };
    let told = text.get(..length).and_then(|text| std::str::from_utf8(text).ok());
    out.push_str(told.unwrap_or_default());
    out.push_str("+00:00");
}

/// Microseconds since midnight of `09:00`, `09:00:00.5`, to `24:00:00`.
#[must_use]
pub fn parse_time(text: &str) -> Option<i64> {
    let mut input = Cursor(text.trim());
    let micros = input.time()?;
    input.end()?;
    Some(micros)
}

/// Appends `09:00:00.5`, microseconds without trailing zeros.
pub fn write_time(micros: i64, out: &mut String) {
    write_clock(micros / 1_000_000, out);
    write_fraction(micros % 1_000_000, out);
}

/// Microseconds of an ISO 8601 duration: `P1DT2H3M4.5S`, `P2W`, `-PT1H`, signs of single
/// parts as PostgreSQL writes them. Years and months have no fixed length and are not taken.
#[must_use]
pub fn parse_iso_duration(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (days, clock) = match rest.strip_prefix('P')?.split_once('T') {
        Some((days, clock)) => (days, Some(clock).filter(|clock| !clock.is_empty())?),
        None => (rest.strip_prefix('P')?, ""),
    };
    if days.is_empty() && clock.is_empty() {
        return None;
    }
    let total = iso_parts(days, &[('W', 7 * DAY_MICROS), ('D', DAY_MICROS)])?
        .checked_add(iso_parts(clock, &[('H', 3_600_000_000), ('M', 60_000_000), ('S', 1_000_000)])?)?;
    i64::try_from(if negative { -total } else { total }).ok()
}

/// Numbers before units, each unit at most once and in order.
fn iso_parts(mut rest: &str, mut units: &[(char, i64)]) -> Option<i128> {
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let (number, tail) = rest.split_at(end);
        let unit = tail.chars().next()?;
        let place = units.iter().position(|(name, _)| *name == unit)?;
        let micros = i128::from(units.get(place)?.1);
        units = units.get(place + 1..)?;
        let amount = crate::value::Decimal::parse(number).ok()?;
        let scale = 10_i128.checked_pow(u32::from(amount.scale))?;
        total = total.checked_add(amount.units.checked_mul(micros)? / scale)?;
        rest = tail.get(1..)?;
    }
    Some(total)
}

/// Appends ISO 8601 `P1DT2H3M4.5S`; nothing at all is `PT0S`.
pub fn write_duration(micros: i64, out: &mut String) {
    if micros < 0 {
        out.push('-');
    }
    out.push('P');
    let total = micros.unsigned_abs();
    let seconds = total / 1_000_000;
    let fraction = i64::try_from(total % 1_000_000).unwrap_or(0);
    let part = |amount: u64, unit: char, out: &mut String| {
        if amount > 0 {
            out.push_str(&amount.to_string());
            out.push(unit);
        }
    };
    part(seconds / 86_400, 'D', out);
    if !seconds.is_multiple_of(86_400) || fraction > 0 || total == 0 {
        out.push('T');
    }
    part(seconds / 3600 % 24, 'H', out);
    part(seconds / 60 % 60, 'M', out);
    if !seconds.is_multiple_of(60) || fraction > 0 || total == 0 {
        out.push_str(&(seconds % 60).to_string());
        write_fraction(fraction, out);
        out.push('S');
    }
}

fn write_fraction(micros: i64, out: &mut String) {
    if micros > 0 {
        out.push('.');
        digits::<6>(micros, out);
        out.truncate(out.trim_end_matches('0').len());
    }
}

/// What is left of a text.
struct Cursor<'a>(&'a str);

impl Cursor<'_> {
    fn take_any(&mut self, choices: &[char]) -> Option<char> {
        let first = self.0.chars().next().filter(|c| choices.contains(c))?;
        self.0 = self.0.get(first.len_utf8()..).unwrap_or("");
        Some(first)
    }

    /// `least` to `most` digits.
    fn number(&mut self, least: usize, most: usize) -> Option<i64> {
        let len = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at_checked(len).filter(|_| len >= least)?;
        self.0 = rest;
        digits.parse().ok()
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }

    fn date(&mut self) -> Option<i64> {
        let year = self.number(4, 4)?;
        self.take_any(&['-'])?;
        let month = self.number(1, 2)?;
        self.take_any(&['-'])?;
        let day = self.number(1, 2)?;
        let valid = year >= 1 && (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
        valid.then(|| day_number(year, month, day))
    }

    fn time(&mut self) -> Option<i64> {
        let hours = self.number(1, 2)?;
        self.take_any(&[':'])?;
        let minutes = self.number(2, 2)?;
        let mut seconds = 0;
        let mut micros = 0;
        if self.take_any(&[':']).is_some() {
            seconds = self.number(2, 2)?;
            if self.take_any(&['.']).is_some() {
                micros = self.fraction()?;
            }
        }
        let midnight_after = hours == 24 && minutes == 0 && seconds == 0 && micros == 0;
        let valid = (hours < 24 || midnight_after) && minutes < 60 && seconds < 60;
        valid.then_some(((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros)
    }

    /// Digits of a second, rounded to microseconds.
    fn fraction(&mut self) -> Option<i64> {
        let len = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at_checked(len).filter(|_| (1..=30).contains(&len))?;
        self.0 = rest;
        let kept: i64 = format!("{digits:0<6}").get(..6)?.parse().ok()?;
        let round = digits.as_bytes().get(6).is_some_and(|digit| *digit >= b'5');
        Some(kept + i64::from(round))
    }

    /// Microseconds that the zone is ahead of UTC; none written means UTC.
    fn zone(&mut self) -> Option<i64> {
        if self.0.starts_with(' ') {
            self.0 = self.0.trim_start();
        }
        let Some(sign) = self.take_any(&['Z', 'z', '+', '-']) else {
            if let Some(rest) = self.0.strip_prefix("UTC") {
                self.0 = rest;
            }
            return Some(0);
        };
        if sign.eq_ignore_ascii_case(&'z') {
            return Some(0);
        }
        let hours = self.number(1, 2)?;
        let colon = self.take_any(&[':']).is_some();
        let minutes = if colon || !self.0.is_empty() { self.number(2, 2)? } else { 0 };
        let offset = (hours * 60 + minutes) * 60_000_000;
        let valid = hours <= 15 && minutes < 60;
        valid.then_some(if sign == '-' { -offset } else { offset })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        parse_timestamp(text).map(|micros| {
            let mut out = String::new();
            write_timestamp(micros, &mut out);
            out
        })
    }

    #[test]
    fn reads_the_usual_forms() {
        for (text, expected) in [
            ("2026-01-31", "2026-01-31T00:00:00+00:00"),
            ("2026-01-31 09:00", "2026-01-31T09:00:00+00:00"),
            ("2026-01-31T09:00:00Z", "2026-01-31T09:00:00+00:00"),
            ("2026-01-31T09:00:00.1234565+01:00", "2026-01-31T08:00:00.123457+00:00"),
            ("2026-01-31T09:00:00-0530", "2026-01-31T14:30:00+00:00"),
            ("2026-01-31 09:00:00+02", "2026-01-31T07:00:00+00:00"),
            ("2024-02-29T24:00:00Z", "2024-03-01T00:00:00+00:00"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999+00:00"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(expected), "{text}");
        }
    }

    /// What is put together in one place reads as its parts one after the other, and is read back.
    #[test]
    fn instants_are_written_as_their_parts() {
        let mut micros = FIRST_DAY * DAY_MICROS;
        let mut fractions = [0, 1, 10, 999_999, 500_000, 120_000, 100_001].iter().cycle();
        while micros < LAST_DAY * DAY_MICROS {
            let (mut whole, mut parts) = (String::new(), String::new());
            write_timestamp(micros, &mut whole);
            write_date(micros.div_euclid(DAY_MICROS), &mut parts);
            parts.push('T');
            write_time(micros.rem_euclid(DAY_MICROS), &mut parts);
            parts.push_str("+00:00");
            assert_eq!(whole, parts, "{micros}");
            assert_eq!(parse_timestamp(&whole), Some(micros), "{whole}");
            // odd steps: every month, every hour and minute comes
            micros += 31 * DAY_MICROS + 3_661_000_000;
            micros = micros.div_euclid(1_000_000) * 1_000_000 + fractions.next().unwrap();
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "now",
            "infinity",
            "2026-02-29",
            "2026-13-01",
            "0000-01-01",
            "10000-01-01",
            "2026-01-31T",
            "2026-01-31T25:00",
            "2026-01-31T24:00:01",
            "2026-01-31T09:60",
            "2026-01-31T09:00:61",
            "2026-01-31T09:00:00+16",
            "2026-01-31T09:00:00 Europe/Vienna",
            "2026-01-31T09:00:00.Z",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-01:00",
            "2026-01-31x",
            "２０２６-01-31",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_survives_the_round_trip() {
        for days in (FIRST_DAY..=LAST_DAY).step_by(97) {
            let mut out = String::new();
            write_date(days, &mut out);
            assert_eq!(parse_date(&out).map(i64::from), Some(days), "{out}");
        }
    }

    #[test]
    fn times_of_day() {
        for (text, micros) in [
            ("00:00", 0),
            ("9:05", 32_700_000_000),
            ("23:59:59.9999995", DAY_MICROS),
            ("24:00", DAY_MICROS),
            (" 09:00:00.25 ", 32_400_250_000),
        ] {
            assert_eq!(parse_time(text), Some(micros), "{text}");
        }
        for text in
            ["", "9", "09:0", "24:00:01", "25:00", "09:60", "09:00:60", "09:00:00Z", "09:00:00.", "-1:00"]
        {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn iso_durations() {
        for (text, micros) in [
            ("PT0S", 0),
            ("P1DT2H3M4.5S", 93_784_500_000),
            ("P2W", 14 * DAY_MICROS),
            ("-PT1H", -3_600_000_000),
            ("PT-1H30M", -1_800_000_000),
            ("P1.5D", DAY_MICROS / 2 * 3),
        ] {
            assert_eq!(parse_iso_duration(text), Some(micros), "{text}");
        }
        for text in [
            "",
            "P",
            "PT",
            "P1DT",
            "1D",
            "P1M",
            "P1Y",
            "PT1D",
            "P1H",
            "PT1S1M",
            "PT1M1M",
            "PTS",
            "P1",
            "p1d",
            "P1D ago",
            "P106751992D",
        ] {
            assert_eq!(parse_iso_duration(text), None, "{text}");
        }
        for micros in [i64::MIN, -1, 0, 1, 999_999, DAY_MICROS, i64::MAX] {
            let mut out = String::new();
            write_duration(micros, &mut out);
            assert_eq!(parse_iso_duration(&out), Some(micros), "{out}");
        }
    }

    #[test]
    fn durations() {
        assert_eq!(parse_duration("24h"), Some(86_400_000_000));
        assert_eq!(parse_duration("-1h30m1.5s250ms"), Some(-5_401_750_000));
        for text in ["", "-", "5", "h", "1d", "1h-1m", "1.2.3s", "99999999999999999999h"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
