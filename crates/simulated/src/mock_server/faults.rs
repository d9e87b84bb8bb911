//! The faults of the mock server and their notation, `KIND=VALUE`.

use std::ops::RangeInclusive;
use std::str::FromStr;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use promptgate_core::document::suggest;

/// A fault that is drawn for each request by its rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultForm {
    /// An error status, 400 to 599, with an error body.
    Status(u16),
    /// The body ends before its `Content-Length`; then the connection closes.
    Cut,
    /// The connection is reset.
    Reset,
    /// No response is sent.
    Hang,
    /// 200 with an empty body.
    Empty,
    /// 200 with an HTML page, as from a captive portal.
    Html,
    /// A redirect to another origin.
    Redirect,
    /// 200 with `choices: []`.
    NoChoices,
    /// 200 with an error object.
    ErrorWithOk,
    /// 200 with `content: null` and `finish_reason: stop`.
    NullContent,
    /// The first half of the answer, with `finish_reason: length`.
    Length,
    /// No text, with `finish_reason: content_filter`.
    ContentFilter,
    /// No text, with `finish_reason: tool_calls`.
    ToolCalls,
    /// A text in the `refusal` field.
    Refusal,
    /// A judge replies in prose.
    Prose,
    /// A judge's JSON lacks the verdicts.
    NoVerdict,
    /// A judge's verdicts have an unknown value.
    BadVerdict,
    /// A judge's verdicts have unknown ids.
    UnknownId,
    /// A judge repeats the answer before its verdict.
    Echo,
    /// 400 that names a request parameter, if the request has it.
    Refuse(String),
}

impl FaultForm {
    /// Whether the fault only affects judge requests.
    pub(super) fn is_judge_only(&self) -> bool {
        matches!(self, Self::Prose | Self::NoVerdict | Self::BadVerdict | Self::UnknownId | Self::Echo)
    }
}

/// A parsed `KIND=VALUE`.
#[derive(Debug, Clone, PartialEq)]
pub enum FaultSpec {
    /// A fault with its rate, in 0..=1.
    Rate(FaultForm, f64),
    /// `401-after`: the number of requests before the key is rejected.
    UnauthorizedAfter(u64),
    /// `quota-after`: the number of requests before the quota is exhausted.
    QuotaAfter(u64),
    /// `rate-limit`: the requests accepted per second; others receive 429.
    RateLimit(f64),
    /// `retry-after`: the seconds in `Retry-After` of 429 and 503.
    RetryAfter(f64),
}

const NAMED: &[(&str, FaultForm)] = &[
    ("cut", FaultForm::Cut),
    ("reset", FaultForm::Reset),
    ("hang", FaultForm::Hang),
    ("empty", FaultForm::Empty),
    ("html", FaultForm::Html),
    ("redirect", FaultForm::Redirect),
    ("no-choices", FaultForm::NoChoices),
    ("error-200", FaultForm::ErrorWithOk),
    ("null-content", FaultForm::NullContent),
    ("length", FaultForm::Length),
    ("content-filter", FaultForm::ContentFilter),
    ("tool-calls", FaultForm::ToolCalls),
    ("refusal", FaultForm::Refusal),
    ("prose", FaultForm::Prose),
    ("no-verdict", FaultForm::NoVerdict),
    ("bad-verdict", FaultForm::BadVerdict),
    ("unknown-id", FaultForm::UnknownId),
    ("echo", FaultForm::Echo),
];
const OTHER_KINDS: &[&str] =
    &["401-after", "quota-after", "rate-limit", "retry-after", "refuse-temperature", "429", "500"];
const REFUSE_PREFIX: &str = "refuse-";

impl FromStr for FaultSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, value) = text.split_once('=').ok_or_else(|| {
            format!("fault {text:?} has no value; expected KIND=VALUE, for example 429=0.2")
        })?;
        let (kind, value) = (kind.trim(), value.trim());
        let invalid =
            |expected: &str| format!("invalid value {value:?} of fault {kind:?}; expected {expected}");
        let count = || value.parse::<u64>().map_err(|_| invalid("a number of requests"));
        let number = |range: RangeInclusive<f64>, expected| {
            let parsed = value.parse::<f64>().ok().filter(|number| range.contains(number));
            parsed.ok_or_else(|| invalid(expected))
        };
        Ok(match kind {
            "401-after" => Self::UnauthorizedAfter(count()?),
            "quota-after" => Self::QuotaAfter(count()?),
            "rate-limit" => Self::RateLimit(number(0.001..=f64::MAX, "requests a second, above 0")?),
            "retry-after" => Self::RetryAfter(number(0.0..=86_400.0, "seconds, at most 86400")?),
            _ => {
                let form = form(kind).ok_or_else(|| unknown(kind))?;
                Self::Rate(form, number(0.0..=1.0, "a rate from 0 to 1")?)
            }
        })
    }
}

fn form(kind: &str) -> Option<FaultForm> {
    if let Some(parameter) = kind.strip_prefix(REFUSE_PREFIX).filter(|parameter| !parameter.is_empty()) {
        return Some(FaultForm::Refuse(parameter.replace('-', "_")));
    }
    if let Some(status) = kind.parse().ok().filter(|status| (400..=599).contains(status)) {
        return Some(FaultForm::Status(status));
    }
    NAMED.iter().find(|(name, _)| *name == kind).map(|(_, form)| form.clone())
}

fn unknown(kind: &str) -> String {
    let names = NAMED.iter().map(|(name, _)| *name).chain(OTHER_KINDS.iter().copied());
    let hint = suggest(kind, names).map(|name| format!("; did you mean {name:?}?")).unwrap_or_default();
    format!("unknown fault {kind:?}{hint}")
}

/// The faults of a server.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Faults {
    /// Faults with their rates, in 0..=1. A request has at most one of them; if the rates add up to more than 1, the
    /// first ones take precedence.
    pub rates: Vec<(FaultForm, f64)>,
    /// The number of requests before each one receives 401.
    pub unauthorized_after: Option<u64>,
    /// The number of requests before each one receives 429 `insufficient_quota`.
    pub quota_after: Option<u64>,
    /// The requests accepted per second.
    pub rate_limit: Option<f64>,
    /// The seconds in `Retry-After` of 429 and 503; `None`: no such header.
    pub retry_after: Option<f64>,
}

impl Faults {
    /// The fault of the `arrival`-th request, counted from 0; depends on the seed and the number only.
    pub(super) fn draw(&self, seed: u64, arrival: u64) -> Option<&FaultForm> {
        let mut stream = ChaCha8Rng::seed_from_u64(seed);
        stream.set_stream(arrival);
        let mut remainder = stream.random::<f64>();
        let drawn = self.rates.iter().find(|(_, rate)| {
            let drawn = remainder < *rate;
            remainder -= rate;
            drawn
        });
        drawn.map(|(form, _)| form)
    }
}

impl FromIterator<FaultSpec> for Faults {
    fn from_iter<T: IntoIterator<Item = FaultSpec>>(specs: T) -> Self {
        let mut faults = Self::default();
        for spec in specs {
            match spec {
                FaultSpec::Rate(form, rate) => faults.rates.push((form, rate)),
                FaultSpec::UnauthorizedAfter(requests) => faults.unauthorized_after = Some(requests),
                FaultSpec::QuotaAfter(requests) => faults.quota_after = Some(requests),
                FaultSpec::RateLimit(rate) => faults.rate_limit = Some(rate),
                FaultSpec::RetryAfter(seconds) => faults.retry_after = Some(seconds),
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_specs_parse() {
        let faults: Faults = ["429=0.2", "cut=0.1", "refuse-max-tokens=1", "401-after=10", "retry-after=0.5"]
            .iter()
            .map(|text| text.parse::<FaultSpec>().unwrap())
            .collect();
        assert_eq!(
            faults.rates,
            [
                (FaultForm::Status(429), 0.2),
                (FaultForm::Cut, 0.1),
                (FaultForm::Refuse("max_tokens".to_owned()), 1.0)
            ]
        );
        assert_eq!(faults.unauthorized_after, Some(10));
        assert_eq!(faults.retry_after, Some(0.5));
    }

    #[test]
    fn invalid_specs_name_the_expected_value() {
        let message = |text: &str| text.parse::<FaultSpec>().unwrap_err();
        assert!(message("pose=1").contains("did you mean \"prose\""), "{}", message("pose=1"));
        assert!(message("cut").contains("KIND=VALUE"));
        assert!(message("cut=2").contains("from 0 to 1"));
        assert!(message("cut=NaN").contains("from 0 to 1"));
        assert!(message("200=1").contains("unknown fault"));
        assert!(message("rate-limit=0").contains("above 0"));
    }

    #[test]
    fn draws_follow_the_rates_and_the_seed() {
        let faults: Faults =
            ["500=0.3", "cut=0.1"].iter().map(|text| text.parse::<FaultSpec>().unwrap()).collect();
        let draws: Vec<_> = (0..20_000).map(|arrival| faults.draw(7, arrival)).collect();
        let share =
            |form: &FaultForm| draws.iter().filter(|draw| **draw == Some(form)).count() as f64 / 20_000.0;
        assert!((share(&FaultForm::Status(500)) - 0.3).abs() < 0.015);
        assert!((share(&FaultForm::Cut) - 0.1).abs() < 0.01);
        assert_eq!(draws, (0..20_000).map(|arrival| faults.draw(7, arrival)).collect::<Vec<_>>());
        assert_ne!(draws, (0..20_000).map(|arrival| faults.draw(8, arrival)).collect::<Vec<_>>());
    }
}
