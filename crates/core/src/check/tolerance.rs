//! Numbers with a tolerance.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::diagnostic::EntryDiagnostic;
use super::reason::quoted;

/// Maximum deviation of a number: absolute, or a share such as `5%`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum ToleranceSpec {
    /// Absolute deviation.
    Absolute(#[schemars(range(min = 0))] f64),
    /// Share of the expected number: 5%.
    Share(String),
}

/// Maximum deviation of a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Tolerance {
    /// Absolute deviation.
    Absolute(f64),
    /// Share of the expected number's magnitude: 0.05 is 5 %.
    Share(f64),
}

impl Tolerance {
    /// Parses a tolerance; the default is 0.
    pub(crate) fn new(spec: Option<ToleranceSpec>, pointer: &str) -> Result<Self, EntryDiagnostic> {
        match spec {
            None => Ok(Self::Absolute(0.0)),
            Some(ToleranceSpec::Absolute(limit)) => Ok(Self::Absolute(limit)),
            Some(ToleranceSpec::Share(text)) => text
                .strip_suffix('%')
                .and_then(|percent| number(percent.trim_end()))
                .filter(|percent| *percent >= 0.0)
                .map(|percent| Self::Share(percent / 100.0))
                .ok_or_else(|| {
                    EntryDiagnostic::new(pointer, format!("invalid tolerance {}", quoted(&text)))
                        .help("use a number such as 0.5, or a share such as \"5%\"")
                }),
        }
    }

    /// Whether `found` is within the tolerance of `expected`.
    pub(crate) fn admits(self, expected: f64, found: f64) -> bool {
        let limit = match self {
            Self::Absolute(limit) => limit,
            Self::Share(share) => share * expected.abs(),
        };
        // 1.1 is within 0.1 of 1, though their doubles are 0.10000000000000009 apart.
        let rounding = if limit > 0.0 { 4.0 * f64::EPSILON * expected.abs().max(found.abs()) } else { 0.0 };
        (found - expected).abs() <= limit + rounding
    }
}

/// Parses a decimal number; surrounding white space is ignored.
pub(crate) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain =
        text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
    // The standard library also accepts "inf" and "nan".
    if plain { text.parse().ok().filter(|number: &f64| number.is_finite()) } else { None }
}

/// Returns the number of a JSON value, which is a number or the text of one.
pub(crate) fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => number(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_decimal_numbers_are_accepted() {
        for (text, expected) in [("42", 42.0), (" -1.5e3\n", -1500.0), ("+.5", 0.5), ("7.", 7.0)] {
            assert_eq!(number(text), Some(expected), "{text}");
        }
        for text in ["", "inf", "NaN", "1e999", "1,000", "42 apples", "٤٢", "0x10", "1_000", "--1", "e5", "."]
        {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn tolerance_limits_the_deviation() {
        assert!(Tolerance::Absolute(0.1).admits(1.0, 1.1));
        assert!(!Tolerance::Absolute(0.1).admits(1.0, 1.1001));
        assert!(Tolerance::Absolute(0.0).admits(0.3, 0.3));
        assert!(!Tolerance::Absolute(0.0).admits(0.3, 0.1 + 0.2));
        assert!(Tolerance::Share(0.05).admits(-100.0, -95.0));
        assert!(!Tolerance::Share(0.05).admits(0.0, 0.001));
        assert!(!Tolerance::Absolute(1.0).admits(1.0, f64::NAN));
    }

    #[test]
    fn shares_are_percentages() {
        let share = |text: &str| Tolerance::new(Some(ToleranceSpec::Share(text.to_owned())), "");
        assert_eq!(share("5%"), Ok(Tolerance::Share(0.05)));
        assert_eq!(share("12.5 %"), Ok(Tolerance::Share(0.125)));
        for text in ["5", "%", "-5%", "nan%", "5%%"] {
            assert!(share(text).is_err(), "{text}");
        }
    }
}
