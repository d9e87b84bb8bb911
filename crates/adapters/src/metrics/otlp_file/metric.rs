//! The metrics that can be read from spans, by their names.

use super::super::latency_percentile;
use super::message::Span;

const NANOSECONDS: f64 = 1e9;

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Metric {
    /// 1 for a request whose span has the status error.
    ErrorRate,
    /// Seconds from the begin to the end of the span.
    Latency,
    /// The percentile of the seconds, from 1 to 99.
    LatencyPercentile(u8),
    /// Dollars.
    Cost,
    /// Tokens of the request.
    InputTokens,
    /// Tokens of the answer.
    OutputTokens,
    /// The score of the evaluation with this name.
    Evaluation,
}

impl Metric {
    /// The metric with a name.
    pub(super) fn of(name: &str) -> Self {
        match name {
            "error_rate" => Self::ErrorRate,
            "latency" => Self::Latency,
            "cost_usd" => Self::Cost,
            "input_tokens" => Self::InputTokens,
            "output_tokens" => Self::OutputTokens,
            _ => latency_percentile(name).map_or(Self::Evaluation, Self::LatencyPercentile),
        }
    }

    /// The figure of a request; `None` for a score, and where the span has none.
    pub(super) fn of_span(self, span: &Span<'_>) -> Option<f64> {
        let attributes = span.attributes.as_ref();
        match self {
            Self::ErrorRate => Some(f64::from(u8::from(span.is_error()))),
            Self::Latency | Self::LatencyPercentile(_) => {
                let end = span.end_time_unix_nano?.0;
                let elapsed = end.checked_sub(span.start_time_unix_nano.0)?;
                Some(elapsed as f64 / NANOSECONDS)
            }
            Self::Cost => attributes?.cost(),
            Self::InputTokens => attributes?.input_tokens(),
            Self::OutputTokens => attributes?.output_tokens(),
            Self::Evaluation => None,
        }
    }

    /// Why there may be no figures at all.
    pub(super) fn absence(self) -> &'static str {
        match self {
            Self::ErrorRate => "no request was seen",
            Self::Latency | Self::LatencyPercentile(_) => "no request has a begin and an end",
            Self::Cost => "no request has the attribute gen_ai.usage.cost or llm.cost.total",
            Self::InputTokens => "no request has the attribute gen_ai.usage.input_tokens",
            Self::OutputTokens => "no request has the attribute gen_ai.usage.output_tokens",
            Self::Evaluation => "no request has an event gen_ai.evaluation.result of this name",
        }
    }
}

/// The percentile by nearest rank; the order of the figures changes.
pub(super) fn nearest_rank(figures: &mut [f64], percentile: u8) -> Option<f64> {
    let rank = (figures.len() * usize::from(percentile)).div_ceil(100);
    let index = rank.checked_sub(1)?;
    Some(*figures.select_nth_unstable_by(index, f64::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of `https://en.wikipedia.org/wiki/Percentile#The_nearest-rank_method`.
    #[test]
    fn nearest_rank_is_that_of_the_published_example() {
        let mut figures = [50.0, 20.0, 35.0, 15.0, 40.0];
        for (percentile, expected) in [(5, 15.0), (30, 20.0), (40, 20.0), (50, 35.0), (99, 50.0)] {
            assert_eq!(nearest_rank(&mut figures, percentile), Some(expected));
        }
        assert_eq!(nearest_rank(&mut [], 95), None);
        let mut many: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(nearest_rank(&mut many, 95), Some(95.0));
    }

    #[test]
    fn percentiles_are_read_from_names() {
        assert_eq!(Metric::of("latency_p95"), Metric::LatencyPercentile(95));
        assert_eq!(Metric::of("latency_p5"), Metric::LatencyPercentile(5));
        for name in ["latency_p0", "latency_p100", "latency_p", "latency_p+5", "faithfulness"] {
            assert_eq!(Metric::of(name), Metric::Evaluation, "{name}");
        }
    }
}
