//! The closed sets of names, each translated to and from the program's own.
//!
//! The translations are exhaustive, so a new variant inside does not reach a report unnoticed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use promptgate_core::model;

/// Declares names with their words, and the translations from and to the model's type of the same variants.
macro_rules! names {
    ($(#[$doc:meta])* $name:ident = $model:path { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// The word in reports.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl From<$model> for $name {
            fn from(name: $model) -> Self {
                use $model as Model;
                match name {
                    $(Model::$variant => Self::$variant,)+
                }
            }
        }

        impl From<$name> for $model {
            fn from(name: $name) -> Self {
                match name {
                    $($name::$variant => Self::$variant,)+
                }
            }
        }
    };
}

names! {
    /// The verdict of a run.
    Verdict = model::Verdict {
        /// Every criterion met.
        Pass = "pass",
        /// A threshold missed or a regression shown.
        Fail = "fail",
        /// Too little evidence to decide.
        Inconclusive = "inconclusive",
        /// Could not evaluate.
        Incomplete = "incomplete",
        /// Nothing that could change a verdict differs from the base.
        Unchanged = "unchanged",
    }
}

names! {
    /// The verdict on one criterion.
    CriterionVerdict = model::CriterionVerdict {
        /// Met.
        Pass = "pass",
        /// Shown to be missed.
        Fail = "fail",
        /// Too little evidence.
        Inconclusive = "inconclusive",
        /// Missing grades could turn it.
        Incomplete = "incomplete",
    }
}

names! {
    /// Why the verdict is what it is.
    ReasonCode = model::ReasonCode {
        /// A metric is below its minimum.
        ThresholdMissed = "threshold_missed",
        /// The candidate is worse than the baseline.
        Regression = "regression",
        /// A check failed on a trial though every trial must pass.
        CheckFailed = "check_failed",
        /// Latency, tokens or cost above the limit.
        LimitExceeded = "limit_exceeded",
        /// A `must_pass` case failed.
        MustPassFailed = "must_pass_failed",
        /// More cases broke than allowed.
        BrokenCases = "broken_cases",
        /// The evidence allows no decision.
        TooLittleEvidence = "too_little_evidence",
        /// Missing grades could turn a criterion, or there are more than allowed.
        MissingGrades = "missing_grades",
        /// The endpoint ended the run.
        Endpoint = "endpoint",
        /// No key in the environment.
        MissingCredentials = "missing_credentials",
        /// Only cached answers were wanted, and some are not in the cache.
        NotCached = "not_cached",
        /// The cache cannot be read.
        CacheDamaged = "cache_damaged",
        /// A ceiling of the budget was reached.
        BudgetSpent = "budget_spent",
        /// The judge failed its self-test, or is not calibrated as the configuration wants.
        UnfitJudge = "unfit_judge",
        /// The user or the system asked to stop.
        Interrupted = "interrupted",
        /// `--fail-fast` stopped the run after a certain failure.
        FailedFast = "failed_fast",
    }
}

names! {
    /// Where the score of a planted answer belongs.
    Expected = model::Expected {
        /// At most 0.3.
        Low = "low",
        /// At least 0.7.
        High = "high",
    }
}

names! {
    /// Which uncertainty an interval counts.
    Scope = model::Scope {
        /// Would this very suite meet the bar on average if run again?
        Suite = "suite",
        /// Would new cases of the same kind meet it?
        Population = "population",
    }
}

names! {
    /// What a metric measures.
    MetricKind = model::MetricKind {
        /// 0 or 1 by a deterministic check.
        Check = "check",
        /// 0 to 1 by a judge.
        Judge = "judge",
        /// Seconds, of one attempt.
        Latency = "latency",
        /// Tokens of an answer, as reported.
        OutputTokens = "output_tokens",
        /// US dollars of an answer.
        Cost = "cost",
        /// Characters of an answer.
        Length = "length",
    }
}

names! {
    /// Which side of the comparison a trial is on.
    Role = model::Role {
        /// The changed prompt that wants to be merged.
        Candidate = "candidate",
        /// What it is compared with.
        Baseline = "baseline",
    }
}

names! {
    /// What became of a case; the first that applies, in this order.
    CaseStatus = model::CaseStatus {
        /// A grade is missing.
        Missing = "missing",
        /// Every repeat of the baseline passed and every one of the candidate fails.
        Broken = "broken",
        /// The reverse.
        Fixed = "fixed",
        /// A gated metric lost more than the resolution.
        Regressed = "regressed",
        /// A gated metric won more than the resolution.
        Improved = "improved",
        /// Repeats of one variant disagree.
        Flaky = "flaky",
        /// None of these.
        Same = "same",
    }
}

names! {
    /// What kind of fault of the endpoint.
    FaultKind = model::FaultKind {
        /// No key in the environment where the endpoint needs one.
        MissingCredentials = "missing_credentials",
        /// 401.
        Unauthorized = "unauthorized",
        /// 403.
        Forbidden = "forbidden",
        /// 404: no such path or model.
        NotFound = "not_found",
        /// 402, or a 429 that says the quota is spent.
        QuotaSpent = "quota_spent",
        /// 429 beyond the patience of the call.
        RateLimited = "rate_limited",
        /// 408, 409, 425, 5xx beyond the patience of the call.
        Unavailable = "unavailable",
        /// Any other status.
        Rejected = "rejected",
        /// The request is longer than the model's context.
        ContextLength = "context_length",
        /// A filter refused the request.
        ContentFilter = "content_filter",
        /// The connection could not be made, or was reset.
        Connection = "connection",
        /// The certificate was not accepted.
        Certificate = "certificate",
        /// No answer in time.
        Timeout = "timeout",
        /// A redirect to another origin.
        Redirected = "redirected",
        /// 2xx, but not a whole, valid answer.
        InvalidAnswer = "invalid_answer",
        /// The body was larger than allowed.
        TooLarge = "too_large",
        /// Too many calls in a row failed.
        Dead = "dead",
        /// Only cached answers were wanted, and some are not in the cache.
        NotCached = "not_cached",
        /// The cache cannot be read.
        CacheDamaged = "cache_damaged",
        /// A ceiling of the budget was reached.
        BudgetSpent = "budget_spent",
        /// The judge failed its self-test, or is not calibrated as the configuration wants.
        UnfitJudge = "unfit_judge",
        /// The user or the system asked to stop.
        Interrupted = "interrupted",
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndedKind {
    /// The plan was carried out; single grades may be missing all the same.
    Completed,
    /// Nothing more could come of it.
    Stopped,
    /// `--fail-fast`: the verdict could only be fail.
    FailedFast,
    /// The user or the system asked to stop.
    Interrupted,
}
