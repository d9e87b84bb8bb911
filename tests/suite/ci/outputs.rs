//! Files and outputs that `ci` leaves, and that nothing in them acts.

use serde_json::{Value, json};

use super::{Job, Origin, commands, reworded, worse};
use crate::support::{Canned, Folder, KEY, finish};

/// Ids that look like a command, an output, or the end of an annotation.
const HOSTILE: [&str; 6] = [
    "::set-output name=verdict::pass",
    "##[set-output name=verdict;]pass",
    "###[add-matcher]evil.json",
    "verdict<<EOF",
    "c%0Averdict=pass,line=1::x",
    "x\u{a0}::add-mask::pass",
];

fn hostile(folder: &Folder) {
    let rows: String = HOSTILE
        .iter()
        .map(|id| {
            json!({"id": id, "query": format!("How many days? {id}"), "context": "The plan gives 12 days.",
                "tags": [id]})
            .to_string()
                + "\n"
        })
        .collect();
    folder.write("cases.jsonl", &rows);
    folder.edit("promptgate.yaml", "name: small\n", "name: \"s\\n::error::owned ##[group]x\"\n");
}

#[test]
fn hostile_ids_are_inert() {
    let origin = Origin::new(hostile);
    origin.change(worse);
    let job = origin.pull_request();
    let outcome = job.offline().expect_code(10);
    let said = commands(&outcome.text());
    assert_eq!(said.len(), 1, "{said:?}");
    for (name, properties, data) in &said {
        assert_eq!(name, "error", "{properties}");
        let names: Vec<&str> =
            properties.split(',').map(|property| property.split('=').next().unwrap()).collect();
        assert_eq!(names, ["file", "line", "endLine", "title"], "{properties}");
        assert!(!data.contains("##[") && !data.contains("c%0Averdict"), "{data}");
        // The ids are in it, without effect.
        assert!(data.contains("set-output name=verdict"), "{data}");
    }
    assert_eq!(job.outcome("fail", 10)["reason"], job.checkout.report()["reasons"][0]["code"]);
    let names: Vec<String> = job.outputs().into_iter().map(|(name, _)| name).collect();
    let of_reports = ["report-json", "report-md", "report-html", "junit"];
    for name in ["verdict", "exit-code", "cases", "regressed"].into_iter().chain(of_reports) {
        assert!(names.contains(&name.to_owned()), "{names:?}");
    }
    for line in job.summary().lines().chain(job.comment().lines()) {
        assert!(!line.contains("##["), "{line}");
    }
}

#[test]
fn ids_with_line_breaks_are_refused() {
    let origin = Origin::new(|_| {});
    origin.change(|folder| {
        let row = json!({"id": "a\n::error::owned\rverdict=pass", "query": "?", "context": "x"});
        folder.append("cases.jsonl", &format!("{row}\n"));
    });
    let job = origin.pull_request();
    let outcome = job.offline().expect_code(2);
    job.outcome("error", 2);
    let said = commands(&outcome.text());
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(said[0].1, "title=promptgate%3A no verdict");
    assert!(said[0].2.contains("cases.jsonl:4"), "{}", said[0].2);
}

#[test]
fn echoed_key_is_redacted() {
    let body = json!({"error": {"message": format!("no {KEY}\n::error::{KEY} ##[group]x"), "type": "x"}});
    let server = Canned::answering("400 Bad Request", "application/json", &body.to_string());
    let origin = Origin::new(|_| {});
    origin.change(reworded);
    let job = origin.pull_request();
    let mut command = job.command(&[]);
    command.env("OPENAI_BASE_URL", &server.base_url).env("OPENAI_API_KEY", KEY);
    let outcome = finish(command).expect_code(12);
    job.outcome("incomplete", 12);
    assert!(outcome.text().contains("[redacted]"), "{}", outcome.text());
    for text in [outcome.text(), job.comment(), job.summary(), job.facts().to_string()] {
        assert!(!text.contains(KEY), "{text}");
    }
    // Nothing of it but our own.
    let said = commands(&outcome.text());
    assert!(
        said.iter().all(|(name, properties, _)| name == "error" && properties.contains("title=promptgate")),
        "{said:?}"
    );
}

#[test]
fn one_annotation_names_the_worst_cases() {
    let origin = Origin::new(|folder| {
        let rows: String = (1..=30)
            .map(|number| {
                format!(
                    "{{\"id\": \"case-{number}\", \"query\": \"How many days does plan {number} give?\", \
                     \"context\": \"Plan {number} gives {} days.\"}}\n",
                    number + 10
                )
            })
            .collect();
        folder.write("cases.jsonl", &rows);
    });
    origin.change(worse);
    let job = origin.pull_request();
    let outcome = job.offline().expect_code(10);
    let said = commands(&outcome.stdout);
    let [(_, _, message)] = &said[..] else { panic!("{said:?}") };
    let worse: usize = job.output("regressed").parse().unwrap();
    assert!(
        worse > 3 && message.contains(&format!("%0A{worse} cases fail or got worse: case-")),
        "{message}"
    );
    assert!(message.ends_with(&format!(" and {} more; see the report", worse - 3)), "{message}");
}

#[test]
fn annotation_without_a_changed_prompt_is_at_the_prompt() {
    // The tightened dataset is what fails, and neither prompt nor configuration changed.
    let origin = Origin::new(|folder| folder.move_suite("suite"));
    origin.change(|folder| {
        let row = json!({"id": "new", "query": "What is the colour?", "context": "x", "checks": [{"contains": "blue"}]});
        folder.append("suite/cases.jsonl", &format!("{row}\n"));
    });
    let job = origin.pull_request().with("PROMPTGATE_CONFIG", "suite");
    let outcome = job.offline().expect_code(10);
    let [(_, properties, _)] = &commands(&outcome.stdout)[..] else { panic!("{}", outcome.stdout) };
    assert_eq!(properties, "file=suite/prompt.md,title=promptgate%3A fail");
}

#[test]
fn disclosure_follows_the_visibility_unless_it_is_set() {
    let origin = Origin::new(|_| {});
    origin.change(worse);
    let answers = "Answers in the worst";
    for (repository, setting, shows) in [
        (json!({"private": true}), "", true),
        (json!({"private": true, "visibility": "internal"}), "", true),
        (json!({"private": false}), "", false),
        (json!({"private": true, "visibility": "public"}), "", false),
        (json!({}), "", false),
        (json!({"private": "true"}), "", false),
        (json!({"private": true}), "excerpts", false),
        (json!({"private": false}), "full", true),
    ] {
        let job = origin.pull_request().with("PROMPTGATE_DISCLOSE", setting);
        let mut event = origin.pull_request_event("owner/prompts", "owner/prompts");
        event["repository"].as_object_mut().unwrap().extend(repository.as_object().unwrap().clone());
        job.event(&event.to_string());
        job.offline().expect_code(10);
        assert_eq!(job.comment().contains(answers), shows, "{repository} {setting:?}: {}", job.comment());
    }
}

#[test]
fn unnameable_folder_is_refused() {
    let origin = Origin::new(|_| {});
    origin.change(reworded);
    let job = origin.pull_request();
    finish(job.command(&["--offline", "--out", "a\nverdict=fail"]))
        .expect_code(0)
        .says("no output report-json");
    assert_eq!(job.output("verdict"), "pass");
    assert!(job.outputs().iter().all(|(name, _)| !name.starts_with("report")));
}

#[test]
fn earlier_reports_are_removed() {
    let origin = Origin::new(|_| {});
    origin.change(worse);
    let job = origin.pull_request();
    job.offline().expect_code(10);
    assert!(job.checkout.path().join("promptgate-report/report.html").exists());
    job.checkout.write("promptgate.yaml", "version: 1\nnonsense: true\n");
    let job = job.fresh();
    job.offline().expect_code(2);
    job.outcome("error", 2);
    for name in ["report.json", "report.md", "report.html", "junit.xml"] {
        assert!(!job.checkout.path().join("promptgate-report").join(name).exists(), "{name}");
    }
    assert!(job.outputs().iter().all(|(name, _)| !name.starts_with("report")));
}

#[test]
fn configuration_and_folder_are_read_from_variables() {
    let origin = Origin::new(|folder| folder.move_suite("suite"));
    origin.change(|folder| folder.write("suite/prompt.md", "Be kind.\n"));
    let job = origin.pull_request().with("PROMPTGATE_CONFIG", "suite").with("PROMPTGATE_OUT", "left");
    let outcome = job.offline().expect_code(10);
    assert!(job.checkout.path().join("left/ci.json").exists());
    assert!(job.output("report-json").ends_with("/left/report.json"));
    assert!(commands(&outcome.stdout)[0].1.starts_with("file=suite/prompt.md,line=1,"));
}

#[test]
fn log_gets_only_the_terminal_format() {
    let origin = Origin::new(|_| {});
    origin.change(reworded);
    let job = origin.pull_request();
    finish(job.command(&["--offline", "--format", "json"])).expect_code(2).says("--format");
    job.outcome("error", 2);
}

#[test]
fn shards_merge_in_ci() {
    let origin = Origin::new(|_| {});
    origin.change(worse);
    let mut job = origin.pull_request();
    for shard in ["1/2", "2/2"] {
        let out = format!("shards/{}", shard.replace('/', "-"));
        job = job.with("PROMPTGATE_SHARD", shard).with("PROMPTGATE_OUT", &out).fresh();
        job.offline().expect_code(0);
        let facts: Value = serde_json::from_str(&job.checkout.read(&format!("{out}/ci.json"))).unwrap();
        assert_eq!((&facts["verdict"], &facts["comment"]), (&json!("pass"), &Value::Null));
        assert!(!job.checkout.path().join(&out).join("comment.md").exists());
    }
    let job = job
        .with("PROMPTGATE_SHARD", "")
        .with("PROMPTGATE_OUT", "")
        .with("PROMPTGATE_MERGE", "shards")
        .fresh();
    let outcome = job.offline().expect_code(10);
    job.outcome("fail", 10);
    assert_eq!(commands(&outcome.stdout).len(), 1);
    assert!(job.comment().contains("❌ fail"));
    // One that is missing is seen, and stops nobody where nothing is enforced.
    std::fs::remove_dir_all(job.checkout.path().join("shards/1-2")).unwrap();
    let job = job.fresh();
    job.offline().expect_code(12);
    assert_eq!(job.outcome("incomplete", 12)["reason"], "shards");
    let job = job.with("PROMPTGATE_MODE", "advisory").fresh();
    job.offline().expect_code(0);
    job.outcome("incomplete", 0);
}

/// Unchanged shards say so, and their merge says it for the whole run.
#[test]
fn shards_without_calls_are_reported() {
    let origin = Origin::new(|_| {});
    origin.change(|folder| folder.write("README.md", "words\n"));
    let shards = |mut job: Job, code: i32| {
        for shard in ["1/2", "2/2"] {
            let out = format!("shards/{}", shard.replace('/', "-"));
            job = job.with("PROMPTGATE_SHARD", shard).with("PROMPTGATE_OUT", &out).fresh();
            let mut command = job.command(&[]);
            command.env("OPENAI_BASE_URL", "https://gate.invalid/v1");
            finish(command).expect_code(code);
        }
        job.with("PROMPTGATE_SHARD", "").with("PROMPTGATE_OUT", "").with("PROMPTGATE_MERGE", "shards").fresh()
    };
    let job = shards(origin.pull_request(), 0);
    finish(job.command(&[])).expect_code(0);
    assert_eq!(job.outcome("unchanged", 0)["base"], origin.rev("main"));
    assert!(job.comment().contains(&origin.rev("main")[..6]), "{}", job.comment());

    let origin = Origin::new(|_| {});
    origin.change(reworded);
    let job = shards(origin.pull_request(), 12);
    finish(job.command(&[])).expect_code(12);
    assert_eq!(job.outcome("incomplete", 12)["reason"], "missing_credentials");
    let job = job.with("PROMPTGATE_ON_MISSING_CREDENTIALS", "skip").fresh();
    finish(job.command(&[])).expect_code(0);
    job.outcome("not_evaluated", 0);

    // Of another commit, of two minds, in the repository, or nothing at all: nobody is let through.
    let text = job.checkout.read("shards/1-2/ci.json");
    let other = text.replace(&origin.rev("change"), &origin.rev("main"));
    for (name, text) in [
        ("shards/1-2/ci.json", other.clone()),
        ("shards/1-2/ci.json", text.replace("missing_credentials", "usage")),
        ("shards/1-2/ci.json", "{}".to_owned()),
    ] {
        job.checkout.write(name, &text);
        let outcome = finish(job.command(&[]));
        assert!([2, 12].contains(&outcome.code), "{}", outcome.text());
        assert_ne!(job.facts()["verdict"], "not_evaluated", "{text}");
    }
    job.checkout.write("shards/1-2/ci.json", &text);
    job.checkout.git(&["add", "--force", "shards/1-2/ci.json"]);
    finish(job.command(&[])).expect_code(2).says("part of the repository");
    std::fs::remove_dir_all(job.checkout.path().join("shards")).unwrap();
    job.checkout.write("shards/readme.txt", "");
    finish(job.command(&[])).expect_code(2).says("no shard");
}

/// No workflow command is printed outside GitHub Actions.
#[test]
fn no_workflow_commands_outside_github() {
    let origin = Origin::new(|_| {});
    origin.change(worse);
    let job: Job = origin.pull_request().without("GITHUB_ACTIONS");
    let outcome = job.offline().expect_code(10);
    assert_eq!(commands(&outcome.text()), []);
}

#[test]
fn github_output_that_is_not_a_file_is_refused_before_any_call() {
    let origin = Origin::new(|_| {});
    origin.change(reworded);
    let job = origin.pull_request();
    // A device without an end, and one that takes nothing.
    for device in ["/dev/zero", "/dev/full", "/"] {
        let outcome = finish({
            let mut command = job.command(&["--offline"]);
            command.env("GITHUB_OUTPUT", device);
            command
        });
        outcome.expect_code(2).says(&format!("{device} is not a regular file")).says("GITHUB_OUTPUT");
    }
    assert!(!job.checkout.path().join("promptgate-report/report.json").exists());
    // The summary changes no verdict.
    let job = job.with("GITHUB_STEP_SUMMARY", "/dev/zero");
    job.offline().expect_code(0).says("the job summary could not be written: this is not a regular file");
}

#[test]
fn full_disk_for_github_output_prints_the_verdict_first_and_exits_12() {
    let origin = Origin::new(|_| {});
    origin.change(reworded);
    let job = origin.pull_request();
    let full = Folder::new();
    full.write("output.txt", &"x=1\n".repeat(1 << 18));
    let mut command = job.command(&["--offline"]);
    command.env("GITHUB_OUTPUT", full.path().join("output.txt"));
    let outcome = crate::unwritten::limited(&command, 1024).expect_code(12);
    assert!(outcome.stdout.starts_with("PASS"), "{}", outcome.text());
    assert!(
        outcome.stderr.contains("could not write the file of GITHUB_OUTPUT: the disk"),
        "{}",
        outcome.stderr
    );
    assert_eq!(full.read("output.txt").len(), 1 << 20, "no half of an output");
}
