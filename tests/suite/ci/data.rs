//! A regressing prompt that comes with data, a suite or a commit of its own choice: never green.

use serde_json::{Value, json};

use super::{Job, Origin, reworded, worse};
use crate::support::{Folder, KEY, finish};

fn easy(id: &str) -> String {
    let row = json!({"id": id, "query": "Is it kind?", "context": "Be kind to the customer."});
    format!("{row}\n")
}

/// Every change of the data that would let the regression pass by the change's own data.
#[test]
fn regression_with_its_own_data_is_never_green() {
    type Change = (&'static str, i32, fn(&Folder));
    let changes: [Change; 5] = [
        ("copies of an easy case under the same ids", 10, |folder| {
            let rows: String = (1..=3).map(|number| easy(&format!("case-{number}"))).collect();
            folder.write("cases.jsonl", &rows);
        }),
        ("copies of an easy case without ids", 12, |folder| {
            folder.write("cases.jsonl", &easy("x").replace("\"id\":\"x\",", "").repeat(3));
        }),
        ("facts leaked into the contexts", 10, |folder| {
            let rows =
                folder.read("cases.jsonl").replace("\"context\"", "\"note\": \"Be kind.\", \"context\"");
            folder.write("cases.jsonl", &rows.replace("gives 11 days", "is kind"));
        }),
        ("a must-pass case removed", 12, |folder| {
            let rows = folder.read("cases.jsonl");
            let left: String =
                rows.lines().filter(|row| !row.contains("case-1")).map(|row| format!("{row}\n")).collect();
            folder.write("cases.jsonl", &left);
        }),
        ("many easy cases added", 10, |folder| {
            let rows: String = (1..=60).map(|number| easy(&format!("easy-{number}"))).collect();
            folder.append("cases.jsonl", &rows);
        }),
    ];
    for (what, code, change) in changes {
        let origin = Origin::new(|folder| {
            let rows = folder.read("cases.jsonl").replacen('{', "{\"must_pass\": true, ", 1);
            folder.write("cases.jsonl", &rows);
        });
        origin.change(|folder| {
            worse(folder);
            change(folder);
        });
        let job = origin.pull_request();
        let outcome = job.offline();
        assert_eq!(outcome.code, code, "{what}: {}", outcome.text());
        if code == 12 {
            assert_eq!(job.facts()["reason"], "dataset_changed", "{what}");
            assert!(job.comment().contains("land the data alone first"), "{what}: {}", job.comment());
        }
    }
}

/// A field that only the change has may not take the evidence away: one group for all cases has no interval, and easy
/// items dilute a checklist.
#[test]
fn regression_is_not_hidden_by_fields_that_only_the_change_has() {
    for field in [
        "\"group\": \"g\"",
        "\"criteria\": [{\"text\": \"is a sentence\", \"weight\": 100}]",
        "\"checks\": [{\"contains\": \"days\", \"min\": 0.1}, {\"contains\": \"refund\", \"min\": 0.1}]",
        "\"must_answer\": true",
    ] {
        let origin = Origin::new(|folder| {
            folder.append("promptgate.yaml", "\ngate: {scope: population, inconclusive: pass}\n");
            let rows: String = (1..=12).map(row).collect();
            folder.write("cases.jsonl", &rows);
        });
        origin.change(|folder| {
            worse(folder);
            let rows = folder.read("cases.jsonl");
            let marked = rows.lines().map(|row| row.replacen('{', &format!("{{{field}, "), 1) + "\n");
            folder.write("cases.jsonl", &marked.collect::<String>());
        });
        let outcome = origin.pull_request().offline();
        assert_eq!(outcome.code, 10, "{field}: {}", outcome.text());
    }
}

/// A conversation goes into every prompt, so the base's cases are asked without one that the change adds.
#[test]
fn regression_is_not_hidden_by_a_conversation_that_only_the_change_has() {
    const HINT: &str = "Use only these passages, as the change says.";
    let message = |role: &str| json!([{"role": role, "content": HINT}]);
    type Change<'a> = &'a dyn Fn(&mut serde_json::Map<String, Value>);
    let system: Change<'_> = &|row| {
        row.insert("messages".to_owned(), message("system"));
    };
    let history: Change<'_> = &|row| {
        let asked = json!({"role": "user", "content": "Hello."});
        row.insert("messages".to_owned(), json!([asked, message("assistant")[0]]));
    };
    let turns: Change<'_> = &|row| {
        let query = row.remove("query");
        row.insert("turns".to_owned(), json!([HINT, query]));
    };
    for (what, change) in [("system", system), ("history", history), ("turns", turns)] {
        let origin = Origin::new(|folder| {
            let rows: String = (1..=12).map(row).collect();
            folder.write("cases.jsonl", &rows);
        });
        origin.change(|folder| {
            worse(folder);
            let rows = folder.read("cases.jsonl");
            let changed = rows.lines().map(|row| {
                let mut row: serde_json::Map<String, Value> = serde_json::from_str(row).unwrap();
                change(&mut row);
                format!("{}\n", Value::Object(row))
            });
            folder.write("cases.jsonl", &changed.collect::<String>());
        });
        let job = origin.pull_request();
        job.offline().expect_code(10);
        let report = job.checkout.report().to_string();
        assert!(report.contains("12 changed cases are evaluated with the content at"), "{what}: {report}");
        assert!(!report.contains(HINT), "{what}: nothing of it is sent");
        assert!(!report.contains("fields that the base does not have"), "{what}");
    }
}

fn row(number: usize) -> String {
    let row = json!({"id": format!("case-{number}"),
        "query": format!("How many days does plan {number} give for a refund?"),
        "context": format!("Plan {number} gives {} days for a refund of the full price.", number + 10)});
    format!("{row}\n")
}

/// The way out: the data alone, then the prompt.
#[test]
fn data_lands_alone_with_a_notice() {
    let origin = Origin::new(|_| {});
    origin.change(|folder| {
        let rows = folder.read("cases.jsonl");
        folder.write("cases.jsonl", &rows.lines().skip(1).map(|row| format!("{row}\n")).collect::<String>());
    });
    let job = origin.pull_request();
    let outcome = job.offline().expect_code(0);
    assert!(outcome.stdout.starts_with("note"), "{}", outcome.stdout);
    job.outcome("pass", 0);
    let comment = job.comment();
    let seen = comment.split("<details>").next().unwrap();
    assert!(seen.contains("**Note:** the prompt is that of the base and the dataset is not"), "{seen}");
}

/// With the head checked out, the branch may start from an old commit with a weaker policy and fewer cases.
#[test]
fn policy_is_that_of_the_target_branch_not_of_an_old_commit() {
    let origin = Origin::new(|folder| {
        folder.edit(
            "promptgate.yaml",
            "faithfulness: {min: 0.75}\n  relevance: {min: 0.5}",
            "relevance: {min: 0, baseline: false}",
        );
    });
    origin.folder.git(&["switch", "--quiet", "-c", "change"]);
    worse(&origin.folder);
    origin.commit("worse");
    origin.folder.git(&["switch", "--quiet", "main"]);
    origin.folder.edit(
        "promptgate.yaml",
        "relevance: {min: 0, baseline: false}",
        "faithfulness: {min: 0.75}\n  relevance: {min: 0.5}",
    );
    let row = json!({"id": "later", "query": "How many days does plan 9 give?",
        "context": "Plan 9 gives 19 days for a refund."});
    origin.folder.append("cases.jsonl", &format!("{row}\n"));
    origin.commit("stricter");
    let merge = origin.merge();
    let event = origin.pull_request_event("owner/prompts", "owner/prompts");
    let checkout = origin.fetched("change", "refs/remotes/origin/change", 100);
    checkout.git(&["fetch", "--quiet", "origin", "+refs/heads/main:refs/remotes/origin/main"]);
    let job = Job::new(checkout, "pull_request", &merge, &event);
    job.offline().expect_code(10);
    let report = job.checkout.report();
    assert_eq!(report["policy_source"]["commit"], origin.rev("main"));
    assert_eq!(report["variants"]["baseline"]["prompt"]["commit"], origin.rev("main~1"));
    let ids: Vec<&str> =
        report["cases"].as_array().unwrap().iter().filter_map(|case| case["id"].as_str()).collect();
    assert!(ids.contains(&"later"), "a case that the branch does not know counts: {ids:?}");
    // Without the commit of the event nothing is decided.
    let checkout = origin.fetched("change", "refs/remotes/origin/change", 100);
    checkout.git(&[
        "fetch",
        "--quiet",
        "origin",
        &format!("+{}:refs/remotes/origin/main", origin.rev("main~1")),
    ]);
    let job = Job::new(checkout, "pull_request", &merge, &event);
    job.offline().expect_code(2).says("is not in this clone, and its policy decides");
}

/// A listener that nobody may ask.
fn host() -> (std::net::TcpListener, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a listener that does not wait");
    let address = format!("http://{}/v1", listener.local_addr().expect("an address"));
    (listener, address)
}

fn add_suite(folder: &Folder, address: &str) {
    let config = folder.read("promptgate.yaml").replace(
        "endpoint: {timeout: 5s",
        &format!("endpoint: {{base_url: \"{address}\", api_key_env: OPENAI_API_KEY, timeout: 5s"),
    );
    folder.write("evil/promptgate.yaml", &config);
    for name in ["prompt.md", "cases.jsonl"] {
        folder.write(&format!("evil/{name}"), &folder.read(name));
    }
}

#[test]
fn suite_that_the_base_lacks_gets_no_key() {
    let (listener, address) = host();
    let origin = Origin::new(|_| {});
    origin.change(|folder| {
        add_suite(folder, &address);
        std::fs::remove_file(folder.path().join("promptgate.yaml")).unwrap();
    });
    let job = origin.pull_request().with("PROMPTGATE_CONFIG", "evil");
    let keyed = |job: &Job| {
        let mut command = job.command(&[]);
        command.env("OPENAI_API_KEY", KEY);
        finish(command)
    };
    let outcome = keyed(&job).expect_code(12);
    assert!(outcome.stdout.contains("INCOMPLETE: new suite"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("it also removes promptgate.yaml"), "{}", outcome.stdout);
    assert_eq!(job.outcome("incomplete", 12)["reason"], "new_suite");
    assert!(job.comment().contains("new suite"), "{}", job.comment());
    let job = job.with("PROMPTGATE_ON_NEW_SUITE", "skip").fresh();
    keyed(&job).expect_code(0).says("NOT EVALUATED: new suite");
    assert_eq!(job.outcome("not_evaluated", 0)["reason"], "new_suite");
    // `run` is no way around it.
    let mut command =
        job.checkout.command(&["run", "evil", "--policy-from", "git:refs/remotes/pull/7/merge~1"]);
    command.env("OPENAI_API_KEY", KEY);
    finish(command).expect_code(12).says("would choose the host that gets the key");
    assert_eq!(listener.accept().expect_err("nobody was asked").kind(), std::io::ErrorKind::WouldBlock);
}

/// The first configuration of a repository moves nothing, so it is skipped unless the workflow says otherwise.
#[test]
fn first_suite_of_a_repository_is_skipped() {
    let (_listener, address) = host();
    let origin = Origin::new(|folder| {
        add_suite(folder, &address);
        std::fs::rename(folder.path().join("evil"), folder.path().join(".git/evil")).unwrap();
        std::fs::remove_file(folder.path().join("promptgate.yaml")).unwrap();
    });
    origin.change(|folder| {
        std::fs::rename(folder.path().join(".git/evil"), folder.path().join("first")).unwrap();
    });
    let job = origin.pull_request().with("PROMPTGATE_CONFIG", "first");
    let mut command = job.command(&[]);
    command.env("OPENAI_API_KEY", KEY);
    finish(command).expect_code(0);
    job.outcome("not_evaluated", 0);
    let job = job.with("PROMPTGATE_ON_NEW_SUITE", "fail").fresh();
    let mut command = job.command(&[]);
    command.env("OPENAI_API_KEY", KEY);
    finish(command).expect_code(12);
}

/// The token of the gate is for its comment, whatever the policy names.
#[test]
fn token_of_the_gate_never_reaches_an_endpoint() {
    for line in ["api_key_env: GITHUB_TOKEN", "headers: {x-key: {env: PROMPTGATE_GITHUB_TOKEN}}"] {
        let folder = Folder::small(3);
        folder.edit("promptgate.yaml", "endpoint: {timeout: 5s", &format!("endpoint: {{{line}, timeout: 5s"));
        folder
            .promptgate(&["check"])
            .expect_code(2)
            .says("never sent to an endpoint")
            .says("api_key_env: MODEL_KEY");
    }
}

/// A working directory that becomes a link to a laxer suite of the base.
#[cfg(unix)]
#[test]
fn folder_that_became_a_link_is_refused() {
    let suites = |folder: &Folder| {
        let strict = folder.read("promptgate.yaml");
        for (name, config) in [("strict", strict.clone()), ("lax", strict.replace("0.75", "0.01"))] {
            folder.write(&format!("{name}/promptgate.yaml"), &config);
            for file in ["prompt.md", "baseline.md", "cases.jsonl"] {
                folder.write(&format!("{name}/{file}"), &folder.read(file));
            }
        }
    };
    let origin = Origin::new(suites);
    origin.change(|folder| {
        std::fs::remove_dir_all(folder.path().join("strict")).unwrap();
        std::os::unix::fs::symlink("lax", folder.path().join("strict")).unwrap();
    });
    let job = origin.pull_request();
    for folder in ["strict", "lax"] {
        let mut command = job.command(&["--offline"]);
        command.current_dir(job.checkout.path().join(folder)).env_remove("PWD");
        let outcome = finish(command).expect_code(2);
        assert!(outcome.text().contains("is a symbolic link, where the base has strict/promptgate.yaml"));
    }
}

/// A prompt that a build step makes is in no commit, so its change is in no diff.
#[test]
fn prompt_that_no_commit_holds_is_said_first() {
    let origin = Origin::new(|folder| {
        folder.edit("promptgate.yaml", "prompt: prompt.md", "prompt: build/prompt.md");
    });
    origin.change(|folder| folder.write("README.md", "words\n"));
    let job = origin.pull_request();
    job.checkout.write("build/prompt.md", "Use only these passages.\n\n{{context}}\n");
    let outcome = job.offline();
    let first = outcome.stdout.lines().take(2).collect::<String>();
    assert!(first.contains("not in the commit: the prompt (build/prompt.md)"), "{}", outcome.stdout);
    assert!(job.comment().contains("**Note:** not in the commit"), "{}", job.comment());
}

/// Without a budget in the base, a change could multiply the cost of its own evaluation.
#[test]
fn prompt_of_many_times_the_cost_stops_the_run() {
    let origin = Origin::new(|_| {});
    origin.change(|folder| {
        reworded(folder);
        folder.append("prompt.md", &"Take your time, and think about it. ".repeat(400));
    });
    let job = origin.pull_request();
    let outcome = job.offline().expect_code(12);
    assert_eq!(job.outcome("incomplete", 12)["reason"], "budget_spent");
    assert!(outcome.text().contains("budget.case_factor"), "{}", outcome.text());
    assert_eq!(job.checkout.report()["usage"]["calls"], 0);
    let plan = job.checkout.promptgate(&["plan", "--policy-from", "git:refs/remotes/pull/7/merge~1"]);
    assert!(plan.text().contains("budget.case_factor"), "{}", plan.text());
}

#[test]
fn changed_parameters_are_in_the_comment() {
    let origin = Origin::new(|_| {});
    origin.change(|folder| {
        folder.edit(
            "promptgate.yaml",
            "parameters: {temperature: 0}",
            "parameters: {temperature: 1.9, top_p: 0.5}",
        )
    });
    let job = origin.pull_request();
    job.offline();
    let comment = job.comment();
    let seen = comment.split("<details>").next().unwrap();
    assert!(seen.contains("temperature from 0 to 1.9"), "{seen}");
}

/// A run that is not `unchanged` but compares with itself decides nothing.
#[test]
fn candidate_that_is_its_own_baseline_exits_3() {
    let origin = Origin::new(|_| {});
    let checkout = origin.fetched("main", "refs/remotes/origin/main", 100);
    checkout
        .promptgate(&["ci", "--offline"])
        .expect_code(3)
        .says("nothing is compared")
        .says("--baseline none");
    let outcome = checkout.promptgate(&["run", "--offline"]).expect_code(0);
    let first = outcome.stdout.lines().next().unwrap_or_default();
    assert!(first.contains("candidate and baseline are equal"), "{}", outcome.stdout);
    checkout.promptgate(&["ci", "--offline", "--baseline", "none"]).expect_code(0);
    // With the dataset as what differs, thresholds decide.
    checkout.edit("cases.jsonl", "gives 11 days", "gives eleven days");
    checkout.promptgate(&["ci", "--offline"]).expect_code(0);
    let _: Value = checkout.report();
}
