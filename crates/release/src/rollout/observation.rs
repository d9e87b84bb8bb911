//! The observations of a step, as sources return them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Something of both variants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variants<T> {
    /// Of the units that production serves.
    pub control: T,
    /// Of the treated units.
    pub treatment: T,
}

/// A metric of one variant over the window of a step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sample {
    /// Scores of 0 or 1, or good requests among all.
    Share {
        /// Scores of 1.
        successes: u64,
        /// All.
        n: u64,
    },
    /// Other scores.
    Mean {
        /// Their number.
        n: u64,
        /// Their mean.
        mean: f64,
        /// Their sample variance.
        variance: f64,
    },
    /// A percentile, or another figure without a variance.
    Level {
        /// The samples behind it.
        n: u64,
        /// The figure.
        value: f64,
    },
}

impl Sample {
    /// The number of samples.
    pub fn n(&self) -> u64 {
        match self {
            Self::Share { n, .. } | Self::Mean { n, .. } | Self::Level { n, .. } => *n,
        }
    }

    /// The share, the mean or the figure; `None` without samples.
    pub fn value(&self) -> Option<f64> {
        match *self {
            Self::Share { successes, n } => (n > 0).then(|| successes as f64 / n as f64),
            Self::Mean { n, mean: value, .. } | Self::Level { n, value } => (n > 0).then_some(value),
        }
    }

    /// Why the figures cannot be those of a sample.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        match *self {
            Self::Share { successes, n } if successes > n => Some("more successes than samples"),
            Self::Mean { n, mean, variance } if n > 0 && !(mean.is_finite() && variance.is_finite()) => {
                Some("a mean or a variance that is not a number")
            }
            Self::Mean { n, variance, .. } if n > 0 && variance < 0.0 => Some("a negative variance"),
            Self::Level { n, value } if n > 0 && !value.is_finite() => Some("a figure that is not a number"),
            _ => None,
        }
    }
}

/// The answer of a source about a metric: of both variants, unless `T` says otherwise.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading<T = Variants<Sample>> {
    /// Samples.
    Observed(T),
    /// No usable samples; why.
    Missing(String),
    /// The source failed; how.
    Failed(String),
}

/// The observations of a step, from its begin.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observations {
    /// The reading of each metric. A metric that is not in it is missing.
    pub readings: BTreeMap<String, Reading>,
    /// The units of each variant; `None` where no source knows them.
    pub units: Option<Variants<u64>>,
}

/// The observations of a step that has ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stratum {
    /// The samples of each guardrail.
    pub samples: BTreeMap<String, Variants<Sample>>,
}

impl Observations {
    /// The samples of a metric.
    ///
    /// # Errors
    /// A [`Reading`] that is not usable: missing, failed, not a number, or of two kinds.
    pub fn samples(&self, metric: &str) -> Result<Variants<Sample>, Reading> {
        let samples = match self.readings.get(metric) {
            Some(Reading::Observed(samples)) => *samples,
            Some(other) => return Err(other.clone()),
            None => return Err(Reading::Missing("no source returned it".to_owned())),
        };
        let Variants { control, treatment } = samples;
        if std::mem::discriminant(&control) != std::mem::discriminant(&treatment) {
            return Err(Reading::Missing("the variants have samples of different kinds".to_owned()));
        }
        for (variant, sample) in [("control", control), ("treatment", treatment)] {
            if let Some(problem) = sample.problem() {
                return Err(Reading::Missing(format!("{variant} has {problem}")));
            }
            if sample.n() == 0 {
                return Err(Reading::Missing(format!("{variant} has no samples")));
            }
        }
        Ok(samples)
    }
}
