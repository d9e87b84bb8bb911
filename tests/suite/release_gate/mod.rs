//! The gate of a prompt that is released: its baseline is what production serves, and its level is verified.

mod changes;
pub(crate) mod published;

use serde_json::Value;

use crate::support::{Folder, MockServer};
use published::{PRODUCTION, Published, content};

/// The ledger of a suite in a folder.
const LEDGER: &str = ".promptgate/ledger";

/// Front matter of a change that says why.
const REASON: &str = "---\nreason: Answers name the plan.\n---\n";

/// The small suite with a ledger in a folder, whose prompt is a minor change of what production serves.
fn released() -> Folder {
    let folder = unreleased();
    Published::in_folder(&folder.path().join(LEDGER)).serving();
    folder
}

/// The same before the first version.
fn unreleased() -> Folder {
    let folder = Folder::small(3);
    folder.edit("promptgate.yaml", "baseline: file:baseline.md\n", "");
    folder.append("promptgate.yaml", &format!("release: {{ledger: {{path: {LEDGER}}}}}\n"));
    let changed = "Answer the question from these passages alone, in a single sentence. Name the plan.\n\n{{context}}\n";
    folder.write("prompt.md", &format!("{REASON}{changed}"));
    folder
}

fn variants(folder: &Folder) -> (Value, Value) {
    let report = folder.report();
    (report["variants"]["candidate"].clone(), report["variants"]["baseline"].clone())
}

#[test]
fn default_baseline_is_what_production_serves() {
    let folder = released();
    let outcome = folder.promptgate(&["run", "--offline"]).expect_code(0);
    let (candidate, baseline) = variants(&folder);
    assert_eq!(baseline["content_digest"], content(PRODUCTION).digest().as_str());
    assert_eq!(baseline["published"]["name"], "small");
    assert_eq!(
        (&baseline["published"]["version"], &baseline["published"]["level"]),
        (&"1.0.0".into(), &"major".into())
    );
    assert_eq!(baseline["prompt"]["source"], "registry:small@1.0.0");
    assert!(candidate["content_digest"].as_str().is_some_and(|digest| digest.starts_with("sha256:")));
    assert!(candidate.get("published").is_none(), "{candidate}");
    let release = &folder.report()["release"];
    assert_eq!((&release["production"], &release["version"]), (&"1.0.0".into(), &"1.1.0".into()));
    assert_eq!((&release["level"], &release["least_level"]), (&"minor".into(), &"minor".into()));
    assert_eq!((&release["published"], &release["examined"]), (&false.into(), &"full".into()));
    assert_eq!(
        (&release["requires"]["gate"], &release["requires"]["approvals"]),
        (&"full".into(), &0.into())
    );
    let line = "small 1.0.0 → 1.1.0, minor: full gate, no approval";
    assert!(outcome.stdout.contains(line), "{}", outcome.stdout);
    for file in ["report.md", "report.html", "junit.xml"] {
        let text = folder.read(&format!("promptgate-report/{file}")).replace(['\u{200b}', '\\'], "");
        assert!(text.contains(line), "{file}");
    }
}

#[test]
fn baseline_follows_production() {
    let folder = released();
    let published = Published::in_folder(&folder.path().join(LEDGER));
    published.version(2, "1.1.0", "Answer from these passages, in one sentence.\n\n{{context}}");
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    assert_eq!(variants(&folder).1["published"]["version"], "1.0.0");
    assert_eq!(folder.report()["release"]["version"], "1.2.0", "1.1.0 is taken");
    published.production(Some("1.0.0"), "1.1.0");
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    assert_eq!(variants(&folder).1["published"]["version"], "1.1.0");
    // A report that a version was not compared with is told from one that it was by the digest.
    assert_ne!(variants(&folder).1["content_digest"], content(PRODUCTION).digest().as_str());
}

#[test]
fn prompt_that_production_serves_is_nothing_to_publish() {
    let folder = released();
    folder.write("prompt.md", &format!("{PRODUCTION}\n"));
    let outcome = folder.promptgate(&["run", "--offline"]).expect_code(0);
    assert!(outcome.stdout.contains("candidate and baseline are equal"), "{}", outcome.stdout);
    assert!(
        outcome.stdout.contains("small 1.0.0: what production serves, nothing to publish"),
        "{}",
        outcome.stdout
    );
    let (candidate, baseline) = variants(&folder);
    assert_eq!(candidate["content_digest"], baseline["content_digest"]);
    let release = folder.report()["release"].clone();
    assert_eq!(
        (&release["published"], &release["level"], &release["requires"]),
        (&true.into(), &Value::Null, &Value::Null)
    );
    folder.promptgate(&["check"]).expect_code(0).says("what production serves, nothing to publish");
}

#[test]
fn first_version_is_judged_by_thresholds_alone() {
    let folder = unreleased();
    let outcome = folder.promptgate(&["run", "--offline"]).expect_code(0);
    assert!(outcome.stdout.contains("small has no version in production yet"), "{}", outcome.stdout);
    assert!(
        outcome.stdout.contains("small → 1.0.0, first version: full gate, 1 approval"),
        "{}",
        outcome.stdout
    );
    let report = folder.report();
    assert!(report["variants"]["baseline"].is_null());
    assert!(report["release"]["production"].is_null() && report["release"]["least_level"].is_null());
    let criteria = report["criteria"].as_array().unwrap();
    assert!(criteria.iter().any(|criterion| criterion["id"] == "faithfulness.min"));
    assert!(criteria.iter().all(|criterion| criterion["kind"] != "baseline"));
    folder.promptgate(&["check"]).expect_code(0).says("first version: full gate, 1 approval");
    // A published version that production does not serve yet is no baseline either.
    Published::in_folder(&folder.path().join(LEDGER)).version(1, "1.0.0", PRODUCTION);
    folder.promptgate(&["run", "--offline"]).expect_code(0).says("small has no version in production yet");
}

#[test]
fn candidate_and_baseline_may_be_published_versions() {
    let folder = released();
    let published = Published::in_folder(&folder.path().join(LEDGER));
    let second = "Answer from these passages, in one sentence.\n\n{{context}}";
    published.version(2, "1.1.0", second);
    let arguments = [
        "run",
        "--offline",
        "--candidate",
        "registry:small@1.1.0",
        "--baseline",
        "registry:small@production",
    ];
    folder.promptgate(&arguments).expect_code(0);
    let (candidate, baseline) = variants(&folder);
    assert_eq!(candidate["content_digest"], content(second).digest().as_str());
    assert_eq!(
        (&candidate["published"]["version"], &baseline["published"]["version"]),
        (&"1.1.0".into(), &"1.0.0".into())
    );
    let release = folder.report()["release"].clone();
    assert_eq!((&release["version"], &release["published"]), (&"1.1.0".into(), &true.into()));
    assert_eq!(release["examined"], "full");
    // The published content is evaluated, whatever the file says by now.
    folder.write("prompt.md", "Be kind.\n");
    folder.promptgate(&arguments).expect_code(0);
    assert_eq!(variants(&folder).0["content_digest"], content(second).digest().as_str());
}

#[test]
fn unknown_references_are_errors_with_what_is_near() {
    let folder = released();
    for (flag, reference, said) in [
        ("--baseline", "registry:small@prodution", "no version of small has the label prodution"),
        ("--baseline", "registry:small@prodution", "did you mean production?"),
        ("--baseline", "registry:small@1.0.1", "small has no version 1.0.1"),
        ("--baseline", "registry:smal@production", "did you mean small?"),
        ("--candidate", "registry:small@2.0.0", "small has no version 2.0.0"),
        ("--candidate", "registry:small@staging", "no version of small has the label staging"),
        ("--baseline", "registry:Small@production", "invalid prompt name `Small`"),
    ] {
        let outcome = folder.promptgate(&["run", "--offline", flag, reference]).expect_code(2);
        assert!(
            outcome.stderr.contains(said) && outcome.stderr.contains(flag),
            "{reference}: {}",
            outcome.stderr
        );
    }
    folder.promptgate(&["run", "--offline", "--policy-from", "registry:small@production"]).expect_code(2);
    let without = Folder::small(3);
    without
        .promptgate(&["run", "--offline", "--baseline", "registry:small@production"])
        .expect_code(2)
        .says("add `release: {ledger: git}`");
}

#[test]
fn damaged_ledger_ends_the_run_with_the_next_step() {
    let folder = released();
    let events = format!("{LEDGER}/events/small.jsonl");
    let whole = folder.read(&events);
    for damaged in [
        whole.replacen("\"alice\"", "\"mallory\"", 1),
        whole.lines().skip(1).map(|line| format!("{line}\n")).collect(),
        whole.trim_end().to_owned(),
    ] {
        folder.write(&events, &damaged);
        for command in [&["run", "--offline"][..], &["check"]] {
            let outcome = folder.promptgate(command).expect_code(12);
            assert!(outcome.stderr.contains("promptgate log --verify"), "{}", outcome.stderr);
        }
    }
    folder.write(&events, &whole);
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    // A record that was changed is not what its digest says.
    let record = format!("{LEDGER}/versions/small/1.0.0.json");
    let text = folder.read(&record);
    folder.write(&record, &text.replacen("single sentence", "single word", 1));
    folder.promptgate(&["run", "--offline"]).expect_code(12);
}

#[test]
fn ledger_that_cannot_be_reached_is_never_a_missing_baseline() {
    let folder = Folder::small(3);
    folder.edit("promptgate.yaml", "baseline: file:baseline.md\n", "");
    folder.append("promptgate.yaml", "release: {ledger: git}\n");
    folder.git(&["init", "--quiet", "-b", "main"]);
    folder.git(&["remote", "add", "origin", "/nonexistent/origin.git"]);
    folder.git(&["add", "--all"]);
    folder.git(&["commit", "--quiet", "-m", "first"]);
    for command in [&["run", "--offline"][..], &["check"], &["ci", "--offline"]] {
        let outcome = folder.promptgate(command).expect_code(12);
        assert!(outcome.text().contains("cannot be read"), "{}", outcome.text());
        assert!(outcome.text().contains("--baseline git:REF"), "{}", outcome.text());
    }
    // A run that compares with something else needs no ledger, and says what it lacks.
    folder.promptgate(&["run", "--offline", "--baseline", "file:baseline.md"]).expect_code(0);
    let warnings = folder.report()["warnings"].to_string();
    assert!(warnings.contains("the level of the change is not known"), "{warnings}");
    assert!(folder.report().get("release").is_none());
}

#[test]
fn narrowed_run_is_no_evidence() {
    let folder = released();
    for flags in [&["--filter", "case-1"][..], &["--min", "relevance=0.1"]] {
        folder.promptgate(&[&["run", "--offline"], flags].concat());
        assert!(folder.report()["release"]["examined"].is_null(), "{flags:?}");
    }
    folder.promptgate(&["run", "--offline", "--no-judge"]);
    assert_eq!(folder.report()["release"]["examined"], "checks");
}

#[test]
fn commit_is_named_only_if_it_holds_prompt_and_configuration() {
    let folder = released();
    folder.write(".gitignore", "promptgate-report\n.promptgate\n");
    folder.git(&["init", "--quiet", "-b", "main"]);
    folder.git(&["add", "--all"]);
    folder.git(&["commit", "--quiet", "-m", "first"]);
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    assert_eq!(folder.report()["release"]["commit"], folder.git(&["rev-parse", "HEAD"]));
    folder.append("prompt.md", "Be brief.\n");
    folder.promptgate(&["run", "--offline"]);
    assert!(folder.report()["release"]["commit"].is_null());
}

#[test]
fn patch_is_examined_by_checks_alone_without_a_judge() {
    let folder = released();
    // Punctuation, in a prompt that is otherwise what production serves.
    folder.write("prompt.md", &format!("{REASON}{}\n", PRODUCTION.replace("alone, in", "alone; in")));
    let server = MockServer::start(&[]);
    let mut command = folder.command(&["ci"]);
    command.env("OPENAI_BASE_URL", &server.base_url).env("OPENAI_API_KEY", crate::support::KEY);
    let outcome = crate::support::finish(command).expect_code(0);
    let report = folder.report();
    assert_eq!(
        (&report["release"]["level"], &report["release"]["examined"]),
        (&"patch".into(), &"checks".into())
    );
    assert!(report["variants"]["baseline"].is_null() && report["judge"].is_null(), "{report}");
    assert_eq!(report["usage"]["judgements"]["prompt_tokens"], 0);
    let criteria: Vec<&str> = report["criteria"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|criterion| criterion["id"].as_str())
        .collect();
    assert_eq!(criteria, ["check.length"]);
    assert!(outcome.text().contains("patch: checks alone, no approval"), "{}", outcome.text());
    // `run` examines everything unless it is told otherwise, and so does a policy that wants the full gate.
    folder.promptgate(&["run", "--offline"]);
    assert_eq!(folder.report()["release"]["examined"], "full");
    folder.edit("promptgate.yaml", LEDGER, &format!("{LEDGER}}}, levels: {{patch: {{gate: full}}"));
    folder.promptgate(&["ci", "--offline"]);
    let report = folder.report();
    assert_eq!(
        (&report["release"]["level"], &report["release"]["examined"]),
        (&"patch".into(), &"full".into())
    );
    assert_eq!(report["variants"]["baseline"]["published"]["version"], "1.0.0");
}

#[test]
fn claims_that_do_not_hold_are_errors_of_check_with_their_places() {
    let folder = released();
    let published = Published::in_folder(&folder.path().join(LEDGER));
    published.version(2, "1.1.0", "Answer from these passages, in one sentence.\n\n{{context}}");
    let body = "Answer the question from these passages alone, in a single sentence. Name the plan.\n\n{{context}}\n";
    let check = |front: &str| {
        folder.write("prompt.md", &format!("---\n{front}\n---\n{body}"));
        folder.promptgate(&["check"])
    };
    for (front, place, said) in [
        ("reason: x\nlevel: patch", "prompt.md:3:8", "`level: patch` is too low: compared with 1.0.0"),
        ("reason: x\nlevel: patch", "prompt.md:3:8", "a minor change"),
        ("reason: x\nversion: 1.0.1", "prompt.md:3:10", "version 1.0.1 of small is below 1.1.0"),
        ("reason: x\nversion: 1.1.1", "prompt.md:3:10", "the next free version is 1.2.0"),
        (
            "reason: x\nversion: 1.1.0",
            "prompt.md:3:10",
            "version 1.1.0 of small is already published with different content",
        ),
        (
            "reason: x\nversion: v2",
            "prompt.md:3:10",
            "invalid version `v2`: expected three numbers like 2.4.0",
        ),
        ("name: reply", "prompt.md", "does not say why"),
        ("reason: ' '", "prompt.md", "`reason` must be text"),
    ] {
        let outcome = check(front);
        if front.contains("1.1.1") {
            // The number is that of a minor change of 1.0.0, and free.
            outcome.expect_code(0).says("small 1.0.0 → 1.1.1, minor");
            continue;
        }
        let outcome = outcome.expect_code(2);
        assert!(
            outcome.stderr.contains(place) && outcome.stderr.contains(said),
            "{front}:\n{}",
            outcome.stderr
        );
    }
    check("reason: x\nlevel: major").expect_code(0).says("→ 2.0.0, major: full gate, 1 approval");
    check("reason: x\nversion: 1.2.0").expect_code(0).says("→ 1.2.0, minor: full gate, no approval");
    // A run is for trying: it warns.
    check("name: reply").expect_code(2);
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    let warnings = folder.report()["warnings"].to_string();
    assert!(warnings.contains("not ready to publish: prompt.md: the prompt was changed"), "{warnings}");
}

#[test]
fn name_that_two_configurations_release_is_an_error_of_check() {
    let folder = released();
    folder.git(&["init", "--quiet", "-b", "main"]);
    for name in ["promptgate.yaml", "prompt.md", "cases.jsonl"] {
        folder.write(&format!("other/{name}"), &folder.read(name));
    }
    let outcome = folder.promptgate(&["check"]).expect_code(2);
    assert!(outcome.stderr.contains("releases the name small as well"), "{}", outcome.stderr);
    folder.edit("other/promptgate.yaml", "name: small", "name: other");
    folder.promptgate(&["check"]).expect_code(0);
}
