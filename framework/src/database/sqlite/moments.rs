use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike, Utc};

/// How long a moment's text is: `2026-01-31 09:30:00.000000`.
const LENGTH: usize = 26;

/// The text that SQLite keeps for a moment: diesel's own form, with a fixed number of digits so that the text sorts as the
/// time does. Written digit by digit: chrono reads its pattern anew each time, which takes as long as the rest of a point
/// read's decoding.
pub(in crate::database) fn to_text(moment: DateTime<Utc>) -> String {
    let Ok(year @ 0..10_000) = u32::try_from(moment.year()) else {
        return moment.format("%F %T%.6f").to_string();
    };
    let mut text = String::with_capacity(LENGTH);
    let mut write = |number: u32, digits: u32, before: &str| {
        text.push_str(before);
        for place in (0..digits).rev() {
            text.push(char::from_digit(number / 10_u32.pow(place) % 10, 10).unwrap_or('0'));
        }
    };
    write(year, 4, "");
    write(moment.month(), 2, "-");
    write(moment.day(), 2, "-");
    write(moment.hour(), 2, " ");
    write(moment.minute(), 2, ":");
    write(moment.second(), 2, ":");
    write(moment.timestamp_subsec_micros() % 1_000_000, 6, ".");
    text
}

/// The moment of such a text; nothing where it has another form.
pub(in crate::database) fn from_text(text: &str) -> Option<NaiveDateTime> {
    let text: &[u8; LENGTH] = text.as_bytes().try_into().ok()?;
    let between = [(4, b'-'), (7, b'-'), (10, b' '), (13, b':'), (16, b':'), (19, b'.')];
    if between.iter().any(|(at, byte)| text[*at] != *byte) {
        return None;
    }
    let number = |from: usize, to: usize| {
        text[from..to]
            .iter()
            .try_fold(0_u32, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
    };
    let date = NaiveDate::from_ymd_opt(i32::try_from(number(0, 4)?).ok()?, number(5, 7)?, number(8, 10)?)?;
    date.and_hms_micro_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?, number(20, 26)?)
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, TimeZone};

    use super::*;

    #[test]
    fn a_moment_is_written_as_chrono_would_and_read_back() {
        let mut moment = Utc.with_ymd_and_hms(1600, 2, 29, 0, 0, 0).unwrap();
        let step = TimeDelta::days(83) + TimeDelta::microseconds(7_919_000_123);
        for _ in 0..3000 {
            let text = to_text(moment);
            assert_eq!(text, moment.format("%F %T%.6f").to_string());
            assert_eq!(from_text(&text), Some(moment.naive_utc()));
            moment += step;
        }
        for year in [-1, 10_000] {
            let moment = Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).unwrap();
            assert_eq!(to_text(moment), moment.format("%F %T%.6f").to_string());
        }
    }

    #[test]
    fn what_is_no_such_text_is_left_to_others() {
        let texts = [
            "",
            "2026-01-31 09:30:00",
            "2026-01-31T09:30:00.000000",
            "2026-02-30 09:30:00.000000",
            "2026-01-31 24:30:00.000000",
            "2026-01-31 09:30:00.00000x",
            "+026-01-31 09:30:00.000000",
            "2026-01-31 09:30:00.00000é",
        ];
        for text in texts {
            assert_eq!(from_text(text), None, "{text}");
        }
    }
}
