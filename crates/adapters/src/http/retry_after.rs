//! The wait that a server asks for, read from the headers of its response.
//!
//! `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3), `retry-after-ms`, and the `x-ratelimit-reset-*`
//! and `anthropic-ratelimit-*-reset` families, which hold durations (`6m0s`, `1.5s`, `200ms`), seconds, or points in time. A gateway that puts
//! `llm_provider-` before the provider's headers, as LiteLLM does, is read as the provider where it has none of its own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::{Span, SpanRelativeTo};
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// Upper bound that keeps arithmetic with durations safe.
const MAX_SECONDS: f64 = 366.0 * 86_400.0;

/// Start of Anthropic's headers: `anthropic-ratelimit-requests-reset`.
const ANTHROPIC: &str = "anthropic-ratelimit-";

/// Put before the provider's headers by LiteLLM.
const PROVIDER: &str = "llm_provider-";

/// The headers with resets of limits that count. Many servers send them with every response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resets {
    /// None: no limit was hit.
    Ignore,
    /// Those with nothing remaining.
    Exhausted,
    /// Those with nothing remaining, or all where no header says that.
    Any,
}

/// Returns the wait that the server asked for; zero where its time has passed. `now` is for dates.
pub fn retry_after(headers: &HeaderMap, resets: Resets, now: SystemTime) -> Option<Duration> {
    explicit(headers, now).or_else(|| match resets {
        Resets::Ignore => None,
        Resets::Exhausted => reset(headers, now).0,
        Resets::Any => {
            let (exhausted, latest) = reset(headers, now);
            exhausted.or(latest)
        }
    })
}

/// Returns `retry-after-ms`, which is finer, else `Retry-After`.
fn explicit(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    named(headers, "", now).or_else(|| named(headers, PROVIDER, now))
}

fn named(headers: &HeaderMap, prefix: &str, now: SystemTime) -> Option<Duration> {
    let milliseconds =
        text(headers, &format!("{prefix}retry-after-ms")).and_then(|value| value.parse::<f64>().ok());
    if let Some(wait) = milliseconds.and_then(|value| seconds(value / 1000.0)) {
        return Some(wait);
    }
    let value = text(headers, &format!("{prefix}{RETRY_AFTER}"))?;
    if let Ok(number) = value.parse::<f64>() {
        return seconds(number);
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// Returns the latest of the resets with nothing remaining, and the latest of all.
fn reset(headers: &HeaderMap, now: SystemTime) -> (Option<Duration>, Option<Duration>) {
    let (mut exhausted, mut latest) = (None, None);
    for (name, value) in headers {
        let name = name.as_str();
        let (prefix, own) = name.strip_prefix(PROVIDER).map_or(("", name), |own| (PROVIDER, own));
        let Some(remaining) = remaining_name(own) else { continue };
        let Some(wait) = value.to_str().ok().and_then(|value| moment(value.trim(), now)) else { continue };
        let remaining = text(headers, &format!("{prefix}{remaining}"));
        if remaining.and_then(|count| count.parse::<f64>().ok()).is_some_and(|count| count <= 0.0) {
            exhausted = exhausted.max(Some(wait));
        }
        latest = latest.max(Some(wait));
    }
    (exhausted, latest)
}

/// Returns the header with what remains of a limit, for the header with its reset.
fn remaining_name(reset: &str) -> Option<String> {
    if let Some(limit) = reset.strip_prefix("x-ratelimit-reset") {
        return Some(format!("x-ratelimit-remaining{limit}"));
    }
    let limit = reset.strip_prefix(ANTHROPIC)?.strip_suffix("-reset")?;
    Some(format!("{ANTHROPIC}{limit}-remaining"))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn seconds(number: f64) -> Option<Duration> {
    (number.is_finite() && number >= 0.0).then(|| Duration::from_secs_f64(number.min(MAX_SECONDS)))
}

/// Parses a duration with units, seconds, or a point in time: a date, or seconds or milliseconds since 1970.
fn moment(value: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(number) = value.parse::<f64>() {
        // Larger numbers are dates: 1e9 s is the year 2001, 1e11 ms the year 1973.
        let since_epoch = match number {
            large if large >= 1e11 => large / 1000.0,
            large if large >= 1e9 => large,
            small => return seconds(small),
        };
        let then =
            Duration::try_from_secs_f64(since_epoch).ok().and_then(|since| UNIX_EPOCH.checked_add(since))?;
        return Some(then.duration_since(now).unwrap_or_default());
    }
    if let Some(wait) = units(value) {
        return Some(wait);
    }
    let date = match value.parse::<jiff::Timestamp>() {
        Ok(date) => SystemTime::from(date),
        Err(_) => httpdate::parse_http_date(value).ok()?,
    };
    Some(date.duration_since(now).unwrap_or_default())
}

/// Parses a duration with units or in seconds.
pub(super) fn duration(value: &str) -> Option<Duration> {
    units(value).or_else(|| seconds(value.parse().ok()?))
}

/// Parses numbers with units: `1h2m3.5s`, `200ms`.
fn units(value: &str) -> Option<Duration> {
    let span = value.parse::<Span>().ok()?;
    seconds(span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
            })
            .collect()
    }

    /// 2023-11-14 22:13:20 UTC.
    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_700_000_000)
    }

    fn wait(pairs: &[(&str, &str)]) -> Option<u128> {
        retry_after(&headers(pairs), Resets::Any, now()).map(|wait| wait.as_millis())
    }

    #[test]
    fn every_common_form_is_parsed() {
        for (name, value, milliseconds) in [
            ("retry-after", "7", 7000),
            ("retry-after", " 1.5 ", 1500),
            ("retry-after", "Tue, 14 Nov 2023 22:13:30 GMT", 10_000),
            ("retry-after-ms", "250", 250),
            ("x-ratelimit-reset-requests", "6m0s", 360_000),
            ("x-ratelimit-reset-tokens", "1.5s", 1500),
            ("x-ratelimit-reset-tokens", "200ms", 200),
            ("x-ratelimit-reset-requests", "1h2m3s", 3_723_000),
            ("x-ratelimit-reset", "12", 12_000),
            ("x-ratelimit-reset", "1700000005", 5000),
            ("x-ratelimit-reset", "1700000005500", 5500),
            ("x-ratelimit-reset-requests", "2023-11-14T22:13:24Z", 4000),
        ] {
            assert_eq!(wait(&[(name, value)]), Some(milliseconds), "{name}: {value}");
        }
    }

    #[test]
    fn an_invalid_value_is_ignored() {
        for value in ["", "soon", "-1", "NaN", "inf", "5 parsecs"] {
            assert_eq!(wait(&[("retry-after", value)]), None, "{value}");
        }
        for value in ["", "s", "1x", "1.2.3s", "m5", "9é", "é"] {
            assert_eq!(wait(&[("x-ratelimit-reset-tokens", value)]), None, "{value}");
        }
    }

    #[test]
    fn a_time_that_has_passed_is_zero() {
        for value in ["0", "Tue, 14 Nov 2023 22:13:10 GMT"] {
            assert_eq!(wait(&[("retry-after", value)]), Some(0), "{value}");
        }
        assert_eq!(wait(&[("x-ratelimit-reset-tokens", "1700000000")]), Some(0));
    }

    #[test]
    fn huge_waits_do_not_overflow() {
        for value in ["1e300", "99999999999999999999"] {
            assert!(wait(&[("retry-after", value)]).is_some());
            let _ = wait(&[("x-ratelimit-reset", value)]);
        }
    }

    #[test]
    fn milliseconds_precede_seconds_and_both_precede_resets() {
        assert_eq!(
            wait(&[("retry-after", "2"), ("retry-after-ms", "1200"), ("x-ratelimit-reset-tokens", "9s")]),
            Some(1200)
        );
        assert_eq!(wait(&[("retry-after", "2"), ("x-ratelimit-reset-tokens", "9s")]), Some(2000));
    }

    #[test]
    fn the_exhausted_limit_takes_precedence() {
        let pairs = [
            ("x-ratelimit-reset-requests", "1s"),
            ("x-ratelimit-remaining-requests", "3"),
            ("x-ratelimit-reset-tokens", "8s"),
            ("x-ratelimit-remaining-tokens", "0"),
        ];
        assert_eq!(wait(&pairs), Some(8000));
        let pairs = [("x-ratelimit-reset-requests", "9s"), ("x-ratelimit-reset-tokens", "8s")];
        assert_eq!(wait(&pairs), Some(9000));
        let pairs = [
            ("x-ratelimit-reset-requests", "6m0s"),
            ("x-ratelimit-remaining-requests", "3"),
            ("x-ratelimit-reset-tokens", "8s"),
            ("x-ratelimit-remaining-tokens", "0"),
        ];
        assert_eq!(wait(&pairs), Some(8000));
    }

    #[test]
    fn headers_of_anthropic_are_read() {
        // https://platform.claude.com/docs/en/api/rate-limits#response-headers
        let pairs = [
            ("anthropic-ratelimit-requests-limit", "1000"),
            ("anthropic-ratelimit-requests-remaining", "3"),
            ("anthropic-ratelimit-requests-reset", "2023-11-14T22:13:21Z"),
            ("anthropic-ratelimit-input-tokens-remaining", "0"),
            ("anthropic-ratelimit-input-tokens-reset", "2023-11-14T22:13:28Z"),
            ("anthropic-ratelimit-output-tokens-remaining", "500"),
            ("anthropic-ratelimit-output-tokens-reset", "2023-11-14T22:13:50Z"),
        ];
        assert_eq!(wait(&pairs), Some(8000));
        assert_eq!(wait(&[("anthropic-ratelimit-tokens-reset", "2023-11-14T22:13:25Z")]), Some(5000));
        assert_eq!(wait(&[("anthropic-ratelimit-tokens-reset", "soon")]), None);
        let behind = [("llm_provider-anthropic-ratelimit-tokens-reset", "2023-11-14T22:13:25Z")];
        assert_eq!(wait(&behind), Some(5000));
    }

    #[test]
    fn headers_of_the_provider_behind_a_gateway_count() {
        assert_eq!(wait(&[("llm_provider-retry-after", "7")]), Some(7000));
        assert_eq!(wait(&[("llm_provider-retry-after-ms", "250")]), Some(250));
        assert_eq!(wait(&[("llm_provider-retry-after", "7"), ("retry-after", "2")]), Some(2000));
        let pairs = [
            ("llm_provider-x-ratelimit-reset-tokens", "8s"),
            ("llm_provider-x-ratelimit-remaining-tokens", "0"),
            ("llm_provider-x-ratelimit-reset-requests", "1s"),
        ];
        assert_eq!(retry_after(&headers(&pairs), Resets::Exhausted, now()), Some(Duration::from_secs(8)));
    }

    #[test]
    fn resets_count_only_as_requested() {
        let pairs = headers(&[("x-ratelimit-reset-requests", "9s")]);
        for resets in [Resets::Ignore, Resets::Exhausted] {
            assert_eq!(retry_after(&pairs, resets, now()), None);
        }
        let pairs = headers(&[("x-ratelimit-reset", "9s"), ("x-ratelimit-remaining", "0")]);
        assert_eq!(retry_after(&pairs, Resets::Exhausted, now()), Some(Duration::from_secs(9)));
        let pairs = headers(&[("x-ratelimit-reset-requests", "9s"), ("retry-after", "4")]);
        assert_eq!(retry_after(&pairs, Resets::Ignore, now()), Some(Duration::from_secs(4)));
    }
}
