//! Reports of large runs, whose trials are in a file of their own so that other tools can open report.json.

use super::super::v1::{Case, CaseStatus, Report};
use super::TrialsFile;

/// Name of the file beside report.json with all trials of a large run.
pub const TRIALS_FILE: &str = "trials.jsonl";

/// A run with more trials is large: 10,000 cases with two variants and one repeat.
pub const LARGE: usize = 20_000;

/// Maximum number of trials in the report.json of a large run.
pub const KEPT: usize = 2_000;

impl Report {
    /// Number of trials.
    pub fn trials(&self) -> usize {
        self.cases.iter().map(|case| case.trials.len()).sum()
    }

    /// Leaves all trials to a file beside report.json, except those of the worst cases, at most `kept`.
    ///
    /// The report still holds them; its JSON does not.
    pub fn leave_trials_to(&mut self, file: TrialsFile, kept: usize) {
        self.trials_file = Some(file);
        let mut in_json = vec![false; self.cases.len()];
        let mut trials = 0;
        for place in worst(self) {
            trials += self.cases.get(place).map_or(0, |case| case.trials.len());
            if trials > kept {
                break;
            }
            in_json[place] = true;
        }
        for (case, in_json) in self.cases.iter_mut().zip(in_json) {
            if !in_json {
                case.trials.leave_out();
            }
        }
        self.keep_messages();
    }

    /// Leaves the messages of cases without trials in report.json to the file beside it.
    pub(in super::super) fn keep_messages(&mut self) {
        let kept = self.cases.iter().filter(|case| !case.trials.is_left_out());
        self.messages.keep(kept.map(|case| case.requests.clone()));
    }
}

/// Indices of the cases that got worse, failed, lack grades or got better, worst first.
fn worst(report: &Report) -> Vec<usize> {
    let loss = |case: &Case| case.largest_difference.as_ref().map_or(0.0, |largest| largest.difference);
    let rank = |case: &Case| match case.status {
        _ if case.must_pass && !case.failing.is_empty() => Some(0),
        CaseStatus::Broken => Some(1),
        CaseStatus::Regressed => Some(2),
        _ if !case.failing.is_empty() && report.variants.baseline.is_none() => Some(3),
        CaseStatus::Missing => Some(4),
        CaseStatus::Fixed => Some(5),
        _ if !case.failing.is_empty() => Some(6),
        CaseStatus::Lower | CaseStatus::Flaky if loss(case) < 0.0 => Some(7),
        CaseStatus::Improved
        | CaseStatus::Flaky
        | CaseStatus::Lower
        | CaseStatus::Higher
        | CaseStatus::Same => None,
    };
    let mut cases: Vec<(i32, f64, usize)> = report
        .cases
        .iter()
        .enumerate()
        .filter_map(|(place, case)| rank(case).map(|rank| (rank, loss(case), place)))
        .collect();
    cases.sort_by(|(rank, loss, place), (other_rank, other_loss, other)| {
        rank.cmp(other_rank).then(loss.total_cmp(other_loss)).then(place.cmp(other))
    });
    cases.into_iter().map(|(_, _, place)| place).collect()
}
