//! Next steps for a reviewer after a verdict other than a pass.

use crate::v1::{Report, Verdict};
use crate::view::number;

/// Above so many repeats, more of them are no practical advice; it is also the maximum of the flags.
const MAX_REPEATS: usize = 1000;

/// Options for a reviewer.
#[derive(Debug, Clone, Copy)]
pub struct ReviewerOptions<'a> {
    /// Logins of the people who may override the verdict; empty where nobody may.
    pub override_by: &'a [String],
    /// The label by which they do.
    pub override_label: &'a str,
    /// The input of the action that sets the repeats: `max-repeats`, or `repeats` where shards are joined.
    pub repeats_input: &'a str,
}

/// Returns the steps, one sentence each; none where nothing is blocked.
pub(crate) fn reviewer_steps(report: &Report, options: &ReviewerOptions<'_>) -> Vec<String> {
    let mut steps = Vec::new();
    if report.exit_code == 0 {
        return steps;
    }
    if report.verdict == Verdict::Inconclusive {
        let settle = report.to_settle;
        let total = settle.and_then(|settle| settle.repeats?.checked_add(report.repeats as usize));
        if let Some(total) = total.filter(|total| *total <= MAX_REPEATS) {
            let input = options.repeats_input;
            let shards = if input == "repeats" { " for all shards" } else { "" };
            steps.push(format!(
                "run it again with more repeats: set the action's input {input} to {total}{shards}"
            ));
        }
        steps.push(match settle.and_then(|settle| settle.cases) {
            Some(cases) => {
                let cases = number::counted(cases as u64, "case");
                format!("add about {cases} to the dataset, in a change of its own that lands first")
            }
            None => "add cases to the dataset, in a change of its own that lands first".to_owned(),
        });
    }
    let is_open = matches!(report.verdict, Verdict::Fail | Verdict::Inconclusive | Verdict::Incomplete);
    if is_open && !options.override_by.is_empty() {
        let who = match options.override_by {
            [] => String::new(),
            [one] => one.clone(),
            [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
        };
        let label = options.override_label;
        steps.push(format!("override the verdict: {who} sets the label {label}, then re-runs the job"));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use crate::v1::ToSettle;

    fn steps(edit: impl FnOnce(&mut Report), options: &ReviewerOptions<'_>) -> Vec<String> {
        let mut report = fixtures::inconclusive();
        report.exit_code = 11;
        report.repeats = 24;
        edit(&mut report);
        reviewer_steps(&report, options)
    }

    #[test]
    fn steps_name_inputs_and_people_that_exist() {
        let people = ["grace".to_owned(), "alan".to_owned(), "ada".to_owned()];
        let options = |people| ReviewerOptions {
            override_by: people,
            override_label: "promptgate-override",
            repeats_input: "max-repeats",
        };
        let settle = |repeats, cases| Some(ToSettle { repeats, cases, calls: 10, cost_usd: None });
        let all = steps(|report| report.to_settle = settle(Some(24), Some(1)), &options(&people));
        assert_eq!(
            all,
            [
                "run it again with more repeats: set the action's input max-repeats to 48",
                "add about 1 case to the dataset, in a change of its own that lands first",
                "override the verdict: grace, alan or ada sets the label promptgate-override, then re-runs the job",
            ]
        );
        let shards = ReviewerOptions { repeats_input: "repeats", ..options(&[]) };
        let all = steps(|report| report.to_settle = settle(Some(24), None), &shards);
        assert_eq!(
            all[0],
            "run it again with more repeats: set the action's input repeats to 48 for all shards"
        );
        assert_eq!(all.len(), 2);
        // Too many, or unknown.
        for unsettled in [settle(Some(977), None), settle(Some(usize::MAX), None), settle(None, None), None] {
            let all = steps(|report| report.to_settle = unsettled, &options(&[]));
            assert_eq!(all, ["add cases to the dataset, in a change of its own that lands first"]);
        }
        // Nothing is blocked, or more repeats would not help.
        assert!(steps(|report| report.exit_code = 0, &options(&people)).is_empty());
        assert_eq!(steps(|report| report.verdict = Verdict::Fail, &options(&people[..1])).len(), 1);
        assert!(steps(|report| report.verdict = Verdict::Fail, &options(&[])).is_empty());
    }
}
