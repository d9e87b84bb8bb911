//! `--policy-from`: a pull request must not set its own bar. Each change here would pass by its own policy.

mod files;
mod places;
mod prices;

use serde_json::Value;

use crate::support::{Folder, MockServer, Outcome, finish};

/// Flags that judge by the configuration of the merge base.
pub(crate) const FROM: [&str; 2] = ["--policy-from", "git:merge-base"];

/// The small suite in a repository, on a branch that starts from the suite as edited by `prepare`.
pub(crate) fn change_of(prepare: impl Fn(&Folder)) -> Folder {
    let folder = Folder::small(3);
    folder.edit("promptgate.yaml", "baseline: file:baseline.md\n", "");
    prepare(&folder);
    folder.git(&["init", "--quiet", "-b", "main"]);
    commit(&folder, "start");
    folder.git(&["switch", "--quiet", "-c", "change"]);
    folder
}

pub(crate) fn commit(folder: &Folder, message: &str) {
    folder.write(".gitignore", "promptgate-report\n.promptgate\n");
    folder.git(&["add", "--all"]);
    folder.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
}

/// An offline run, judged by the policy of the merge base.
pub(crate) fn run(folder: &Folder) -> Outcome {
    folder.promptgate(&["run", "--offline", FROM[0], FROM[1]])
}

/// The warnings of the last report, as one text.
pub(crate) fn warnings(folder: &Folder) -> String {
    folder.report()["warnings"].to_string()
}

/// The paths that the change alters.
pub(crate) fn changed(folder: &Folder) -> Vec<String> {
    let report = folder.report();
    let changed = report["policy_source"]["changed"].as_array().expect("changes").iter();
    changed.map(|change| change["path"].as_str().expect("a path").to_owned()).collect()
}

/// Asserts that the change passes by its own policy and fails by its base's, which every report names.
fn caught(folder: &Folder, code: i32, path: &str) {
    commit(folder, "change");
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    assert!(folder.report().get("policy_source").is_none());
    let outcome = run(folder).expect_code(code);
    assert!(changed(folder).iter().any(|it| it == path), "{path} in {:?}", changed(folder));
    assert!(outcome.stdout.contains(path), "{}", outcome.stdout);
    assert!(warnings(folder).contains(path));
    let markdown = folder.read("promptgate-report/report.md");
    let (seen, _) = markdown.split_once("<details>").expect("details");
    assert!(
        seen.contains("**Policy:** from git") && seen.contains("made to it here did not count"),
        "{seen}"
    );
}

#[test]
fn unchanged_policy_judges_the_change() {
    let folder = change_of(|_| {});
    let base = folder.git(&["rev-parse", "main"]);
    folder.write("prompt.md", "Use only these passages. Answer in one sentence.\n\n{{context}}\n");
    commit(&folder, "change");
    let outcome = run(&folder).expect_code(0);
    let report = folder.report();
    assert_eq!(report["policy_source"]["commit"], base.as_str());
    assert_eq!(report["policy_source"]["spec"], "git:merge-base");
    assert_eq!(report["policy_source"]["new"], false);
    assert_eq!(report["policy_source"]["changed"], Value::Array(Vec::new()));
    assert_eq!(report["dataset_changes"]["removed"]["count"], 0);
    assert!(outcome.stdout.contains("policy") && outcome.stdout.contains(&base[..12]), "{}", outcome.stdout);
    // By variable, for checking and for planning too.
    let mut command = folder.command(&["check"]);
    command.env("PROMPTGATE_POLICY_FROM", "git:main");
    finish(command).expect_code(0).says(&format!("of git:main at {}", &base[..12]));
    folder.promptgate(&["plan", FROM[0], FROM[1]]).expect_code(0);
}

#[test]
fn lowered_threshold_is_named() {
    let folder = change_of(|_| {});
    folder.write("prompt.md", "Be kind to the customer.\n");
    folder.edit("promptgate.yaml", "  faithfulness: {min: 0.75}\n  relevance: {min: 0.5}\n", "");
    folder.append("promptgate.yaml", "  relevance: {min: 0, baseline: false}\n");
    caught(&folder, 10, "metrics.relevance.min");
    assert!(changed(&folder).contains(&"metrics.faithfulness".to_owned()));
}

#[test]
fn removed_check_is_named() {
    let folder = change_of(|folder| {
        folder.edit(
            "promptgate.yaml",
            "  - length: {min_chars: 1}\n",
            "  - length: {min_chars: 1}\n  - contains: zebra\n",
        );
    });
    folder.edit("promptgate.yaml", "  - contains: zebra\n", "");
    caught(&folder, 10, "checks.contains");
}

#[test]
fn loosened_gate_is_named() {
    let folder = change_of(|_| {});
    folder.append(
        "promptgate.yaml",
        "gate: {max_missing: 90%, rule: point, inconclusive: pass}\nbaseline: none\n",
    );
    commit(&folder, "change");
    run(&folder).expect_code(0);
    let report = folder.report();
    assert_eq!(report["policy"]["max_missing"], 0.02);
    assert_eq!(report["policy"]["rule"], "evidence");
    assert!(report["variants"]["baseline"].is_object(), "the baseline is policy too");
    assert_eq!(changed(&folder), ["gate", "baseline"]);
}

#[test]
fn changed_judge_and_rubric_are_named() {
    let folder = change_of(|folder| {
        folder.append(
            "promptgate.yaml",
            "  tone: {rubric: [is polite, names the days], min: 0.1, baseline: false}\n",
        );
    });
    run(&folder);
    let before = folder.report()["judge"].clone();
    folder.edit(
        "promptgate.yaml",
        "judge: {model: tiny-judge}",
        "judge: {model: pushover, votes: 3, self_test: false}",
    );
    folder.edit("promptgate.yaml", "is polite, names the days", "is there");
    commit(&folder, "change");
    run(&folder);
    let after = folder.report()["judge"].clone();
    assert_eq!(after["model"], "tiny-judge");
    assert_eq!(after["fingerprint"], before["fingerprint"]);
    assert_eq!(after["self_test"]["passed"], before["self_test"]["passed"]);
    let changed = changed(&folder);
    for path in ["judge.model", "judge.votes", "judge.self_test", "metrics.tone.rubric.is polite"] {
        assert!(changed.contains(&path.to_owned()), "{path} in {changed:?}");
    }
}

#[test]
fn key_goes_only_to_hosts_of_the_policy() {
    let server = MockServer::start(&["--require-key", "right"]);
    let folder = change_of(|folder| {
        let endpoint =
            format!("endpoint: {{base_url: \"{}\", api_key_env: GATE_KEY, timeout: 5s", server.base_url);
        folder.edit("promptgate.yaml", "endpoint: {timeout: 5s", &endpoint);
    });
    let text = folder.read("promptgate.yaml");
    let elsewhere =
        text.replace(&server.base_url, "http://127.0.0.1:9/v1?token=abc").replace("GATE_KEY", "DEPLOY_KEY");
    folder.write("promptgate.yaml", &elsewhere);
    commit(&folder, "change");
    let mut command = folder.command(&["run", "--policy-from", "git:main"]);
    command.env("GATE_KEY", "right").env("DEPLOY_KEY", "not-yours");
    let outcome = finish(command).expect_code(0);
    assert_eq!(changed(&folder), ["endpoint.base_url", "endpoint.api_key_env"]);
    let report = folder.read("promptgate-report/report.json");
    assert!(!report.contains("token=abc") && !outcome.text().contains("token=abc"));
    assert!(!report.contains("not-yours") && report.contains("DEPLOY_KEY"));
}

#[test]
fn removed_must_pass_cases_are_named() {
    let folder = change_of(|folder| {
        folder.append("cases.jsonl", "{\"id\": \"hard\", \"query\": \"Why?\", \"context\": \"Because.\", \"must_pass\": true, \"checks\": [{\"contains\": \"zebra\"}]}\n");
    });
    let cases = folder.read("cases.jsonl");
    let left: Vec<&str> =
        cases.lines().filter(|line| !line.contains("hard") && !line.contains("case-2")).collect();
    let left = left.join("\n").replace("gives 11 days", "gives eleven days");
    folder.write(
        "cases.jsonl",
        &(left + "\n{\"id\": \"easy\", \"query\": \"What is it?\", \"context\": \"It is this.\"}\n"),
    );
    commit(&folder, "change");
    let words = "2 cases removed (hard, case-2), 1 changed (case-1), 1 added (easy)";
    run(&folder).says(words);
    assert!(warnings(&folder).contains(words), "{}", warnings(&folder));
    let report = folder.report();
    assert_eq!(
        report["dataset_changes"]["removed"],
        serde_json::json!({"count": 2, "first": ["hard", "case-2"]})
    );
    let markdown = folder.read("promptgate-report/report.md");
    assert!(
        markdown.split("<details>").next().is_some_and(|seen| seen.contains("2 cases removed")),
        "{markdown}"
    );
    // A selection takes nothing away.
    folder.promptgate(&["run", "--offline", "--filter", "easy", FROM[0], FROM[1]]);
    assert_eq!(folder.report()["dataset_changes"], report["dataset_changes"]);
}

#[test]
fn shown_changes_are_redacted_and_inert() {
    let folder = change_of(|_| {});
    folder.edit(
        "promptgate.yaml",
        "endpoint: {timeout: 5s",
        "endpoint: {headers: {x-team: {value: quiet-please}}, timeout: 5s",
    );
    folder.edit("promptgate.yaml", "name: small\n", "name: \"x\\n::error::owned ##[group]\"\n");
    commit(&folder, "change");
    let outcome = run(&folder).expect_code(0);
    assert!(
        !outcome.text().contains("quiet-please")
            && folder.report()["warnings"].to_string().contains("(not shown)")
    );
    for line in outcome.text().lines() {
        assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "{line}");
    }
    assert!(!folder.read("promptgate-report/report.json").contains("quiet-please"));
    assert_eq!(folder.report()["name"], "small");
}

#[test]
fn shards_keep_the_policy() {
    let folder = change_of(|_| {});
    folder.edit("promptgate.yaml", "faithfulness: {min: 0.75}", "faithfulness: {min: 0.1}");
    commit(&folder, "change");
    for shard in ["1/2", "2/2"] {
        let arguments = ["run", "--offline", "--shard", shard, "--out", "shards", FROM[0], FROM[1]];
        folder.promptgate(&arguments).expect_code(0);
    }
    folder.promptgate(&["merge", "shards"]).expect_code(0).says("metrics.faithfulness.min");
    assert_eq!(changed(&folder), ["metrics.faithfulness.min"]);
    assert_eq!(folder.report()["dataset_changes"]["added"]["count"], 0);
    // Shards of two policies make no run.
    folder.promptgate(&["run", "--offline", "--shard", "2/2", "--out", "shards"]).expect_code(0);
    folder.promptgate(&["merge", "shards"]).expect_code(12).says("policy");
}
