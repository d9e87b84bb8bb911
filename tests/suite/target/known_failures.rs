//! A check that only new failures may fail.

use super::{application, commit};

#[test]
fn new_failures_are_named_and_known_ones_counted() {
    let folder = application(4);
    folder.edit("promptgate.yaml", "metrics:\n  faithfulness: {min: 0.75}\njudge: {model: tiny-judge}\n", "");
    folder.edit("promptgate.yaml", "    baseline: true\n", "    require: no_new_failures\n");
    folder.append("promptgate.yaml", "gate: {repeats: 1}\n");
    let facts = folder.read("facts.json");
    let broken = |cases: &[u32]| {
        cases.iter().fold(facts.clone(), |facts, case| {
            facts.replace(
                &format!("Plan {case} is refunded within 30 days"),
                &format!("Plan {case} is refunded"),
            )
        })
    };
    folder.write("facts.json", &broken(&[1]));
    commit(&folder, "one fails");
    folder.write("facts.json", &broken(&[1, 2]));
    let outcome = folder.promptgate(&["run", "--baseline", "git:HEAD"]).expect_code(10);
    outcome.says("Case: case-2. 1 more case fails it as before.");
    folder.write("facts.json", &broken(&[1, 2, 3, 4]));
    commit(&folder, "all fail");
    folder.promptgate(&["run", "--baseline", "git:HEAD"]).expect_code(0);
}
