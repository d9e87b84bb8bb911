//! Output that nobody can take: full disks, closed pipes, devices in place of files.
#![cfg(unix)]

use std::process::{Command, Stdio};

use serde_json::json;

use crate::servers::{Server, says};
use crate::support::{Folder, KEY, Outcome, finish};

/// Runs a command where no file can grow beyond `kib`, as on a full disk: writing fails in place of a signal.
pub(crate) fn limited(command: &Command, kib: u32) -> Outcome {
    let mut limited = Command::new("bash");
    limited.args(["-c", "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"", "bash", &kib.to_string()]);
    limited.arg(command.get_program()).args(command.get_args()).env_clear().stdin(Stdio::null());
    limited.current_dir(command.get_current_dir().expect("a folder"));
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    finish(limited)
}

#[test]
fn full_disk_for_reports_prints_the_verdict_first_and_exits_12() {
    let folder = Folder::small(6);
    let offline = ["run", "--offline"];
    folder.promptgate(&offline).expect_code(0);
    let outcome = limited(&folder.command(&offline), 4).expect_code(12);
    assert!(outcome.stdout.starts_with("PASS"), "{}", outcome.stdout);
    assert!(outcome.stderr.contains("could not write promptgate-report/"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("the disk"), "{}", outcome.stderr);
    // The report of the earlier run is not left to be taken for that of this one.
    assert!(!folder.path().join("promptgate-report/report.json").exists());
    let json = limited(&folder.command(&["run", "--offline", "--format", "json"]), 4).expect_code(12);
    let report: serde_json::Value = serde_json::from_str(&json.stdout).expect("a whole report");
    assert_eq!((&report["verdict"], &report["exit_code"]), (&json!("pass"), &json!(12)));
    limited(&folder.command(&["run", "--offline", "--advisory"]), 4).expect_code(0).says("the disk");
    // Where not even an empty file can be written, nothing is called.
    let outcome = limited(&folder.command(&offline), 0);
    assert!([2, 12].contains(&outcome.code), "{}", outcome.text());
}

#[test]
fn full_disk_for_the_cache_prints_the_verdict_first_and_exits_12() {
    let server = Server::start(|_, _| (200, says(&"Plan 1 gives 11 days. ".repeat(3000))));
    let folder = Folder::small(60);
    folder.append("promptgate.yaml", "gate: {repeats: 1}\n");
    let mut run = folder.command(&["run", "--no-judge"]);
    run.env("OPENAI_BASE_URL", &server.base_url).env("OPENAI_API_KEY", KEY);
    // Smaller than an empty cache: nothing can be kept, so nothing is paid for.
    let outcome = limited(&run, 4).expect_code(12);
    outcome.says("the cache cannot be written: the disk").says("--no-cache");
    assert_eq!(server.calls(), 0);
    // The answers take 8 MB.
    let outcome = limited(&run, 4096).expect_code(12);
    assert!(outcome.stdout.starts_with("PASS"), "{}", outcome.text());
    assert!(outcome.stderr.contains("answers could not be cached: the disk"), "{}", outcome.stderr);
    // Entries that were written before the disk was full are whole.
    let outcome = limited(&run, 65_536).expect_code(0);
    assert!(outcome.stdout.starts_with("PASS"), "{}", outcome.text());
}

#[test]
fn closed_pipe_does_not_change_the_exit_code() {
    let folder = Folder::small(3);
    for (arguments, code) in [
        (&["run", "--offline", "--format", "json"][..], 0),
        (&["run", "--offline"], 0),
        (&["report", "promptgate-report/report.json", "--format", "html"], 0),
        (&["report", "promptgate-report/report.json", "--format", "junit"], 0),
        (&["check"], 0),
        (&["schema", "config"], 0),
        (&["--help"], 0),
        (&["no-such-command"], 2),
    ] {
        let mut command = folder.command(arguments);
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        command.stdout(writer).stderr(Stdio::piped());
        let output = command.output().expect("the executable runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        assert!(
            !stderr.contains("panicked") && !stderr.contains("standard output"),
            "{arguments:?}: {stderr}"
        );
    }
    assert_eq!(folder.report()["exit_code"], 0);
}

#[test]
fn failing_verdict_survives_a_closed_pipe() {
    let folder = Folder::small(3);
    folder.edit("promptgate.yaml", "- length: {min_chars: 1}", "- contains: never said");
    let mut command = folder.command(&["run", "--offline", "--format", "json"]);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    command.stdout(writer).stderr(Stdio::null());
    assert_eq!(command.status().expect("the executable runs").code(), Some(10));
}

#[test]
fn full_standard_output_is_not_a_bug() {
    let folder = Folder::small(3);
    let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else { return };
    let mut command = folder.command(&["run", "--offline"]);
    command.stdout(full).stderr(Stdio::piped());
    let output = command.output().expect("the executable runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(12), "{stderr}");
    assert!(stderr.contains("could not write standard output: the disk is full"), "{stderr}");
    assert_eq!(folder.report()["verdict"], "pass");
}

#[test]
fn full_disk_for_a_calibration_prints_its_figures_first() {
    let folder = Folder::golden();
    let command = folder.command(&["calibrate", "labels.jsonl", "--offline"]);
    let outcome = limited(&command, 4).expect_code(12);
    assert!(outcome.stdout.contains("kappa"), "{}", outcome.text());
    assert!(outcome.stderr.contains("judged.jsonl: the disk"), "{}", outcome.stderr);
}

#[test]
fn log_that_cannot_be_written_prints_the_verdict_first_and_exits_12() {
    let worker = "import json, sys\nprint('started', file=sys.stderr)\nfor line in sys.stdin:\n    print(json.dumps({'output': 'yes'}), flush=True)\n";
    let scorer = "import json, sys\nprint('started', file=sys.stderr)\nfor line in sys.stdin:\n    print(json.dumps({'score': 1}), flush=True)\n";
    let folder = Folder::new();
    folder.write("app.py", worker);
    folder.write("score.py", scorer);
    folder.write("cases.jsonl", "{\"query\": \"Why?\"}\n");
    folder.write(
        "promptgate.yaml",
        "version: 1\nname: logs\ndataset: cases.jsonl\ntarget: {command: [python3, app.py], workers: 1}\nbaseline: none\n\
         gate: {repeats: 1}\nchecks: [{command: {run: [python3, score.py]}, name: good}]\n",
    );
    folder.promptgate(&["run"]).expect_code(0);
    assert!(
        folder
            .read("promptgate-report/target.log")
            .starts_with("=== candidate: 1 processes, 1 replies, 0 faults")
    );
    assert!(
        folder
            .read("promptgate-report/scorers.log")
            .starts_with("=== good: 1 processes, 1 replies, 0 faults")
    );
    for log in ["target.log", "scorers.log"] {
        let path = folder.path().join("promptgate-report").join(log);
        std::fs::remove_file(&path).expect("a file");
        std::fs::create_dir(&path).expect("a folder");
        let outcome = folder.promptgate(&["run"]).expect_code(12);
        assert!(outcome.stdout.starts_with("PASS"), "{}", outcome.text());
        outcome.says(&format!("could not write promptgate-report/{log}"));
        folder.promptgate(&["run", "--advisory"]).expect_code(0).says(log);
        std::fs::remove_dir(&path).expect("a folder");
    }
}
