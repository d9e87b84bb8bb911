//! Ctrl-C, SIGTERM and SIGHUP: a partial report and exit 130.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::support::{Folder, MockServer};

/// Starts a run against a slow server, waits for its first report of progress, and sends a signal.
fn interrupted_by(signal: &str) {
    let server = MockServer::start(&["--latency", "200ms"]);
    let folder = Folder::small(30);
    let mut command = folder.command(&["run", "--concurrency", "2"]);
    command.env("OPENAI_BASE_URL", &server.base_url).stderr(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().expect("the executable starts");
    // The line that says what the run will take is printed before the first call.
    let stderr = BufReader::new(child.stderr.take().expect("its errors"));
    let line = stderr.lines().map_while(Result::ok).find(|line| line.contains("requesting"));
    assert!(line.is_some());
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
    assert!(status.success());
    assert_eq!(child.wait().expect("its end").code(), Some(130));
    let report = folder.report();
    assert_eq!(report["exit_code"], 130);
    assert_eq!(report["verdict"], "incomplete");
    assert!(report["reasons"].to_string().contains("interrupted"));
}

#[test]
fn ctrl_c_leaves_a_partial_report() {
    interrupted_by("-INT");
}

#[test]
fn sigterm_leaves_a_partial_report() {
    interrupted_by("-TERM");
}

#[test]
fn sighup_leaves_a_partial_report() {
    interrupted_by("-HUP");
}

/// As with nohup: the run outlives its terminal.
#[cfg(target_os = "linux")]
#[test]
fn ignored_sighup_stays_ignored() {
    let server = MockServer::start(&["--latency", "100ms"]);
    let folder = Folder::small(6);
    let run = folder.command(&[]);
    let mut command = Command::new("bash");
    command.args(["-c", "trap '' HUP; exec \"$0\" run --concurrency 2"]).arg(run.get_program());
    command.current_dir(folder.path()).env_clear().env("OPENAI_BASE_URL", &server.base_url);
    command.stderr(Stdio::piped()).stdout(Stdio::null()).stdin(Stdio::null());
    let mut child = command.spawn().expect("the executable starts");
    let stderr = BufReader::new(child.stderr.take().expect("its errors"));
    let mut lines = stderr.lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("requesting")));
    let status = Command::new("kill").args(["-HUP", &child.id().to_string()]).status().expect("kill");
    assert!(status.success());
    assert!(lines.all(|line| !line.contains("interrupted")));
    assert_eq!(child.wait().expect("its end").code(), Some(0));
}

#[test]
fn interrupted_calibration_writes_nothing() {
    let server = MockServer::start(&["--latency", "200ms"]);
    let folder = Folder::golden();
    let mut command = folder.command(&["calibrate", "labels.jsonl", "--concurrency", "1"]);
    command.env("OPENAI_BASE_URL", &server.base_url).stderr(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().expect("the executable starts");
    let mut lines = BufReader::new(child.stderr.take().expect("its errors")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("judgements of 73 answers")));
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(status.success());
    assert!(lines.any(|line| line == "interrupted: nothing was written"));
    assert_eq!(child.wait().expect("its end").code(), Some(130));
    assert!(!folder.path().join("promptgate-calibration/calibration.json").exists());
}

/// Whether the process handles a signal.
#[cfg(target_os = "linux")]
fn handles(process: u32, signal: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    caught.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

#[cfg(target_os = "linux")]
#[test]
fn interrupt_while_the_cache_is_locked_exits() {
    let folder = Folder::small(3);
    folder.write(".promptgate/.gitignore", "*\n");
    let path = folder.path().join(".promptgate/cache.redb");
    let _held = promptgate_adapters::cache::Cache::open(&path, std::time::Duration::ZERO).expect("a cache");
    let mut command = folder.command(&["run"]);
    command.env("OPENAI_BASE_URL", "http://127.0.0.1:9/v1").stderr(Stdio::null()).stdout(Stdio::null());
    // Nothing was asked yet, so the first signal is enough. The wait itself would end with exit code 2.
    for (name, number) in [("-INT", 2), ("-TERM", 15)] {
        let mut child = command.spawn().expect("the executable starts");
        while !handles(child.id(), number) {
            assert!(child.try_wait().expect("its state").is_none(), "it ended before it could be stopped");
        }
        let status = Command::new("kill").args([name, &child.id().to_string()]).status().expect("kill");
        assert!(status.success());
        assert_eq!(child.wait().expect("its end").code(), Some(130), "{name}");
    }
    assert!(!folder.path().join("promptgate-report").join("report.json").exists());
}
