//! Exit codes: one enum, tested against the README, and pure mappings to it.

use crate::app::ci;
use crate::app::evaluate::Decided;
use crate::app::{Failure, calibrate};
use crate::config::Inconclusive;
use promptgate_core::model::{Ended, Verdict};
use promptgate_report::v1::EndedKind;

/// How promptgate ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitStatus {
    /// Every criterion passed, or the command succeeded.
    Pass = 0,
    /// An unexpected failure; a bug.
    Internal = 1,
    /// Invalid flags, configuration, dataset or prompt; nothing was called.
    Usage = 2,
    /// No case, or nothing that scores.
    NothingToEvaluate = 3,
    /// A threshold missed or a regression shown.
    Fail = 10,
    /// Too little evidence to decide.
    Inconclusive = 11,
    /// The evaluation could not be completed.
    Incomplete = 12,
    /// Ctrl-C, SIGTERM or SIGHUP; a partial report is written.
    Interrupted = 130,
}

/// How a verdict becomes an exit code.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ExitRules {
    /// `--inconclusive`; `None` leaves it to the configuration.
    pub(super) inconclusive: Option<Inconclusive>,
    /// Exit 0 on fail, inconclusive and incomplete.
    pub(super) advisory: bool,
}

impl ExitStatus {
    /// Every status with its name, in the order of the codes.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Pass, "pass"),
        (Self::Internal, "internal"),
        (Self::Usage, "usage"),
        (Self::NothingToEvaluate, "nothing to evaluate"),
        (Self::Fail, "fail"),
        (Self::Inconclusive, "inconclusive"),
        (Self::Incomplete, "incomplete"),
        (Self::Interrupted, "interrupted"),
    ];

    /// The code.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The status of a decided run.
    pub(super) fn of_decided(decided: &Decided, rules: ExitRules) -> Self {
        let passes = match rules.inconclusive {
            Some(choice) => choice == Inconclusive::Pass,
            None => decided.inconclusive_passes,
        };
        let evaluation = &decided.evaluation;
        // The pass of a partial run is withheld, so that nothing may give it back.
        let passes = passes && evaluation.run.dataset.partial.is_none();
        Self::of_verdict(&evaluation.run.ended, evaluation.decision.verdict, passes, rules.advisory)
    }

    /// The status of a verdict. An interruption comes first: its report is partial.
    fn of_verdict(ended: &Ended, verdict: Verdict, inconclusive_passes: bool, advisory: bool) -> Self {
        if *ended == Ended::Interrupted {
            return Self::Interrupted;
        }
        match verdict {
            _ if advisory => Self::Pass,
            Verdict::Pass | Verdict::Unchanged => Self::Pass,
            Verdict::Fail => Self::Fail,
            Verdict::Inconclusive if inconclusive_passes => Self::Pass,
            Verdict::Inconclusive => Self::Inconclusive,
            Verdict::Incomplete => Self::Incomplete,
        }
    }

    /// The status of a shard: 0 once it is done, since the verdict is that of the whole run.
    pub(super) fn of_shard(ended: EndedKind, rules: ExitRules) -> Self {
        match ended {
            EndedKind::Completed | EndedKind::FailedFast => Self::Pass,
            EndedKind::Interrupted => Self::Interrupted,
            EndedKind::Stopped if rules.advisory => Self::Pass,
            EndedKind::Stopped => Self::Incomplete,
        }
    }

    /// The status of a gate in CI that has no report.
    pub(super) fn of_ci(outcome: &ci::Outcome, rules: ExitRules) -> Self {
        match outcome {
            ci::Outcome::Reported(reported) => Self::of_code(reported.report.exit_code),
            ci::Outcome::Shard(shard) => {
                Self::of_shard(shard.ended, rules).unless_unwritten(shard.unwritten.as_slice(), rules)
            }
            ci::Outcome::Interrupted => Self::Interrupted,
            ci::Outcome::NoKey { skipped: false, .. } if !rules.advisory => Self::Incomplete,
            ci::Outcome::NewSuite { new, .. } if new.result == ci::OnNewSuite::Fail && !rules.advisory => {
                Self::Incomplete
            }
            ci::Outcome::Unchanged(_) | ci::Outcome::NoKey { .. } | ci::Outcome::NewSuite { .. } => {
                Self::Pass
            }
            ci::Outcome::Failed(failure) => Self::of_failure(failure, rules),
        }
    }

    /// The status of a failure; advisory excuses what is incomplete.
    pub(super) fn of_failure(failure: &Failure, rules: ExitRules) -> Self {
        match failure {
            Failure::Incomplete(_) | Failure::Unwritten(_) if rules.advisory => Self::Pass,
            failure => failure.into(),
        }
    }

    /// This status, unless a result could not be written: then nobody can rely on it later.
    pub(super) fn unless_unwritten(self, unwritten: &[Failure], rules: ExitRules) -> Self {
        match unwritten.first() {
            Some(failure) if self != Self::Interrupted => Self::of_failure(failure, rules),
            _ => self,
        }
    }

    /// The status of a calibration.
    pub(super) fn of_calibration(outcome: &calibrate::Outcome) -> Self {
        match outcome {
            calibrate::Outcome::Measured(measurement) if measurement.unwritten.is_some() => Self::Incomplete,
            calibrate::Outcome::Measured(measurement) if measurement.shortfall.is_some() => Self::Fail,
            calibrate::Outcome::Measured(_) => Self::Pass,
            calibrate::Outcome::Incomplete(_) => Self::Incomplete,
            calibrate::Outcome::Interrupted => Self::Interrupted,
        }
    }

    /// The status of a review of a dataset: its warnings fail a strict one.
    pub(super) fn of_dataset(warnings: usize, strict: bool) -> Self {
        if strict && warnings > 0 { Self::Fail } else { Self::Pass }
    }

    /// The status of several suites, the gravest: a failure is certain, whatever else is missing.
    pub(super) fn gravest(statuses: impl IntoIterator<Item = Self>) -> Self {
        const BY_GRAVITY: [ExitStatus; 8] = [
            ExitStatus::Interrupted,
            ExitStatus::Fail,
            ExitStatus::Internal,
            ExitStatus::Usage,
            ExitStatus::NothingToEvaluate,
            ExitStatus::Incomplete,
            ExitStatus::Inconclusive,
            ExitStatus::Pass,
        ];
        let rank = |status: &Self| BY_GRAVITY.iter().position(|other| other == status);
        statuses.into_iter().min_by_key(rank).unwrap_or(Self::NothingToEvaluate)
    }

    fn of_code(code: u8) -> Self {
        let known = Self::ALL.into_iter().find(|(status, _)| status.code() == code);
        known.map_or(Self::Internal, |(status, _)| status)
    }
}

impl From<&Failure> for ExitStatus {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Diagnostics(_) => Self::Usage,
            Failure::Incomplete(_) | Failure::Unwritten(_) => Self::Incomplete,
            Failure::Unsettled(_) => Self::Inconclusive,
            Failure::Nothing(_) => Self::NothingToEvaluate,
            Failure::Internal(_) => Self::Internal,
        }
    }
}

impl From<ExitStatus> for std::process::ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}
