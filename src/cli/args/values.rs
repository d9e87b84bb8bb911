//! Parsers of single values.

use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::config::parse_duration;

/// A value by name, with its help text: command-line names of an enum that belongs to another layer.
pub(super) type Named<T> = (&'static str, T, &'static str);

/// Parses one of these names.
pub(super) fn named<T>(values: &'static [Named<T>]) -> impl TypedValueParser<Value = T>
where
    T: Clone + Send + Sync + 'static,
{
    let names = values.iter().map(|(name, _, help)| PossibleValue::new(*name).help(*help));
    PossibleValuesParser::new(names).try_map(|text| {
        let value = values.iter().find(|(name, ..)| *name == text).map(|(_, value, _)| value.clone());
        value.ok_or("unknown value")
    })
}

/// Parses a number in 0..=1.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

/// Parses a sum of money above 0.
pub(super) fn dollars(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "expected US dollars, a number above 0".to_owned())
}

/// Parses a time such as `90s`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "expected a time such as 500ms, 90s, 20m".to_owned())
}
