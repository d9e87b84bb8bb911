//! A hostile pull request, endpoint and environment: none makes the gate green, leaks or acts.

use std::io::{Read, Write};

use serde_json::{Value, json};

use crate::support::{Folder, KEY, Outcome, finish};

/// Replaces everything in the small suite's configuration from `checks:` on.
fn judged_by(policy: &str) -> Folder {
    let folder = Folder::small(2);
    let text = folder.read("promptgate.yaml");
    let head = text.split("checks:").next().expect("a head").to_owned();
    folder.write("promptgate.yaml", &(head + policy));
    folder
}

#[test]
fn criterion_no_score_can_miss_is_refused() {
    for policy in [
        "metrics: {faithfulness: {min: 0, baseline: false}}",
        "metrics: {faithfulness: {min: -0.0, baseline: false}}",
        "checks: [{length: {min_chars: 99999}, min: 0}]",
        "metrics: {faithfulness: {}}\ngate: {baseline_tolerance: 100%}",
        "metrics: {faithfulness: {min: 0}}\ngate: {baseline_tolerance: 100%, max_missing: 100%}",
    ] {
        let folder = judged_by(policy);
        let outcome = folder.promptgate(&["run", "--offline"]).expect_code(12);
        assert!(outcome.stdout.contains("no score could fail"), "{policy}: {}", outcome.stdout);
        assert_eq!(folder.report()["verdict"], "incomplete", "{policy}");
    }
    // From a flag as well; and a real criterion beside an empty one still counts.
    let folder = judged_by("metrics: {faithfulness: {min: 0.75, baseline: false}}");
    folder.promptgate(&["run", "--offline", "--min", "faithfulness=0"]).expect_code(12);
    let folder =
        judged_by("checks: [length: {min_chars: 1}]\nmetrics: {faithfulness: {min: 0, baseline: false}}");
    folder.promptgate(&["run", "--offline"]).expect_code(0);
}

#[test]
fn lowered_threshold_shows_in_every_report() {
    let folder = Folder::small(2);
    let words = "--min lowers the minimum of faithfulness to 0.5; the configuration requires 0.75";
    folder.promptgate(&["run", "--offline", "--min", "faithfulness=0.5"]).expect_code(0);
    let warnings = folder.report()["warnings"].to_string();
    assert!(warnings.contains(words), "{warnings}");
    assert!(folder.read("promptgate-report/report.md").contains("lowers the minimum"));
    folder.promptgate(&["run", "--offline", "--min", "check.length=0.1"]).expect_code(0).says("lowers");
    let outcome = folder.promptgate(&["run", "--offline", "--min", "faithfulness=0.9"]).expect_code(0);
    assert!(!outcome.text().contains("lowers"), "{}", outcome.text());
    folder
        .promptgate(&["run", "--offline", "--min", "faithfulness=0.9", "--min", "faithfulness=0.1"])
        .expect_code(2)
        .says("given twice");
}

/// Edits the report in `base/` and compares it with itself as it was.
fn compare_edited(folder: &Folder, edit: impl Fn(&mut Value)) -> Outcome {
    let mut report: Value = serde_json::from_str(&folder.read("base/report.json")).expect("JSON");
    edit(&mut report);
    folder.write("edited.json", &report.to_string());
    folder.promptgate(&["compare", "base/report.json", "edited.json"])
}

#[test]
fn edited_reports_are_refused() {
    let folder = Folder::small(2);
    folder.promptgate(&["run", "--offline", "--out", "base"]).expect_code(0);
    compare_edited(&folder, |_| {}).expect_code(0);
    let edits: [(&str, Value, &str); 13] = [
        ("/cases/0/trials/0/grades/0/score", json!(1.5), "no valid score"),
        ("/repeats", json!(4_000_000_000_u32), "`repeats` is 4000000000"),
        ("/policy/confidence", json!(2), "`policy.confidence`"),
        ("/policy/confidence", json!(0), "`policy.confidence`"),
        ("/policy/resolution", json!(50), "`policy.resolution`"),
        ("/policy/resolution", json!(-1), "`policy.resolution`"),
        ("/policy/max_missing", json!(50), "`policy.max_missing`"),
        ("/policy/criteria/1/requirement/value", json!(-5), "in 0..=1"),
        ("/policy/criteria/2/requirement/tolerance", json!(5), "a tolerance in 0..=1"),
        ("/policy/criteria/0/requirement", json!({"kind": "must_pass", "case": 0}), "another id"),
        ("/policy/criteria", json!([]), "differ"),
        ("/scorers/1", json!("check.length"), "duplicate scorer"),
        ("/judge", Value::Null, "without a `judge`"),
    ];
    for (pointer, value, words) in edits {
        let outcome = compare_edited(&folder, |report| {
            *report.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value.clone();
        });
        outcome.expect_code(2).says(words).says("edited.json");
    }
    let twice = compare_edited(&folder, |report| {
        let grades = report.pointer_mut("/cases/0/trials/0/grades").and_then(Value::as_array_mut);
        let grades = grades.expect("grades");
        grades.insert(0, grades[0].clone());
    });
    twice.expect_code(2).says("two grades of");
    let fewer = compare_edited(&folder, |report| {
        report["policy"]["criteria"].as_array_mut().expect("criteria").truncate(1);
    });
    fewer.expect_code(2).says("differ");
    // A trial that was taken out is missing, not forgotten.
    let outcome = compare_edited(&folder, |report| {
        report["cases"][0]["trials"].as_array_mut().expect("trials").retain(|trial| trial["repeat"] != 1);
    });
    outcome.expect_code(12).says("missing");
}

#[test]
fn confusable_names_are_duplicates() {
    for (first, second) in [("a", "a "), ("\u{e9}", "e\u{301}")] {
        let folder = Folder::small(1);
        let row = |id: &str| json!({"id": id, "query": "q", "context": "c"}).to_string();
        folder.write("cases.jsonl", &format!("{}\n{}\n", row(first), row(second)));
        folder.promptgate(&["check"]).expect_code(2).says("duplicate id").says("cases.jsonl:2");
    }
    for id in ["x\u{200b}y", "x\u{202e}y", "x\u{2028}::error::y", "\u{feff}x"] {
        let folder = Folder::small(1);
        folder.write("cases.jsonl", &json!({"id": id, "query": "q", "context": "c"}).to_string());
        folder.promptgate(&["check"]).expect_code(2).says("invisible character");
    }
}

#[test]
fn binary_file_is_refused_wherever_the_nul_is() {
    // As in the file that holds a process's environment: names and values, each ended by a NUL.
    let folder = Folder::small(1);
    let environment = format!("PATH={}\0TOKEN=hunter2hunter2\0", "x".repeat(200));
    folder.write("environ", &environment);
    for (from, to) in [
        ("prompt: prompt.md", "prompt: environ"),
        ("dataset: cases.jsonl", "dataset: {path: environ, format: jsonl}"),
    ] {
        let original = folder.read("promptgate.yaml");
        folder.edit("promptgate.yaml", from, to);
        let outcome = folder.promptgate(&["check"]).expect_code(2).says("NUL");
        assert!(!outcome.text().contains("hunter2"), "{}", outcome.text());
        folder.write("promptgate.yaml", &original);
    }
}

#[test]
fn unwritable_report_fails_before_any_call() {
    let server = crate::wire::Recorder::start();
    let folder = Folder::small(1);
    folder.write("file", "");
    folder.write("taken/report.json/x", "");
    for out in ["file", "file/below", "taken"] {
        folder
            .against(&server.base_url(), &["run", "--out", out])
            .expect_code(2)
            .says("no report can be written here")
            .says("--out");
    }
    assert!(server.bodies().is_empty());
}

#[cfg(unix)]
#[test]
fn links_in_the_out_folder_are_replaced() {
    let folder = Folder::small(1);
    folder.write("victim", "untouched");
    folder.write("promptgate-report/x", "");
    let link = folder.path().join("promptgate-report/report.json");
    std::os::unix::fs::symlink(folder.path().join("victim"), link).expect("a link");
    folder.promptgate(&["run", "--offline"]).expect_code(0);
    assert_eq!(folder.read("victim"), "untouched");
    assert_eq!(folder.report()["verdict"], "pass");
}

/// Answers every request with a body computed from the key it was sent.
fn echoing(body: fn(&str) -> String) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream, body));
        }
    });
    format!("http://{address}/v1")
}

fn answer(mut stream: std::net::TcpStream, body: fn(&str) -> String) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(read) = stream.read(&mut buffer) {
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
        let length = text.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
        let whole = text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.len() >= length.unwrap_or(0));
        if read == 0 || whole {
            break;
        }
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    let key =
        text.split("Bearer ").nth(1).and_then(|rest| rest.lines().next()).unwrap_or("no key").to_owned();
    let body = body(&key);
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
    let _ = write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
}

#[test]
fn echoed_key_is_redacted_even_in_part() {
    let bodies: [fn(&str) -> String; 4] = [
        // At every place of an excerpt: wherever it is cut, it is cut through a key.
        |key| {
            let text = format!("{}##[set-output name=verdict]pass\n::error::x", key.repeat(40));
            json!({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}).to_string()
        },
        |key| {
            let reason = format!("a{}", key.repeat(40));
            json!({"model": reason, "system_fingerprint": reason,
                   "choices": [{"message": {"content": "x"}, "finish_reason": reason}]})
            .to_string()
        },
        |key| json!({"choices": key.repeat(40)}).to_string(),
        |key| json!({"error": {"message": key.repeat(40), "code": key, "type": key}}).to_string(),
    ];
    for body in bodies {
        let folder = Folder::small(1);
        folder.edit(
            "promptgate.yaml",
            "  - length: {min_chars: 1}",
            "  - equals: nothing\n  - starts_with: zebra",
        );
        let base_url = echoing(body);
        for arguments in [&["run"][..], &["run", "--format", "json"], &["run", "--format", "markdown"]] {
            let outcome = folder.against(&base_url, arguments);
            assert!([10, 12].contains(&outcome.code), "{}: {}", outcome.code, outcome.text());
            let saved =
                folder.read("promptgate-report/report.json") + &folder.read("promptgate-report/report.md");
            for text in [outcome.stdout, outcome.stderr, saved] {
                assert!(!text.contains(&KEY[..12]), "part of the key is in:\n{text}");
                assert!(!text.contains("##[") && !text.lines().any(|line| line.starts_with("::")), "{text}");
            }
        }
    }
}

#[test]
fn commands_in_answers_are_inert_in_json_logs() {
    let folder = Folder::small(1);
    folder.write(
        "cases.jsonl",
        &json!({"id": "##[error]x", "query": "q?", "context": "a b c.", "tags": ["##[warning]"]}).to_string(),
    );
    let outcome = folder.promptgate(&["run", "--offline", "--format", "json"]);
    assert!(!outcome.stdout.contains("##["), "{}", outcome.stdout);
    let report: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(report["cases"][0]["id"], "##[error]x");
    assert_eq!(report["cases"][0]["tags"][0], "##[warning]");
}

#[cfg(unix)]
#[test]
fn hostile_repository_runs_no_code() {
    let folder = Folder::small(1);
    let mark = folder.path().join("ran");
    let touch = format!("touch {}", mark.display());
    folder.write(".gitattributes", "* diff=x filter=x\n");
    folder.git(&["init", "-q", "-b", "main"]);
    folder.git(&["add", "-A"]);
    folder.git(&["commit", "-q", "-m", "first"]);
    let settings = [
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "core.askPass",
        "core.alternateRefsCommand",
        "diff.external",
        "diff.x.textconv",
        "filter.x.smudge",
        "filter.x.process",
        "gpg.program",
        "alias.rev-parse",
        "alias.ls-tree",
        "alias.cat-file",
    ];
    for name in settings {
        let value = if name.starts_with("alias.") { format!("!{touch}") } else { touch.clone() };
        folder.git(&["-c", "core.fsmonitor=false", "config", name, &value]);
    }
    for (name, value) in [
        ("remote.origin.url", format!("ext::{touch}")),
        ("remote.origin.promisor", "true".to_owned()),
        ("remote.origin.partialclonefilter", "blob:none".to_owned()),
    ] {
        folder.git(&["-c", "core.fsmonitor=false", "config", name, &value]);
    }
    for baseline in
        ["git:HEAD", "git:merge-base", "git:main:prompt.md", "git:0123456789abcdef0123456789abcdef01234567"]
    {
        let mut command = folder.command(&["check", "--baseline", baseline]);
        for (name, value) in [
            ("GIT_DIR", "/none"),
            ("GIT_OBJECT_DIRECTORY", "/none"),
            ("GIT_GLOB_PATHSPECS", "1"),
            ("GIT_ICASE_PATHSPECS", "1"),
            ("GIT_EXTERNAL_DIFF", touch.as_str()),
            ("GIT_SHALLOW_FILE", "/none"),
        ] {
            command.env(name, value);
        }
        finish(command).expect_code(if baseline.contains("0123") { 2 } else { 0 });
        assert!(!mark.exists(), "{baseline}");
    }
}

#[test]
fn unwritten_output_is_not_a_pass() {
    let folder = Folder::small(1);
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    for arguments in [&["run", "--offline"][..], &["run", "--offline", "--advisory"]] {
        let mut command = folder.command(arguments);
        command.stdout(full.try_clone().expect("a copy")).stderr(std::process::Stdio::null());
        let code = if arguments.contains(&"--advisory") { 0 } else { 12 };
        assert_eq!(command.status().expect("it runs").code(), Some(code));
    }
}

#[test]
fn parameters_cannot_override_model_or_messages() {
    for name in ["model: other", "messages: [{role: user, content: hi}]", "stream: true"] {
        let word = name.split(':').next().expect("a name");
        let folder = Folder::small(1);
        folder.edit("promptgate.yaml", "parameters: {temperature: 0}", &format!("parameters: {{{name}}}"));
        folder.promptgate(&["check"]).expect_code(2).says(&format!("`{word}` is not allowed"));
        let folder = Folder::small(1);
        let prompt = folder.read("prompt.md");
        folder.write("prompt.md", &format!("---\nparameters: {{{name}}}\n---\n{prompt}"));
        folder.promptgate(&["check"]).expect_code(2).says("prompt.md").says(&format!("`{word}`"));
        let folder = Folder::small(1);
        let judge = format!("model: tiny-judge, parameters: {{{name}}}");
        folder.edit("promptgate.yaml", "model: tiny-judge", &judge);
        folder.promptgate(&["check"]).expect_code(2).says("promptgate.yaml").says(&format!("`{word}`"));
    }
}

#[test]
fn hostile_flag_value_is_inert_in_the_log() {
    let folder = Folder::small(1);
    let outcome =
        folder.promptgate(&["run", "--repeats", "1\n::error::x\u{1b}[31m ##[add-mask]pass"]).expect_code(2);
    assert!(outcome.stderr.contains("--repeats"), "{}", outcome.stderr);
    assert!(!outcome.stderr.lines().any(|line| line.trim_start().starts_with("::")), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains('\u{1b}') && !outcome.stderr.contains("##["), "{:?}", outcome.stderr);
}
