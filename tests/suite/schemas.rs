//! The committed JSON Schemas are what the executable prints.

use crate::support::{Folder, repository};

const NAMES: [&str; 32] = [
    "config",
    "case",
    "case-result",
    "history",
    "report",
    "plan",
    "plans",
    "dataset-check",
    "calibration",
    "shard",
    "doctor",
    "suites",
    "status",
    "log",
    "verification",
    "show",
    "diff",
    "compiled",
    "assignment",
    "bundle",
    "prompt",
    "releases",
    "publication",
    "approval",
    "promotion",
    "rollback",
    "rollout",
    "rollout-plan",
    "rollout-simulation",
    "reconciliation",
    "pull",
    "metrics",
];

#[test]
fn committed_schemas_match_the_program() {
    for name in NAMES {
        let printed = Folder::new().promptgate(&["schema", name]).expect_code(0).stdout;
        let path = repository().join(format!("schema/{name}.schema.json"));
        let committed = std::fs::read_to_string(&path).expect("a committed schema");
        assert!(committed == printed, "{name} is stale: run `just schemas`");
        let schema = serde_json::from_str(&printed).expect("JSON");
        jsonschema::meta::validate(&schema).expect("a valid schema");
    }
}
