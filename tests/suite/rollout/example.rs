//! The example that anybody can run.

use crate::release::support::run_example;

#[test]
fn offline_example_goes_from_edit_to_all_units_and_rolls_a_bad_version_back() {
    let outcome = run_example("rollout.sh");
    let mut rest = outcome.stdout.as_str();
    for line in [
        "support/reply: 1.0.0 is on staging now",
        "support/reply: 1.0.0 waits",
        "0 of 1 approvals",
        "support/reply: 1.0.0 is in production now",
        "support/reply: 1.1.0 is on staging now",
        "0.0167, within the limit of 0.05",
        "support/reply: rollout 1 of 1.1.0 started at 5 %",
        "advanced to 25 %",
        "advanced to 50 %",
        "completed: all units have it",
        "production 1.1.0 is within its limits",
        "support/reply: rollout 2 of 1.2.0 started at 5 %",
        "support/reply: rollout 2 of 1.2.0 rolled back: no unit has it",
        "harm shown: -0.125",
        "29 events of 3 versions",
    ] {
        rest =
            rest.split_once(line).unwrap_or_else(|| panic!("no {line:?} in order in:\n{}", outcome.stdout)).1;
    }
}
