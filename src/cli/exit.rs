//! Exit codes: one enum, tested against the README.

use promptgate_core::model::{Ended, Run, Verdict};

/// How promptgate ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitStatus {
    /// Every criterion met, or nothing asked for failed.
    Pass = 0,
    /// An unexpected failure; a bug.
    Internal = 1,
    /// Flags, configuration, dataset or prompt wrong; nothing was called.
    Usage = 2,
    /// No case, or nothing that scores.
    NothingToEvaluate = 3,
    /// A threshold missed or a regression shown.
    Fail = 10,
    /// Too little evidence to decide.
    Inconclusive = 11,
    /// Could not evaluate.
    Incomplete = 12,
    /// Ctrl-C or SIGTERM; a partial report is written.
    Interrupted = 130,
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
    ///
    /// `inconclusive_passes` is `--inconclusive pass`, `advisory` is `--advisory`; an interruption stands
    /// above both, since its report is partial.
    pub fn of(run: &Run, verdict: Verdict, inconclusive_passes: bool, advisory: bool) -> Self {
        if run.ended == Ended::Interrupted {
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
}

impl From<ExitStatus> for std::process::ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}
