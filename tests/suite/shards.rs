//! A run on several machines: merged shards equal the run; an incomplete set is refused by name.

mod arrays;
mod refused;
mod whole;

use serde_json::Value;

use crate::support::{Canned, Folder, KEY, MockServer, Outcome, finish, repository};

/// Runs every shard offline, each into a folder below `shards`, the layout of downloaded artifacts.
#[track_caller]
fn run_shards(folder: &Folder, of: u32, flags: &[&str]) {
    for index in 1..=of {
        shard(folder, index, of, flags).expect_code(0);
    }
}

/// Runs one shard offline.
fn shard(folder: &Folder, index: u32, of: u32, flags: &[&str]) -> Outcome {
    let (shard, out) = (format!("{index}/{of}"), format!("shards/{index}"));
    folder.promptgate(&[&["run", "--offline", "--quiet", "--shard", &shard, "--out", &out], flags].concat())
}

/// The file of a shard of [`run_shards`].
fn path(index: u32, of: u32) -> String {
    format!("shards/{index}/shard-{index}-of-{of}.json")
}

#[track_caller]
fn json(folder: &Folder, name: &str) -> Value {
    serde_json::from_str(&folder.read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A suite without a self-test, for counting calls.
fn small(cases: usize) -> Folder {
    Folder::small(cases).without_self_test()
}

#[test]
fn shard_reports_its_cases_without_a_verdict() {
    let folder = small(10);
    let outcome = shard(&folder, 1, 2, &["--repeats", "2"]).expect_code(0).says("no verdict");
    let file = json(&folder, &path(1, 2));
    let cases = file["report"]["cases"].as_array().expect("cases");
    assert!(!cases.is_empty() && cases.len() < 10, "{}", cases.len());
    assert_eq!(file["counts"]["trials"], cases.len() * 2 * 2);
    let words = format!(
        "{} of 10 cases, {} trials in one look at 2 repeats, 0 missing",
        cases.len(),
        cases.len() * 4
    );
    assert!(outcome.stdout.contains(&words) && outcome.stdout.contains("SHARD 1 of 2"), "{}", outcome.stdout);
    assert!(!folder.path().join("shards/1/report.json").exists());
    // Nothing in it can be taken for a decision.
    let report = &file["report"];
    assert!(file.get("verdict").is_none() && report["verdict"] == "incomplete" && report["exit_code"] == 12);
    for decided in ["criteria", "metrics", "looks", "reasons"] {
        assert_eq!(report[decided], Value::Array(Vec::new()), "{decided}");
    }
    let schema: Value = serde_json::from_str(
        &std::fs::read_to_string(repository().join("schema/shard.schema.json")).expect("the schema"),
    )
    .expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(&file).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let printed = shard(&folder, 1, 2, &["--repeats", "2", "--format", "json"]).expect_code(0).stdout;
    assert_eq!(printed, folder.read(&path(1, 2)));
}

#[test]
fn case_keeps_its_shard_in_any_dataset() {
    let ids = |folder: &Folder, index| -> Vec<String> {
        shard(folder, index, 3, &["--no-judge"]).expect_code(0);
        let file = json(folder, &path(index, 3));
        file["report"]["cases"].as_array().expect("cases").iter().map(|case| case["id"].to_string()).collect()
    };
    let (few, many) = (small(9), small(30));
    for index in 1..=3 {
        let (few, many) = (ids(&few, index), ids(&many, index));
        assert!(few.iter().all(|id| many.contains(id)) && few.len() < many.len(), "{few:?} {many:?}");
    }
    // The first eight bytes of the SHA-256 of the id, modulo 3, plus 1: computed by another program.
    assert_eq!(ids(&few, 1), ["\"case-1\""]);
    assert_eq!(ids(&few, 2), ["\"case-2\"", "\"case-6\"", "\"case-7\""]);
}

#[test]
fn auto_shard_reads_ci_variables() {
    let folder = small(6);
    let auto = |variables: &[(&str, &str)]| {
        let mut command = folder.command(&["run", "--offline", "--shard", "auto", "--out", "auto"]);
        command.envs(variables.iter().copied());
        finish(command)
    };
    auto(&[("CI_NODE_INDEX", "2"), ("CI_NODE_TOTAL", "3")]).expect_code(0).says("SHARD 2 of 3");
    auto(&[("BUILDKITE_PARALLEL_JOB", "2"), ("BUILDKITE_PARALLEL_JOB_COUNT", "3")])
        .expect_code(0)
        .says("SHARD 3 of 3");
    auto(&[("CIRCLE_NODE_INDEX", "0"), ("CIRCLE_NODE_TOTAL", "3")]).expect_code(0).says("SHARD 1 of 3");
    auto(&[]).expect_code(2).says("CIRCLE_NODE_INDEX and CIRCLE_NODE_TOTAL (CircleCI)");
    auto(&[("CI_NODE_INDEX", "4"), ("CI_NODE_TOTAL", "3")]).expect_code(2).says("CI_NODE_INDEX is 4");
    let mut command = folder.command(&["run", "--offline"]);
    command.env("PROMPTGATE_SHARD", "2/3");
    finish(command).expect_code(0).says("SHARD 2 of 3");
}

#[test]
fn invalid_shard_is_refused_before_any_call() {
    let folder = small(3);
    for text in ["0/3", "4/3", "3", "1/0", "-1/3", "+1/3", "1/3/3", "a/b", "", "1/10001", "1 / 3"] {
        let flag = format!("--shard={text}");
        folder.promptgate(&["run", "--offline", &flag]).expect_code(2).says("--shard");
    }
    folder
        .promptgate(&["run", "--offline", "--shard", "1/3", "--max-repeats", "6"])
        .expect_code(2)
        .says("a shard takes one look");
    for format in ["markdown", "html", "junit"] {
        folder
            .promptgate(&["run", "--offline", "--shard", "1/3", "--format", format])
            .expect_code(2)
            .says("a shard has no report to print as");
    }
    assert!(!folder.path().join("promptgate-report").exists());
}

#[test]
fn rates_and_budgets_are_totals() {
    let folder = small(20);
    let calls = |index, flags: &[&str]| {
        shard(&folder, index, 2, &[&["--repeats", "1"], flags].concat());
        let file = json(&folder, &path(index, 2));
        (file["report"]["usage"]["calls"].as_u64().expect("calls"), file["report"]["ended"]["kind"].clone())
    };
    let (one, other) = (calls(1, &[]), calls(2, &[]));
    assert_eq!(one.0 + other.0, 20 * 2 * 3);
    // Eleven calls for both are six for the first and five for the second.
    assert_eq!(calls(1, &["--budget-calls", "11"]), (6, "stopped".into()));
    assert_eq!(calls(2, &["--budget-calls", "11"]), (5, "stopped".into()));
    shard(&folder, 1, 2, &["--budget-calls", "11"]).expect_code(12).says("not done").says("--shard 1/2");
    shard(&folder, 1, 2, &["--budget-calls", "11", "--advisory"]).expect_code(0).says("not done");
    folder.append("promptgate.yaml", "budget: {calls: 9}\n");
    assert_eq!(calls(2, &[]), (4, "stopped".into()));
    folder.edit("promptgate.yaml", "{timeout: 5s,", "{timeout: 5s, rpm: 3,");
    folder.promptgate(&["run", "--offline", "--shard", "1/4"]).expect_code(2).says("endpoint.rpm is 3");
}

#[test]
fn shard_without_cases_makes_no_call() {
    let folder = Folder::small(2);
    run_shards(&folder, 8, &[]);
    let empty = (1..=8).map(|index| json(&folder, &path(index, 8))).filter(|it| it["counts"]["cases"] == 0);
    let empty: Vec<Value> = empty.collect();
    assert!(empty.len() >= 6);
    assert!(
        empty
            .iter()
            .all(|it| it["report"]["usage"]["calls"] == 0 && it["report"]["ended"]["kind"] == "completed")
    );
    folder.promptgate(&["merge", "shards"]).expect_code(0).says("PASS");
}

#[test]
fn shard_at_a_dead_endpoint_is_incomplete() {
    let folder = small(6);
    let dead =
        Canned::answering("401 Unauthorized", "application/json", r#"{"error": {"message": "no such key"}}"#);
    let run = |index: u32, url: &str| {
        let (shard, out) = (format!("{index}/2"), format!("shards/{index}"));
        folder.against(url, &["run", "--quiet", "--no-judge", "--shard", &shard, "--out", &out])
    };
    run(1, &dead.base_url).expect_code(12).says("not done").says("no such key");
    let file = json(&folder, &path(1, 2));
    assert_eq!(file["report"]["ended"]["fault"]["kind"], "unauthorized");
    assert_eq!(file["counts"]["trials"], file["counts"]["missing"]);
    assert!(!folder.read(&path(1, 2)).contains(KEY));
    // The other shard at the same address: it is the endpoint that died.
    run(2, &dead.base_url).expect_code(12);
    folder.promptgate(&["merge", "shards"]).expect_code(12).says("shard 1/2: ");
    let report = folder.report();
    assert_eq!((&report["verdict"], &report["exit_code"]), (&"incomplete".into(), &12.into()));
    assert_eq!(report["reasons"][0]["code"], "endpoint");
    assert!(report["reasons"].to_string().contains("; also not done: 2/2"), "{report}");
    folder.promptgate(&["merge", "shards", "--advisory"]).expect_code(0).says("INCOMPLETE");
}

#[test]
fn failure_outranks_an_incomplete_shard() {
    let folder = small(8);
    folder.edit("promptgate.yaml", "{min_chars: 1}", "{min_chars: 1, max_chars: 2}");
    shard(&folder, 1, 2, &[]).expect_code(0);
    shard(&folder, 2, 2, &["--budget-calls", "2"]).expect_code(12);
    folder.promptgate(&["merge", "shards"]).expect_code(10).says("FAIL").says("shard 2/2");
    // Nothing that fails in a shard is its own to say.
    shard(&folder, 1, 2, &["--fail-fast"]).expect_code(0).says("stopped early");
    shard(&folder, 2, 2, &["--fail-fast"]).expect_code(0);
    folder.promptgate(&["merge", "shards"]).expect_code(10).says("FAIL");
    assert_eq!(folder.report()["ended"]["kind"], "failed_fast");
}

#[test]
fn rejected_judge_is_found_in_every_shard() {
    let folder = Folder::small(6);
    let server = MockServer::start(&["--fault", "prose=1"]);
    for index in ["1", "2"] {
        let (shard, out) = (format!("{index}/2"), format!("shards/{index}"));
        folder
            .against(&server.base_url, &["run", "--quiet", "--shard", &shard, "--out", &out])
            .expect_code(12)
            .says("self-test");
    }
    folder.promptgate(&["merge", "shards"]).expect_code(12).says("shard 1/2: the judge failed its self-test");
    assert_eq!(folder.report()["reasons"][0]["code"], "unfit_judge");
}

#[cfg(unix)]
#[test]
fn interrupted_shard_leaves_its_file() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    let server = MockServer::start(&["--latency", "200ms"]);
    let folder = small(30);
    let flags = ["run", "--no-judge", "--concurrency", "2", "--shard", "1/1", "--out", "shards"];
    let mut command = folder.command(&flags);
    command.env("OPENAI_BASE_URL", &server.base_url).stderr(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().expect("the executable starts");
    let mut lines = BufReader::new(child.stderr.take().expect("its errors")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("requesting")));
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(status.success());
    assert_eq!(child.wait().expect("its end").code(), Some(130));
    assert_eq!(json(&folder, "shards/shard-1-of-1.json")["report"]["ended"]["kind"], "interrupted");
    // The merge itself was not interrupted: what it lacks makes it incomplete.
    folder.promptgate(&["merge", "shards"]).expect_code(12).says("shard 1/1: it was interrupted");
    assert_eq!(folder.report()["reasons"][0]["code"], "interrupted");
}

#[test]
fn plan_names_shards_and_the_largest() {
    let folder = Folder::golden();
    let line =
        folder.promptgate(&["plan", "--shards", "3", "--format", "github-matrix"]).expect_code(0).stdout;
    assert_eq!(line, "{\"shard\":[\"1/3\",\"2/3\",\"3/3\"]}\n");
    folder.promptgate(&["plan", "--format", "github-matrix"]).expect_code(2).says("--shards N");
    folder.promptgate(&["plan", "--shards", "0"]).expect_code(2);
    folder
        .promptgate(&["plan", "--shards", "3"])
        .expect_code(0)
        .says("largest of 3 shards")
        .says("spends all of alpha");
    let plan = folder.promptgate(&["plan", "--shards", "3", "--format", "json"]).expect_code(0).stdout;
    let plan: Value = serde_json::from_str(&plan).expect("JSON");
    run_shards(&folder, 3, &["--no-judge"]);
    let counts = (1..=3).map(|index| json(&folder, &path(index, 3))["counts"].clone());
    let largest = counts.max_by_key(|counts| counts["trials"].as_u64()).expect("a shard");
    assert_eq!(plan["shards"]["largest"]["answers"], largest["trials"]);
    assert_eq!(plan["shards"]["cases"], largest["cases"]);
    assert_eq!(plan["shards"]["of"], 3);
}
