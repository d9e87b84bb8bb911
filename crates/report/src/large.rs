//! The report of a large run: its trials in a file of their own, so that report.json stays small enough for other tools.

use super::v1::{Case, CaseStatus, Report, TrialsFile};

/// The name of the file that all trials of a large run are in, beside report.json.
pub const TRIALS_FILE: &str = "trials.jsonl";

/// A run with more trials than this leaves them in a file of their own: 10,000 cases answered by both sides once.
pub const LARGE: usize = 20_000;

/// So many trials at most stay in the report.json of a large run.
pub const KEPT: usize = 2_000;

impl Report {
    /// How many trials it has.
    pub fn trials(&self) -> usize {
        self.cases.iter().map(|case| case.trials.len()).sum()
    }

    /// Leaves to a file beside report.json all trials but those that a reader will want to see, at most `kept`.
    ///
    /// Nothing is forgotten here: it is when the report is written as JSON that they are left out.
    pub fn leave_trials_to(&mut self, file: TrialsFile, kept: usize) {
        self.trials_file = Some(file);
        let mut open = vec![false; self.cases.len()];
        let mut trials = 0;
        for place in worst(self) {
            trials += self.cases.get(place).map_or(0, |case| case.trials.len());
            if trials > kept {
                break;
            }
            open[place] = true;
        }
        for (case, open) in self.cases.iter_mut().zip(open) {
            if !open {
                case.leave_trials_out();
            }
        }
    }
}

/// The places of the cases that got worse, failed, lack grades or got better, worst first.
fn worst(report: &Report) -> Vec<usize> {
    let rank = |case: &Case| match case.status {
        _ if case.must_pass && !case.failing.is_empty() => Some(0),
        CaseStatus::Broken => Some(1),
        CaseStatus::Regressed => Some(2),
        _ if !case.failing.is_empty() && report.variants.baseline.is_none() => Some(3),
        CaseStatus::Missing => Some(4),
        CaseStatus::Fixed => Some(5),
        _ if !case.failing.is_empty() => Some(6),
        CaseStatus::Improved | CaseStatus::Flaky | CaseStatus::Same => None,
    };
    let loss = |case: &Case| case.largest_difference.as_ref().map_or(0.0, |largest| largest.difference);
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
