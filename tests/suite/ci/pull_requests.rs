//! Pull requests: their baseline, their policy, and when no call is made.

use serde_json::{Value, json};

use super::{Job, Origin, commands, parents, reworded, worse};
use crate::support::{Folder, KEY, MockServer, finish};

#[test]
fn passing_change_exits_0() {
    let origin = Origin::new(|_| {});
    origin.change(reworded);
    let job = origin.pull_request();
    assert_eq!(parents(job.checkout.path()), [origin.rev("main"), origin.rev("change")]);
    let outcome = job.offline().expect_code(0);
    let facts = job.outcome("pass", 0);
    assert_eq!(facts["event"], "pull_request");
    assert_eq!(facts["pull_request"], 7);
    assert_eq!(facts["base"], origin.rev("main"));
    assert_eq!(facts["head"], origin.rev("change"));
    assert_eq!(facts["comment"], "comment.md");
    let report = job.checkout.report();
    assert_eq!(report["policy_source"]["commit"], origin.rev("main"));
    assert_eq!(report["policy_source"]["spec"], "git:merge-base");
    assert_eq!(report["variants"]["baseline"]["prompt"]["commit"], origin.rev("main"));
    // Irrelevant facts are left out.
    assert_eq!(commands(&outcome.text()), []);
    assert!(outcome.stdout.contains("PASS"), "{}", outcome.stdout);
    assert_eq!(job.comment(), job.summary());
    assert!(job.comment().starts_with("### promptgate: ✅ pass"), "{}", job.comment());
    assert_eq!(job.output("cases"), "3");
    assert_eq!(job.output("regressed"), "0");
    let json = job.output("report-json");
    assert!(json.starts_with('/') && json.ends_with("promptgate-report/report.json"), "{json}");
    serde_json::from_str::<Value>(&std::fs::read_to_string(json).unwrap()).unwrap();
}

#[test]
fn failing_change_exits_10() {
    let origin = Origin::new(|folder| {
        folder.write("prompts/support.md", "Answer from these alone.\nUse one sentence.\n\n{{context}}\n");
        folder.edit("promptgate.yaml", "prompt: prompt.md", "prompt: prompts/support.md");
    });
    origin.change(|folder| {
        folder.write("prompts/support.md", "Answer from these alone.\nBe kind.\nVery kind.\n");
    });
    let job = origin.pull_request();
    let outcome = job.offline().expect_code(10);
    job.outcome("fail", 10);
    let report = job.checkout.report();
    assert_eq!(report["exit_code"], 10);
    let worse = report["cases"].as_array().unwrap().iter();
    let worse = worse.filter(|case| case["status"] == "broken" || case["status"] == "regressed").count();
    assert!(worse > 0);
    assert_eq!(job.output("regressed"), worse.to_string());
    let said = commands(&outcome.text());
    let [(name, properties, message)] = &said[..] else { panic!("{said:?}") };
    assert_eq!(name, "error");
    assert_eq!(properties, "file=prompts/support.md,line=2,endLine=3,title=promptgate%3A fail");
    assert!(message.contains("got worse: case-") && message.ends_with("see the report"), "{message}");
    assert!(job.comment().contains("❌ fail"), "{}", job.comment());

    // The same where nothing is enforced: it is said, and stops nobody.
    let job = job.with("PROMPTGATE_MODE", "advisory").fresh();
    let outcome = job.offline().expect_code(0);
    job.outcome("fail", 0);
    assert!(commands(&outcome.text()).iter().all(|(name, ..)| name == "warning"));
    assert!(job.comment().contains("exit code is 0: advisory"), "{}", job.comment());
}

#[test]
fn undecided_change_exits_11() {
    let origin = Origin::new(|folder| {
        folder.edit("promptgate.yaml", "faithfulness: {min: 0.75}", "faithfulness: {min: 0.97}");
        folder.append("promptgate.yaml", "gate: {repeats: 1, max_repeats: 1}\n");
    });
    origin.change(reworded);
    let job = origin.pull_request();
    let outcome = job.offline();
    assert_eq!(job.checkout.report()["verdict"], "inconclusive", "{}", outcome.stdout);
    assert_eq!(outcome.code, 11);
    job.outcome("inconclusive", 11);
    let job = job.with("PROMPTGATE_INCONCLUSIVE", "pass").fresh();
    job.offline().expect_code(0);
    job.outcome("inconclusive", 0);
}

#[test]
fn failed_evaluation_exits_12() {
    let server = MockServer::start(&["--require-key", "another"]);
    let origin = Origin::new(|_| {});
    origin.change(reworded);
    let job = origin.pull_request();
    let outcome = job.against(&server).expect_code(12);
    let facts = job.outcome("incomplete", 12);
    assert_eq!(facts["reason"], job.checkout.report()["reasons"][0]["code"]);
    assert!(!outcome.text().contains(KEY) && !job.comment().contains(KEY));
}

#[test]
fn equal_suite_is_unchanged_without_a_call() {
    let origin = Origin::new(|_| {});
    origin.change(|folder| {
        folder.write("README.md", "words about the suite\n");
        // A comment is no policy, and a name no prompt.
        folder.edit("promptgate.yaml", "name: small\n", "# the smallest\nname: small\n");
        folder.edit("promptgate.yaml", "prompt: prompt.md", "prompt: renamed.md");
        folder.git(&["mv", "prompt.md", "renamed.md"]);
    });
    let job = origin.pull_request();
    // Whoever is asked by anybody has a connection waiting.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a listener that does not wait");
    let mut command = job.command(&[]);
    let address = format!("http://{}/v1", listener.local_addr().expect("an address"));
    command.env("OPENAI_BASE_URL", address).env("OPENAI_API_KEY", KEY);
    let outcome = finish(command).expect_code(0);
    assert_eq!(listener.accept().expect_err("nobody was asked").kind(), std::io::ErrorKind::WouldBlock);
    let facts = job.outcome("unchanged", 0);
    assert_eq!(facts["reason"], Value::Null);
    assert!(outcome.stdout.contains("UNCHANGED") && outcome.stdout.contains(&origin.rev("main")[..12]));
    assert!(job.comment().contains("unchanged") && job.summary() == job.comment());
    assert!(!job.checkout.path().join("promptgate-report/report.json").exists());
    // Nor is a key needed.
    let job = job.fresh();
    let mut command = job.command(&[]);
    command.env("OPENAI_BASE_URL", "https://api.openai.com/v1");
    finish(command).expect_code(0);
    job.outcome("unchanged", 0);
}

/// An explicit baseline is evaluated even if the event's base is equal.
#[test]
fn other_baseline_is_evaluated() {
    let origin = Origin::new(|_| {});
    origin.change(|_| {});
    for (name, value) in [("PROMPTGATE_BASELINE", "file:baseline.md"), ("PROMPTGATE_BASELINE", "none")] {
        let job = origin.pull_request().with(name, value);
        job.offline().expect_code(0);
        job.outcome("pass", 0);
    }
    // The same commit by another name is the same.
    let job = origin.pull_request().with("PROMPTGATE_BASELINE", "git:merge-base");
    job.offline().expect_code(0);
    job.outcome("unchanged", 0);
    // A baseline of the configuration is policy: where it is the same, and the candidate too, nothing differs.
    let named = |folder: &Folder| {
        folder.edit("promptgate.yaml", "model: tiny\n", "baseline: file:baseline.md\nmodel: tiny\n");
    };
    let origin = Origin::new(named);
    origin.change(|_| {});
    let job = origin.pull_request();
    job.offline().expect_code(0);
    job.outcome("unchanged", 0);
    // A prompt that becomes that baseline is another one.
    let reverted = |folder: &Folder| folder.write("prompt.md", &folder.read("baseline.md"));
    for change in [reworded, reverted, |folder: &Folder| folder.append("baseline.md", "Be brief.\n")] {
        let origin = Origin::new(named);
        origin.change(change);
        let job = origin.pull_request();
        job.offline().expect_code(0);
        job.outcome("pass", 0);
    }
    // Nor is it settled by a policy of its own that differs.
    let origin = Origin::new(|_| {});
    origin.change(|folder| folder.edit("promptgate.yaml", "min: 0.75", "min: 0.7"));
    let job = origin.pull_request().with("PROMPTGATE_POLICY_FROM", "head");
    job.offline().expect_code(0);
    job.outcome("pass", 0);
}

/// Each change differs in one thing and is evaluated.
#[test]
fn every_kind_of_difference_is_evaluated() {
    type Change = (&'static str, fn(&Folder));
    let changes: [Change; 6] = [
        ("prompt", reworded),
        ("parameters", |folder| folder.edit("promptgate.yaml", "{temperature: 0}", "{temperature: 0.5}")),
        ("dataset", |folder| folder.edit("cases.jsonl", "gives 11 days", "gives eleven days")),
        ("policy", |folder| folder.edit("promptgate.yaml", "relevance: {min: 0.5}", "relevance: {min: 0.4}")),
        ("file of a check", |folder| folder.write("answer.schema.json", "{\"minLength\": 1}")),
        ("price", |folder| {
            folder
                .append("promptgate.yaml", "prices: {tiny: {input_per_million: 1, output_per_million: 1}}\n");
        }),
    ];
    for (what, change) in changes {
        let origin = Origin::new(|folder| {
            folder.write("answer.schema.json", "{}");
            folder.edit(
                "promptgate.yaml",
                "  - length: {min_chars: 1}\n",
                "  - length: {min_chars: 1}\n  - json_schema: answer.schema.json\n",
            );
        });
        origin.change(change);
        let job = origin.pull_request();
        job.offline();
        assert_ne!(job.facts()["verdict"], "unchanged", "{what}");
        assert!(job.checkout.report()["usage"]["calls"].as_u64() > Some(0), "{what}");
    }
}

#[test]
fn missing_key_follows_the_policy() {
    let origin = Origin::new(|_| {});
    origin.change(reworded);
    let job = origin.pull_request();
    // Nobody listens there: a call would end otherwise.
    let keyless = |job: &Job| {
        let mut command = job.command(&[]);
        command.env("OPENAI_BASE_URL", "https://gate.invalid/v1").env("OPENAI_API_KEY", " ");
        finish(command)
    };
    let outcome = keyless(&job).expect_code(12);
    let facts = job.outcome("incomplete", 12);
    assert_eq!(facts["reason"], "missing_credentials");
    assert!(outcome.stdout.contains("INCOMPLETE: no key"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("OPENAI_API_KEY is not set"), "{}", outcome.stdout);
    let comment = job.comment();
    assert!(comment.contains("incomplete") && !comment.contains("not evaluated"), "{comment}");
    assert!(comment.contains("no key: OPENAI") && !comment.contains("from a fork, and"), "{comment}");
    assert!(!job.checkout.path().join("promptgate-report/report.json").exists());

    let job = job.with("PROMPTGATE_ON_MISSING_CREDENTIALS", "skip").fresh();
    keyless(&job).expect_code(0).says("NOT EVALUATED: no key");
    assert!(job.comment().contains("not evaluated"), "{}", job.comment());
    let facts = job.outcome("not_evaluated", 0);
    assert_eq!(facts["reason"], "missing_credentials");

    // From a fork: the same, in other words. A fork that is gone is one too.
    for head in [json!({"full_name": "somebody/prompts"}), Value::Null] {
        let job = origin.pull_request();
        let mut event = origin.pull_request_event("owner/prompts", "owner/prompts");
        event["pull_request"]["head"]["repo"] = head;
        job.event(&event.to_string());
        keyless(&job).expect_code(12).says("forks get no secrets");
        assert!(job.comment().contains("from a fork"), "{}", job.comment());
    }
}

#[test]
fn first_prompt_is_judged_by_thresholds() {
    let origin = Origin::new(|folder| {
        for name in ["promptgate.yaml", "prompt.md", "baseline.md", "cases.jsonl"] {
            std::fs::rename(folder.path().join(name), folder.path().join(format!(".git/{name}"))).unwrap();
        }
    });
    origin.change(|folder| {
        for name in ["promptgate.yaml", "prompt.md", "cases.jsonl"] {
            std::fs::rename(folder.path().join(format!(".git/{name}")), folder.path().join(name)).unwrap();
        }
    });
    let job = origin.pull_request();
    job.offline().expect_code(0).says("sets its own bar");
    job.outcome("pass", 0);
    let report = job.checkout.report();
    assert_eq!(report["policy_source"]["new"], true);
    assert_eq!(report["variants"]["baseline"], Value::Null);
    assert!(job.comment().contains("No baseline"), "{}", job.comment());
}

#[test]
fn renamed_prompt_is_compared_with_its_old_path() {
    let origin = Origin::new(|_| {});
    origin.change(|folder| {
        reworded(folder);
        folder.git(&["mv", "prompt.md", "assistant.md"]);
        folder.edit("promptgate.yaml", "prompt: prompt.md", "prompt: assistant.md");
    });
    let job = origin.pull_request();
    job.offline().expect_code(0);
    let variants = &job.checkout.report()["variants"];
    assert_eq!(variants["candidate"]["prompt"]["source"], "assistant.md");
    assert_eq!(variants["baseline"]["prompt"]["source"], "git:merge-base:prompt.md");
}

#[test]
fn lowered_threshold_is_judged_by_the_old_policy() {
    let origin = Origin::new(|_| {});
    origin.change(|folder| {
        worse(folder);
        folder.edit(
            "promptgate.yaml",
            "faithfulness: {min: 0.75}\n  relevance: {min: 0.5}",
            "relevance: {min: 0, baseline: false}",
        );
    });
    let job = origin.pull_request();
    job.offline().expect_code(10).says("metrics.faithfulness");
    job.outcome("fail", 10);
    let seen = job.comment();
    let seen = seen.split("<details>").next().unwrap();
    assert!(seen.contains("Policy:") && seen.contains("metrics.relevance.min"), "{seen}");
    // Who says so in the workflow takes the change's own.
    let job = job.with("PROMPTGATE_POLICY_FROM", "head").fresh();
    job.offline().expect_code(0);
    assert!(job.checkout.report().get("policy_source").is_none());
}

#[test]
fn removed_cases_are_named() {
    let origin = Origin::new(|_| {});
    origin.change(|folder| {
        let cases = folder.read("cases.jsonl");
        folder
            .write("cases.jsonl", &cases.lines().skip(1).map(|line| format!("{line}\n")).collect::<String>());
    });
    let job = origin.pull_request();
    job.offline().says("1 case removed (case-1)");
    assert!(job.comment().contains("1 case removed"), "{}", job.comment());
    assert_ne!(job.facts()["verdict"], "unchanged");
}
