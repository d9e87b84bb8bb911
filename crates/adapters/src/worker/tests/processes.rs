//! The end of processes: nothing is left running.
#![cfg(target_os = "linux")]

use super::*;

/// Waits until a condition holds; the test runner ends a test that never does.
async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

const IGNORES_TERM: &str = r#"
import json, os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), file=open("pids", "a"), flush=True)
for line in sys.stdin:
    print(json.dumps({"output": "ok"}), flush=True)
time.sleep(1000)
"#;

/// Forks a child in the group, one with a session of its own, and a daemon of a daemon without environment.
const FORKS: &str = r#"
import json, os, subprocess, sys, time
def note(): print(os.getpid(), file=open("pids", "a"), flush=True)
def child(escape):
    pid = os.fork()
    if pid: return pid
    if escape: os.setsid()
    if escape == 2 and os.fork(): os._exit(0)
    note()
    while True: time.sleep(1000)
for line in sys.stdin:
    for escape in [0, 1, 2]: child(escape)
    while len(open("pids").read().split()) < 3 if os.path.exists("pids") else True: time.sleep(0.002)
    MODE
"#;

#[tokio::test]
async fn process_that_ignores_sigterm_is_killed() {
    let pool = Pool::python(IGNORES_TERM);
    assert!(pool.ask("a").await.is_ok());
    let pids = pool.pids();
    assert!(pids.len() == 1 && runs(pids[0]));
    pool.workers.shutdown().await.unwrap();
    assert!(!runs(pids[0]));
}

#[tokio::test]
async fn process_that_cleans_up_has_the_time_for_it() {
    let script = r#"
import json, os, signal, sys
def end(*_):
    open("clean", "w").close(); sys.exit(0)
signal.signal(signal.SIGTERM, end)
for line in sys.stdin:
    print(json.dumps({"output": "ok"}), flush=True)
open("clean", "w").close()
"#;
    let pool = Pool::python(script);
    assert!(pool.ask("a").await.is_ok());
    pool.workers.shutdown().await.unwrap();
    assert!(pool.folder.path().join("clean").exists());
}

#[tokio::test]
async fn dropped_pool_kills_its_processes() {
    let pool = Pool::python(IGNORES_TERM);
    assert!(pool.ask("a").await.is_ok());
    let pids = pool.pids();
    drop(pool);
    until(|| !runs(pids[0])).await;
}

#[tokio::test]
async fn dropped_request_ends_its_process() {
    let pool = Pool::shell("echo $$ >> pids; read line; sleep 1000");
    tokio::select! {
        _ = pool.ask("a") => panic!("it never answers"),
        () = until(|| !pool.pids().is_empty()) => {}
    }
    let pids = pool.pids();
    until(|| !runs(pids[0])).await;
}

#[test]
fn dropped_runtime_kills_its_processes() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let pool = Pool::python(IGNORES_TERM);
    assert!(runtime.block_on(pool.ask("a")).is_ok());
    let pids = pool.pids();
    drop(runtime);
    while runs(pids[0]) {
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn forks_end_with_the_pool() {
    let pool = Pool::python(&FORKS.replace("MODE", r#"print(json.dumps({"output": "ok"}), flush=True)"#));
    pool.ask("a").await.unwrap();
    let pids = pool.pids();
    assert!(pids.len() == 3 && pids.iter().all(|id| runs(*id)));
    pool.workers.shutdown().await.unwrap();
    assert_eq!(pids.into_iter().filter(|id| runs(*id)).count(), 0);
}

#[tokio::test]
async fn forks_end_with_a_process_that_dies() {
    // Its children hold the pipes open.
    let pool = Pool::python(&FORKS.replace("MODE", "os._exit(5)"));
    let fault = pool.ask("a").await.unwrap_err();
    assert!(fault.message.contains("exit status: 5"), "{}", fault.message);
    let pids = pool.pids();
    assert_eq!((pids.len(), pids.into_iter().filter(|id| runs(*id)).count()), (3, 0));
}

#[test]
fn watchdog_kills_groups_when_its_input_ends() {
    use std::io::Write as _;
    use std::os::unix::process::CommandExt as _;
    use std::process::{Command, Stdio};
    let sleep = || Command::new("sleep").arg("1000").process_group(0).spawn().unwrap();
    let (mut first, mut second) = (sleep(), sleep());
    let mut watchdog =
        Command::new("/bin/sh").args(["-c", watchdog::SCRIPT]).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = watchdog.stdin.take().unwrap();
    let (a, b) = (first.id(), second.id());
    input.write_all(format!("+ {a}\n+ {b}\n- {b}\n").as_bytes()).unwrap();
    drop(input);
    assert!(watchdog.wait().unwrap().success());
    assert!(!first.wait().unwrap().success());
    assert!(second.try_wait().unwrap().is_none(), "it was removed");
    second.kill().unwrap();
    second.wait().unwrap();
}
