//! The faults of the mock server and their notation, `KIND=VALUE`.

use std::str::FromStr;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use promptgate_core::document::suggest;

/// A fault that is drawn for each request by its rate, or a setting of the faults.
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
    /// 400 unless the request asks for a stream.
    StreamOnly,
    /// 400 that names a request parameter, if the request has it.
    Refuse(String),
    /// The number of requests before each one receives 401.
    UnauthorizedAfter,
    /// The number of requests before each one receives 429 `insufficient_quota`.
    QuotaAfter,
    /// The requests accepted per second; others receive 429.
    RateLimit,
    /// The seconds in `Retry-After` of 429 and 503; without it there is no such header.
    RetryAfter,
}

impl FaultForm {
    /// Whether the fault only affects judge requests.
    pub(super) fn is_judge_only(&self) -> bool {
        matches!(self, Self::Prose | Self::NoVerdict | Self::BadVerdict | Self::UnknownId | Self::Echo)
    }

    fn is_setting(&self) -> bool {
        matches!(self, Self::UnauthorizedAfter | Self::QuotaAfter | Self::RateLimit | Self::RetryAfter)
    }
}

/// A parsed `KIND=VALUE`.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultSpec {
    form: FaultForm,
    /// The rate, in 0..=1, or the value of the setting.
    value: f64,
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
    ("stream-only", FaultForm::StreamOnly),
    ("401-after", FaultForm::UnauthorizedAfter),
    ("quota-after", FaultForm::QuotaAfter),
    ("rate-limit", FaultForm::RateLimit),
    ("retry-after", FaultForm::RetryAfter),
];
const OTHER_KINDS: [&str; 3] = ["refuse-temperature", "429", "500"];
const REFUSE_PREFIX: &str = "refuse-";

impl FromStr for FaultSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, value) = text.split_once('=').ok_or_else(|| {
            format!("fault {text:?} has no value; expected KIND=VALUE, for example 429=0.2")
        })?;
        let (kind, value) = (kind.trim(), value.trim());
        let form = form(kind).ok_or_else(|| unknown(kind))?;
        let number = value.parse::<f64>().ok();
        let (is_valid, expected) = match form {
            FaultForm::UnauthorizedAfter | FaultForm::QuotaAfter => {
                (value.parse::<u64>().is_ok(), "a number of requests")
            }
            FaultForm::RateLimit => {
                (number.is_some_and(|rate| rate.is_finite() && rate >= 0.001), "requests a second, above 0")
            }
            FaultForm::RetryAfter => {
                (number.is_some_and(|wait| (0.0..=86_400.0).contains(&wait)), "seconds, at most 86400")
            }
            _ => (number.is_some_and(|rate| (0.0..=1.0).contains(&rate)), "a rate from 0 to 1"),
        };
        match number.filter(|_| is_valid) {
            Some(value) => Ok(Self { form, value }),
            None => Err(format!("invalid value {value:?} of fault {kind:?}; expected {expected}")),
        }
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
    let names = NAMED.iter().map(|(name, _)| *name).chain(OTHER_KINDS);
    let hint = suggest(kind, names).map(|name| format!("; did you mean {name:?}?")).unwrap_or_default();
    format!("unknown fault {kind:?}{hint}")
}

/// The value of a setting; the last one counts.
pub(super) fn setting(faults: &[FaultSpec], form: &FaultForm) -> Option<f64> {
    faults.iter().rfind(|fault| fault.form == *form).map(|fault| fault.value)
}

/// The fault of the `arrival`-th request, counted from 0; depends on the seed and the number only. A request has at most
/// one fault; if the rates add up to more than 1, the first ones take precedence.
pub(super) fn draw(faults: &[FaultSpec], seed: u64, arrival: u64) -> Option<&FaultForm> {
    let mut stream = ChaCha8Rng::seed_from_u64(seed);
    stream.set_stream(arrival);
    let mut remainder = stream.random::<f64>();
    let drawn = faults.iter().filter(|fault| !fault.form.is_setting()).find(|fault| {
        let drawn = remainder < fault.value;
        remainder -= fault.value;
        drawn
    });
    drawn.map(|fault| &fault.form)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(specs: &[&str]) -> Vec<FaultSpec> {
        specs.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn fault_specs_parse() {
        let specs = ["429=0.2", "cut=0.1", "refuse-max-tokens=1", "401-after=10", "retry-after=0.5"];
        let refuse = FaultForm::Refuse("max_tokens".to_owned());
        let expected = [
            (FaultForm::Status(429), 0.2),
            (FaultForm::Cut, 0.1),
            (refuse, 1.0),
            (FaultForm::UnauthorizedAfter, 10.0),
            (FaultForm::RetryAfter, 0.5),
        ];
        assert_eq!(faults(&specs), expected.map(|(form, value)| FaultSpec { form, value }));
        let repeated = faults(&["rate-limit=1", "rate-limit=2", "cut=1"]);
        assert_eq!(setting(&repeated, &FaultForm::RateLimit), Some(2.0));
        assert_eq!(setting(&repeated, &FaultForm::QuotaAfter), None);
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
        assert!(message("401-after=1.5").contains("a number of requests"));
        assert!(message("retry-after=90000").contains("at most 86400"));
    }

    #[test]
    fn draws_follow_the_rates_and_the_seed() {
        let faults = faults(&["401-after=9", "500=0.3", "cut=0.1"]);
        let draws: Vec<_> = (0..20_000).map(|arrival| draw(&faults, 7, arrival)).collect();
        let share =
            |form: &FaultForm| draws.iter().filter(|draw| **draw == Some(form)).count() as f64 / 20_000.0;
        assert!((share(&FaultForm::Status(500)) - 0.3).abs() < 0.015);
        assert!((share(&FaultForm::Cut) - 0.1).abs() < 0.01);
        assert_eq!(draws, (0..20_000).map(|arrival| draw(&faults, 7, arrival)).collect::<Vec<_>>());
        assert_ne!(draws, (0..20_000).map(|arrival| draw(&faults, 8, arrival)).collect::<Vec<_>>());
    }
}
