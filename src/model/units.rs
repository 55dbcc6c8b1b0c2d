//! Durations and byte counts as people write and read them.

use std::time::Duration;

/// Reads a duration such as `15s`, `1.5s`, `500ms`, `30m`, `2h` or `1h 30m`.
///
/// # Errors
///
/// Returns the reason in words if the text is no duration. A bare number is refused, because
/// nobody can tell seconds from milliseconds.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    // humantime knows no fractions, which people write for seconds all the time.
    if let Some((number, unit)) = split_fraction(text) {
        let seconds_of_unit = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(format!("`{unit}` is no unit of time here")),
        };
        return Duration::try_from_secs_f64(number * seconds_of_unit)
            .map_err(|_| format!("`{text}` is out of range"));
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("`{text}` has no unit"));
    }
    humantime::parse_duration(text).map_err(|_| format!("`{text}` is no duration"))
}

fn split_fraction(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
    let (number, unit) = text.split_at(end);
    if !number.contains('.') {
        return None;
    }
    Some((number.parse().ok()?, unit.trim()))
}

/// Returns a duration as a person would say it: `0.3 ms`, `850 ms`, `12.3 s`, `4 min 05 s`, `2 h 10 min`.
#[must_use]
pub fn show_seconds(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "?".into();
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "finite and not negative; a display saturates"
    )]
    let whole = seconds.round() as u64;
    if seconds > 0.0 && seconds < 0.01 {
        format!("{:.1} ms", seconds * 1000.0)
    } else if seconds < 1.0 {
        format!("{:.0} ms", seconds * 1000.0)
    } else if seconds < 10.0 {
        format!("{seconds:.2} s")
    } else if whole < 60 {
        format!("{seconds:.1} s")
    } else if whole < 3600 {
        format!("{} min {:02} s", whole / 60, whole % 60)
    } else {
        format!("{} h {:02} min", whole / 3600, whole % 3600 / 60)
    }
}

/// Returns a byte count with a decimal unit, as download sizes are written: `77.7 MB`.
#[must_use]
pub fn show_bytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut amount = bytes as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if amount < 1000.0 {
            let digits = usize::from(unit != "B");
            return format!("{amount:.digits$} {unit}");
        }
        amount /= 1000.0;
    }
    format!("{amount:.1} TB")
}

/// Durations in JSON as seconds.
pub mod seconds {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::Duration;

    /// Writes seconds, with a fraction only where there is one.
    ///
    /// # Errors
    ///
    /// Passes on the serializer's error.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        if duration.subsec_nanos() == 0 {
            serializer.serialize_u64(duration.as_secs())
        } else {
            serializer.serialize_f64(duration.as_secs_f64())
        }
    }

    /// Reads seconds.
    ///
    /// # Errors
    ///
    /// Fails on anything but a number of seconds that fits.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
    }
}

/// Durations in JSON as seconds, where there may be none.
pub mod optional_seconds {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::Duration;

    /// Writes seconds, or null.
    ///
    /// # Errors
    ///
    /// Passes on the serializer's error.
    pub fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => super::seconds::serialize(duration, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads seconds, or null.
    ///
    /// # Errors
    ///
    /// Fails on anything but a number of seconds that fits.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Option::<f64>::deserialize(deserializer)?
            .map(|seconds| Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(parse_duration("15s"), Ok(Duration::from_secs(15)));
        assert_eq!(parse_duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse_duration("0s"), Ok(Duration::ZERO));
        assert_eq!(parse_duration("1h 30m"), Ok(Duration::from_mins(90)));
        assert!(parse_duration("15").unwrap_err().contains("no unit"));
        assert!(parse_duration("soon").is_err());
        assert!(parse_duration("-3s").is_err());
    }

    #[test]
    fn bytes_and_seconds_are_shown_with_their_unit() {
        assert_eq!(show_bytes(77_704_715), "77.7 MB");
        assert_eq!(show_bytes(12), "12 B");
        assert_eq!(show_seconds(0.85), "850 ms");
        assert_eq!(show_seconds(0.000_34), "0.3 ms");
        assert_eq!(show_seconds(0.0), "0 ms");
        assert_eq!(show_seconds(245.0), "4 min 05 s");
    }
}
