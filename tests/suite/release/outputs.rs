//! `--dry-run` writes nothing, and the JSON of every command follows its schema.

use serde_json::Value;

use super::support::{ALONE, CHANGES, FIRST, Langfuse, NAME, REPORT, Suite};

/// The output of a command as JSON that its schema describes.
#[track_caller]
fn valid(suite: &Suite, schema: &str, code: i32, arguments: &[&str]) -> Value {
    let printed = suite.json(code, arguments);
    let schema: Value =
        serde_json::from_str(&suite.run(&["schema", schema]).expect_code(0).stdout).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let errors: Vec<String> = validator.iter_errors(&printed).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?} in {printed}");
    // Every field that the schema has is written: programs may rely on it.
    let fields = schema["properties"].as_object().expect("properties").keys();
    for field in fields {
        assert!(printed.get(field).is_some(), "no `{field}` in {printed}");
    }
    printed
}

#[test]
fn dry_run_writes_nothing() {
    let langfuse = Langfuse::start();
    let mut suites = vec![Suite::new(ALONE), Suite::on_langfuse(&langfuse, ALONE)];
    let mut on_branch = Suite::on_branch(ALONE);
    on_branch.in_job("push", "carol");
    suites.push(on_branch);
    for suite in suites {
        let untouched = |arguments: &[&str], code: i32, said: &str| {
            let (ledger, requests) = (suite.ledger(), langfuse.server.requests().len());
            suite.run(&[arguments, &["--dry-run"]].concat()).expect_code(code).says(said);
            assert_eq!(suite.ledger(), ledger, "{arguments:?}");
            let written = langfuse.since(requests).into_iter().find(|request| request.method != "GET");
            assert_eq!(written, None, "{arguments:?}");
        };
        suite.edit(FIRST, "first");
        suite.evaluate();
        let publish = ["publish", "--report", REPORT, "--allow-simulated"];
        untouched(&publish, 0, "would be published 1.0.0");
        suite.publish().expect_code(0);
        untouched(&publish, 0, "nothing to record");
        let promote = |to| ["promote", NAME, "--to", to, "--allow-simulated"];
        untouched(&promote("staging"), 0, "staging would move for the first time to 1.0.0");
        suite.serve("1.0.0");
        untouched(&promote("production"), 0, "already points at 1.0.0");
        suite.release(CHANGES[0], "plans were missing");
        let unstaged = ["promote", NAME, "1.1.0", "--to", "production", "--allow-simulated"];
        untouched(&unstaged, 11, "not on staging");
        suite.serve("1.1.0");
        untouched(&["rollback", NAME, "--reason", "x"], 0, "production would move back from 1.1.0 to 1.0.0");
    }
}

#[test]
fn output_of_each_command_follows_its_schema() {
    let langfuse = Langfuse::start();
    let mut suite = Suite::on_langfuse(&langfuse, "approvers: [bob]");
    suite.edit(FIRST, "first");
    suite.evaluate();
    let publish = ["publish", "--report", REPORT, "--allow-simulated"];
    let refused = valid(&suite, "publication", 10, &publish[..3]);
    assert_eq!((&refused["result"], &refused["version"]), (&"refused".into(), &Value::Null));
    assert_eq!(refused["obstacles"][0]["code"], "simulated");
    let published = valid(&suite, "publication", 0, &publish);
    assert_eq!((&published["result"], &published["version"]), (&"published".into(), &"1.0.0".into()));
    assert_eq!((&published["level"], &published["registry_id"]), (&"major".into(), &"1".into()));
    assert_eq!(valid(&suite, "publication", 0, &publish)["result"], "unchanged");
    suite.evaluate();
    assert_eq!(valid(&suite, "publication", 0, &publish)["result"], "evaluated");
    let promote = |to| ["promote", NAME, "--to", to, "--allow-simulated"];
    let refused = valid(&suite, "promotion", 10, &promote("staging")[..4]);
    assert_eq!(refused["result"], "refused");
    let promoted = valid(&suite, "promotion", 0, &promote("staging"));
    assert_eq!((&promoted["result"], &promoted["from"]), (&"promoted".into(), &Value::Null));
    assert_eq!(promoted["cache_seconds"], 60);
    assert_eq!(valid(&suite, "promotion", 0, &promote("staging"))["result"], "unchanged");
    let waiting = valid(&suite, "promotion", 11, &promote("production"));
    assert_eq!(
        (&waiting["result"], &waiting["obstacles"][0]["code"]),
        (&"waiting".into(), &"approvals".into())
    );
    assert!(
        waiting["obstacles"][0]["help"].as_str().unwrap().contains("promptgate approve support/reply 1.0.0")
    );
    let refused = valid(&suite, "approval", 10, &["approve", NAME, "1.0.0"]);
    assert_eq!(refused["result"], "refused");
    suite.set("USER", "bob");
    assert_eq!(valid(&suite, "approval", 0, &["approve", NAME, "1.0.0"])["result"], "approved");
    assert_eq!(valid(&suite, "approval", 0, &["approve", NAME, "1.0.0"])["result"], "unchanged");
    suite.promote("", "production", &[]).expect_code(0);
    suite.release(CHANGES[0], "plans were missing");
    suite.serve("1.1.0");
    let rollback = ["rollback", NAME, "--reason", "customers complain"];
    let would = valid(&suite, "rollback", 0, &[&rollback[..], &["--dry-run"]].concat());
    assert_eq!(would["dry_run"], true);
    let rolled_back = valid(&suite, "rollback", 0, &rollback);
    assert_eq!((&rolled_back["from"], &rolled_back["to"]), (&"1.1.0".into(), &"1.0.0".into()));
    assert_eq!((&rolled_back["stale_read"], &rolled_back["pending"]), (&true.into(), &Value::Null));
    assert_eq!(valid(&suite, "reconciliation", 0, &["reconcile", "--check"])["agree"], true);
    langfuse.server.edit(|prompts| prompts.move_label(NAME, 1, "staging"));
    let found = valid(&suite, "reconciliation", 10, &["reconcile", "--check"]);
    assert_eq!((&found["agree"], &found["differences"][0]["done"]), (&false.into(), &false.into()));
    assert_eq!(valid(&suite, "pull", 0, &["pull", NAME, "--dry-run"])["result"], "published");
    for (schema, arguments) in [
        ("status", &["status", NAME][..]),
        ("log", &["log", NAME]),
        ("verification", &["log", "--verify"]),
        ("show", &["show", "support/reply@production"]),
        ("diff", &["diff", "support/reply@1.0.0", "support/reply@1.1.0"]),
        ("compiled", &["get", "support/reply@production", "--var", "context=x", "--var", "query=y"]),
        ("assignment", &["assign", NAME, "--unit", "user-1"]),
    ] {
        valid(&suite, schema, 0, arguments);
    }
}
