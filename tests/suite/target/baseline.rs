//! The application of the base commit is run again.

use super::{application, commit, facts};

#[test]
fn application_that_got_worse_fails_against_its_merge_base() {
    let folder = application(12);
    folder.write("facts.json", &facts(12, "weeks"));
    commit(&folder, "second");
    let outcome = folder.promptgate(&["run", "--offline"]).expect_code(10);
    outcome.says("says-days").says("checking out").says("(merge-base) for the baseline's application");
    let report = folder.report();
    let application = |role: &str| report["variants"][role]["application"].clone();
    assert_eq!(application("candidate")["source"], "python3 answer.py");
    assert_eq!(application("baseline")["commit"], folder.git(&["rev-parse", "main"]).as_str());
    assert!(application("candidate")["commit"].is_null());
    let trial = &report["cases"][0]["trials"][0];
    assert_eq!(trial["contexts"][0], trial["output"]);
    assert!(folder.git(&["status", "--porcelain"]).is_empty(), "the work tree is as it was");
}

#[test]
fn application_that_did_not_change_is_equal_to_its_baseline() {
    let folder = application(12);
    folder.promptgate(&["run", "--offline"]).expect_code(0).says("candidate and baseline are equal");
    folder.write("unrelated.md", "A note.\n");
    let text = folder.promptgate(&["run", "--offline"]).expect_code(0).text();
    assert!(
        !text.contains("candidate and baseline are equal"),
        "any file of the repository may matter: {text}"
    );
    folder.edit("promptgate.yaml", "  workers: 2\n", "  workers: 2\n  inputs: [answer.py, facts.json]\n");
    commit(&folder, "inputs");
    folder.git(&["branch", "--force", "main"]);
    folder.write("unrelated.md", "Another note.\n");
    folder.promptgate(&["run", "--offline"]).expect_code(0).says("candidate and baseline are equal");
}

#[test]
fn contexts_of_the_application_are_what_faithfulness_is_scored_against() {
    let folder = application(12);
    let invented = "reply = {\"id\": case[\"id\"], \"output\": \"Plan 9 is refunded within 4711 days.\", \"contexts\": [passage]}";
    let source = folder.read("answer.py");
    let line = source.lines().find(|line| line.contains("reply = {")).expect("the reply").trim().to_owned();
    folder.write("answer.py", &source.replace(&line, invented));
    commit(&folder, "invent");
    let outcome = folder.promptgate(&["run", "--offline"]).expect_code(10);
    outcome.says("Faithfulness");
}

#[test]
fn setup_runs_once_for_each_variant_and_its_failure_is_incomplete() {
    let folder = application(6);
    folder.write(".gitignore", "log\n");
    let setup = "  setup: [sh, -c, 'echo ready >> log']\n";
    folder.edit("promptgate.yaml", "  workers: 2\n", &format!("  workers: 2\n{setup}"));
    commit(&folder, "setup");
    folder.git(&["branch", "--force", "main"]);
    folder.write("facts.json", &facts(6, "days of the week"));
    for runs in 1..=2 {
        folder.promptgate(&["run", "--offline"]).expect_code(0);
        assert_eq!(folder.read("log").lines().count(), runs, "the candidate's, in each run");
    }
    let commit_of_main = folder.git(&["rev-parse", "main"]);
    let log = folder.read(&format!(".promptgate/checkouts/{commit_of_main}/log"));
    assert_eq!(log.lines().count(), 1, "the baseline's is kept");

    folder.edit("promptgate.yaml", "echo ready >> log", "echo no compiler here >&2; exit 3");
    commit(&folder, "broken");
    folder.git(&["branch", "--force", "main"]);
    folder.edit("promptgate.yaml", "echo no compiler here >&2; exit 3", "true");
    let outcome = folder.promptgate(&["run", "--offline"]).expect_code(12);
    outcome.says("the setup of the baseline's application").says("no compiler here");
}

#[test]
fn answers_of_an_application_are_cached_by_its_code() {
    let server = crate::support::MockServer::start(&[]);
    let folder = application(4);
    folder.write("facts.json", &facts(4, "days at most"));
    let runs = |arguments: &[&str]| {
        folder.against(&server.base_url, arguments);
        let report = folder.report();
        let trials = report["cases"].as_array().expect("cases").iter();
        let trials = trials.flat_map(|case| case["trials"].as_array().expect("trials"));
        trials.filter(|trial| trial["cached"] == false).count()
    };
    assert!(runs(&["run", "--repeats", "2"]) > 0);
    assert_eq!(runs(&["run", "--repeats", "2"]), 0);
    folder.write("facts.json", &facts(4, "days, no more"));
    let fresh = runs(&["run", "--repeats", "2"]);
    assert_eq!(fresh, 8, "the candidate's alone");
    folder.edit("promptgate.yaml", "  workers: 2\n", "  workers: 2\n  cache: false\n");
    assert_eq!(runs(&["run", "--repeats", "2"]), 16);
}

#[cfg(unix)]
#[test]
fn setup_that_leaves_a_daemon_ends_with_its_own_process() {
    let folder = application(2);
    // The daemon holds the output of the setup open.
    let setup = "  setup: [sh, -c, 'sleep 1000 & echo $! > daemon; echo ready']\n";
    folder.edit("promptgate.yaml", "  workers: 2\n", &format!("  workers: 2\n{setup}"));
    folder.append("promptgate.yaml", "baseline: none\n");
    let started = std::time::Instant::now();
    folder.promptgate(&["run", "--offline", "--repeats", "1"]);
    assert!(started.elapsed() < std::time::Duration::from_secs(60), "{:?}", started.elapsed());
    assert!(folder.read("promptgate-report/target.log").contains("ready"));
    let id = folder.read("daemon");
    let state = std::fs::read_to_string(format!("/proc/{}/stat", id.trim())).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "{state}");
}
