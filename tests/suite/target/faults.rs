//! Workers that misbehave: no answer of theirs is graded, nothing is green, nothing is left running.
#![cfg(unix)]

use super::{application, commit};
use crate::support::Folder;

/// An application whose worker is a shell script.
fn shell(script: &str) -> Folder {
    let folder = application(2);
    folder.write("worker.sh", script);
    folder.edit("promptgate.yaml", "command: [python3, answer.py]", "command: [sh, worker.sh]");
    folder.edit("promptgate.yaml", "timeout: 10s", "timeout: 1s");
    folder.edit("promptgate.yaml", "metrics:\n  faithfulness: {min: 0.75}\njudge: {model: tiny-judge}\n", "");
    folder.append("promptgate.yaml", "baseline: none\n");
    commit(&folder, "shell");
    folder
}

/// The scripts, and what the message of their fault contains.
const BAD: [(&str, &str); 8] = [
    ("read line; exit 3", "exit"),
    ("while read line; do sleep 600; done", "1 s"),
    ("while read line; do echo 'Within 30 days, my friend.'; done", "not valid JSON"),
    ("while read line; do echo '{\"id\": \"other\", \"output\": \"days\"}'; done", "other"),
    ("while read line; do echo '{\"output\": \"days\"}'; echo '{\"output\": \"days\"}'; done", ""),
    ("while read line; do echo '{\"error\": \"no index\"}'; done", "no index"),
    ("while read line; do echo '{\"text\": \"days\"}'; done", "output"),
    ("trap '' TERM; while read line; do sleep 600 & wait; done", "1 s"),
];

#[test]
fn misbehaving_workers_are_never_green() {
    for (script, message) in BAD {
        let folder = shell(script);
        let outcome = folder.promptgate(&["run", "--repeats", "1"]);
        assert!([11, 12].contains(&outcome.code), "{script}: {} {}", outcome.code, outcome.text());
        let report = folder.report();
        let trials = report["cases"]
            .as_array()
            .expect("cases")
            .iter()
            .flat_map(|case| case["trials"].as_array().expect("trials").iter());
        let errors: Vec<String> = trials.map(|trial| trial["error"]["message"].to_string()).collect();
        assert!(
            errors.iter().all(|error| error != "null" && error.contains(message)),
            "{script}: {errors:?}"
        );
    }
}

#[test]
fn flood_of_standard_error_does_not_block() {
    let script = "i=0; while read line; do while [ $i -lt 20000 ]; do i=$((i+1)); echo a line of noise that is long enough to fill pipes >&2; done; echo '{\"output\": \"30 days\"}'; done";
    let folder = shell(script);
    folder.edit("promptgate.yaml", "timeout: 1s", "timeout: 30s");
    folder.promptgate(&["run", "--repeats", "1"]).expect_code(0);
}

#[test]
fn missing_program_names_it() {
    let folder = shell("");
    folder.edit("promptgate.yaml", "command: [sh, worker.sh]", "command: [no-such-program-4711]");
    folder.promptgate(&["run", "--repeats", "1"]).expect_code(12).says("no-such-program-4711");
}

/// Also those that leave their group, and those of a run that is interrupted or killed.
#[cfg(target_os = "linux")]
#[test]
fn nothing_is_left_running() {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    use super::processes_with;

    let mark = format!("{}47", std::process::id());
    let script = format!("sleep {mark} & setsid sleep {mark} & while read line; do sleep {mark}; done");
    let folder = shell(&script);
    let outcome = folder.promptgate(&["run", "--repeats", "1"]);
    assert_ne!(outcome.code, 0);
    assert_eq!(processes_with(&format!("sleep {mark}")), [""; 0], "after a run");

    folder.edit("promptgate.yaml", "timeout: 1s", "timeout: 300s");
    let started = format!("echo started >&2; {script}");
    folder.write("worker.sh", &started.replace("while read line; do", "while read line; do touch called;"));
    for signal in ["-INT", "-KILL"] {
        let _ = std::fs::remove_file(folder.path().join("called"));
        let mut command = folder.command(&["run", "--repeats", "1"]);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it starts");
        let stderr = BufReader::new(child.stderr.take().expect("its errors"));
        assert!(stderr.lines().map_while(Result::ok).any(|line| line.contains("requesting")));
        while processes_with(&format!("sleep {mark}")).is_empty() {
            std::thread::yield_now();
        }
        let status = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
        assert!(status.success());
        let code = child.wait().expect("its end").code();
        assert_eq!(code, if signal == "-INT" { Some(130) } else { None });
        // The watchdog of a killed run needs a moment.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while !processes_with(&format!("sleep {mark}")).is_empty() && std::time::Instant::now() < deadline {
            std::thread::yield_now();
        }
        let left = processes_with(&format!("sleep {mark}"));
        assert!(
            left.iter().all(|line| signal == "-KILL" && !line.contains("worker.sh")),
            "{signal}: {left:?}"
        );
        for _ in left {
            let _ = Command::new("pkill").args(["-f", &format!("sleep {mark}")]).status();
        }
    }
}
