//! Numbers and how near is near enough.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::diagnostic::EntryDiagnostic;
use super::reason::quoted;

/// How far a number may be off: absolute, or a share such as `5%`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum ToleranceSpec {
    /// At most this much.
    Absolute(#[schemars(range(min = 0))] f64),
    /// At most this share of the wanted number: 5%.
    Share(String),
}

/// How far a number may be off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Tolerance {
    /// At most this much.
    Absolute(f64),
    /// At most this share of the wanted number's magnitude: 0.05 is 5 %.
    Share(f64),
}

impl Tolerance {
    /// Reads a tolerance; absent is none.
    pub(crate) fn new(spec: Option<ToleranceSpec>, pointer: &str) -> Result<Self, EntryDiagnostic> {
        match spec {
            None => Ok(Self::Absolute(0.0)),
            Some(ToleranceSpec::Absolute(most)) => Ok(Self::Absolute(most)),
            Some(ToleranceSpec::Share(text)) => text
                .strip_suffix('%')
                .and_then(|percent| number(percent.trim_end()))
                .filter(|percent| *percent >= 0.0)
                .map(|percent| Self::Share(percent / 100.0))
                .ok_or_else(|| {
                    EntryDiagnostic::new(pointer, format!("{} is no tolerance", quoted(&text)))
                        .help("give a number such as 0.5, or a share such as \"5%\"")
                }),
        }
    }

    /// Whether `found` is near enough to `wanted`.
    pub(crate) fn admits(self, wanted: f64, found: f64) -> bool {
        let most = match self {
            Self::Absolute(most) => most,
            Self::Share(share) => share * wanted.abs(),
        };
        // 1.1 is within 0.1 of 1, though their doubles are 0.10000000000000009 apart.
        let rounding = if most > 0.0 { 4.0 * f64::EPSILON * wanted.abs().max(found.abs()) } else { 0.0 };
        (found - wanted).abs() <= most + rounding
    }
}

/// Reads a text that is a decimal number and nothing else; white space around it is passed over.
pub(crate) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain =
        text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
    // The standard library also reads "inf" and "nan".
    if plain { text.parse().ok().filter(|number: &f64| number.is_finite()) } else { None }
}

/// The number of a JSON value: a number, or a text that is one.
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
    fn reads_plain_numbers_only() {
        for (text, wanted) in [("42", 42.0), (" -1.5e3\n", -1500.0), ("+.5", 0.5), ("7.", 7.0)] {
            assert_eq!(number(text), Some(wanted), "{text}");
        }
        for text in ["", "inf", "NaN", "1e999", "1,000", "42 apples", "٤٢", "0x10", "1_000", "--1", "e5", "."]
        {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn tolerates_what_was_written() {
        assert!(Tolerance::Absolute(0.1).admits(1.0, 1.1));
        assert!(!Tolerance::Absolute(0.1).admits(1.0, 1.1001));
        assert!(Tolerance::Absolute(0.0).admits(0.3, 0.3));
        assert!(!Tolerance::Absolute(0.0).admits(0.3, 0.1 + 0.2));
        assert!(Tolerance::Share(0.05).admits(-100.0, -95.0));
        assert!(!Tolerance::Share(0.05).admits(0.0, 0.001));
        assert!(!Tolerance::Absolute(1.0).admits(1.0, f64::NAN));
    }

    #[test]
    fn reads_shares() {
        let share = |text: &str| Tolerance::new(Some(ToleranceSpec::Share(text.to_owned())), "");
        assert_eq!(share("5%"), Ok(Tolerance::Share(0.05)));
        assert_eq!(share("12.5 %"), Ok(Tolerance::Share(0.125)));
        for text in ["5", "%", "-5%", "nan%", "5%%"] {
            assert!(share(text).is_err(), "{text}");
        }
    }
}
