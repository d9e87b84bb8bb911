//! Processes that break the protocol: none of them gives an answer.

use super::*;
use promptgate_core::model::FaultKind;

async fn fault(pool: &Pool) -> Fault {
    let fault = pool.ask("a").await.unwrap_err();
    assert!(fault.message.starts_with("target: process 1 "), "{}", fault.message);
    assert!(!fault.message.contains("0123456789"), "{}", fault.message);
    assert_eq!(fault.attempts.len(), 1);
    assert!(fault.attempts[0].is_contested());
    fault
}

#[tokio::test]
async fn death_is_a_fault_with_the_reason() {
    let pool = Pool::shell("read line; echo 'no key sk-canary-0123456789' >&2; exit 3");
    let fault = fault(&pool).await;
    assert_eq!(fault.kind, FaultKind::Disconnected);
    assert!(fault.message.contains("exit status: 3"), "{}", fault.message);
    assert!(fault.message.ends_with("its standard error ends with: no key [redacted]"), "{}", fault.message);
}

#[tokio::test]
async fn death_by_a_signal_is_a_fault() {
    let pool = Pool::shell("read line; kill -SEGV $$");
    assert!(fault(&pool).await.message.contains("SIGSEGV"));
}

#[tokio::test]
async fn third_failed_start_ends_the_run() {
    let pool = Pool::shell("echo broken >&2; exit 1");
    let kinds = [pool.ask("a").await, pool.ask("b").await, pool.ask("c").await, pool.ask("d").await]
        .map(|answer| answer.unwrap_err());
    let expected = [FaultKind::Disconnected, FaultKind::Disconnected, FaultKind::Dead, FaultKind::Dead];
    assert_eq!(kinds.each_ref().map(|fault| fault.kind), expected);
    assert!(kinds[2].message.contains("broken") && kinds[2].message.contains("3 processes in a row"));
    assert!(
        kinds.iter().all(|fault| fault.attempts.iter().all(promptgate_core::model::Attempt::is_contested))
    );
    assert_eq!(pool.log.summary().processes, 3);
}

#[tokio::test]
async fn deaths_after_an_answer_do_not_end_the_run() {
    let script = r#"
import json, sys
for line in sys.stdin:
    if "crash" in line: sys.exit(1)
    print(json.dumps({"output": "ok"}), flush=True)
"#;
    let pool = Pool::python(script);
    assert!(pool.ask("a").await.is_ok());
    for _ in 0..5 {
        assert_eq!(pool.ask("crash").await.unwrap_err().kind, FaultKind::Disconnected);
    }
    assert!(pool.ask("b").await.is_ok());
}

#[tokio::test]
async fn missing_program_ends_the_run_at_once() {
    let pool = Pool::new(&["promptgate-no-such-program"], |_| {});
    let fault = pool.ask("a").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Dead);
    assert!(fault.message.contains("could not start `promptgate-no-such-program`"), "{}", fault.message);
    assert!(fault.help.is_some_and(|help| help.contains("PATH")));
    let pool = Pool::new(&["true"], |options| options.folder = "/no/such/folder".into());
    let fault = pool.ask("a").await.unwrap_err();
    assert!(fault.help.is_some_and(|help| help.contains("working directory")), "{}", fault.message);
    let pool = Pool::new(&[], |_| {});
    assert_eq!(pool.ask("a").await.unwrap_err().kind, FaultKind::Dead);
}

#[tokio::test]
async fn silence_is_a_timeout_and_ends_the_process() {
    let script = "echo $$ >> pids; trap '' TERM; while read line; do sleep 1000 & wait; done";
    let pool = Pool::new(&["/bin/sh", "-c", script], |options| options.timeout = Duration::from_millis(300));
    let fault = fault(&pool).await;
    assert_eq!(fault.kind, FaultKind::Timeout);
    assert!(fault.message.contains("no answer within 0.3 s"), "{}", fault.message);
    assert!(pool.pids().into_iter().all(|id| !runs(id)) && pool.pids().len() == 1);
}

#[tokio::test]
async fn reply_after_the_timeout_is_never_an_answer() {
    // The process answers without reading a request that is larger than the pipe.
    let pool = Pool::new(&["/bin/sh", "-c", "echo '{\"output\": \"early\"}'; sleep 1000"], |options| {
        options.timeout = Duration::from_millis(300);
    });
    let fault = pool.workers.call(&json!({"id": "a", "query": "x".repeat(1 << 20)})).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Timeout);
}

#[tokio::test]
async fn prose_is_a_fault_that_quotes_it() {
    for (script, expected) in [
        ("read line; echo 'Loading sk-canary-0123456789'; cat", "not valid JSON"),
        ("read line; printf '::error::x\\033[31m\\n'; cat", "::error::x [31m"),
        ("read line; echo '[1]'; cat", "not an object"),
        ("read line; printf '{\"output\": \"\\377\"}\\n'; cat", "not valid UTF-8"),
        ("read line; echo '{\"output\": NaN}'; cat", "not valid JSON"),
        ("read line; echo '{\"output\": \"a\", \"output\": \"b\"}'; cat", "not valid JSON"),
        ("read line; echo '{\"concurrency\": 0}'; cat", "from 1 to 256"),
        ("read line; printf '{\"output\": \"half'", "not valid JSON"),
    ] {
        let fault = fault(&Pool::shell(script)).await;
        assert_eq!(fault.kind, FaultKind::InvalidAnswer, "{script}");
        assert!(fault.message.contains(expected), "{script}: {}", fault.message);
    }
}

#[tokio::test]
async fn reply_to_another_request_is_a_fault() {
    for reply in [r#"{"id": "b", "output": "x"}"#, r#"{"id": "a", "repeat": 1, "output": "x"}"#] {
        let fault = fault(&Pool::shell(&format!("read line; echo '{reply}'; cat"))).await;
        assert_eq!(fault.kind, FaultKind::InvalidAnswer);
        assert!(fault.message.contains("another request"), "{}", fault.message);
    }
}

#[tokio::test]
async fn second_line_is_a_fault() {
    for script in [
        r#"read line; printf '{"output": "x"}\n{"output": "x"}\n'; cat"#,
        r#"read line; echo '{"output": "x"}'; echo '{"output": "x"}'; cat"#,
        r#"read line; echo '{"output": "x"}'; echo done; cat"#,
        r#"read line; printf '{"id": "a", "output": "x"}\n{"id": "a", "output": "x"}\n'; cat"#,
        r#"read line; printf '{"output": "x"}\ndone'; cat"#,
    ] {
        let fault = fault(&Pool::shell(script)).await;
        assert_eq!(fault.kind, FaultKind::InvalidAnswer, "{script}");
        assert!(fault.message.contains("a second line after its reply"), "{}", fault.message);
    }
}

/// Asks a process whose second line comes after the first was taken for the answer.
async fn asked_too_early() -> Pool {
    let script = r#"
read line; echo '{"output": "x"}'
while [ ! -e go ]; do sleep 0.01; done
echo '{"output": "x"}'; : > went; cat"#;
    let pool = Pool::shell(script);
    assert!(pool.ask("a").await.is_ok());
    std::fs::write(pool.folder.path().join("go"), "").unwrap();
    pool
}

#[tokio::test]
async fn late_second_line_ends_the_run() {
    let pool = asked_too_early().await;
    while pool.log.summary().faults == 0 {
        tokio::task::yield_now().await;
    }
    let fault = pool.ask("b").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Dead);
    assert!(fault.message.contains("those of other cases"), "{}", fault.message);
    assert!(pool.workers.shutdown().await.is_err());
}

#[tokio::test]
async fn second_line_at_the_end_is_reported() {
    let pool = asked_too_early().await;
    while !pool.folder.path().join("went").exists() {
        std::thread::yield_now();
    }
    let fault = pool.workers.shutdown().await.unwrap_err();
    assert!(fault.message.contains("those of other cases"), "{}", fault.message);
}

#[tokio::test]
async fn line_above_the_limit_is_a_fault() {
    let script = "read line; yes x | tr -d '\\n'";
    let fault =
        fault(&Pool::new(&["/bin/sh", "-c", script], |options| options.max_line_bytes = 1 << 16)).await;
    assert_eq!(fault.kind, FaultKind::TooLarge);
    assert!(
        fault.message.contains("more than 65536 bytes") && fault.message.len() < 1000,
        "{}",
        fault.message
    );
}

#[tokio::test]
async fn closed_pipes_are_faults() {
    let fault_of = async |script| fault(&Pool::shell(script)).await.message;
    assert!(fault_of("exec >&-; read line; sleep 1000").await.contains("closed its standard output"));
    let closed = "exec <&-; sleep 1000";
    let pool = Pool::new(&["/bin/sh", "-c", closed], |options| options.timeout = Duration::from_secs(20));
    // The process closes its input before or after the request is in the pipe.
    let fault = pool.workers.call(&json!({"id": "a", "query": "x".repeat(1 << 20)})).await.unwrap_err();
    assert!(fault.message.contains("closed its standard input"), "{}", fault.message);
}

#[tokio::test]
async fn flood_of_standard_error_does_not_block() {
    let script = r#"
import json, sys
for line in sys.stdin:
    sys.stderr.write(("x" * 99 + "\n") * 40000)
    sys.stderr.write("last words\n"); sys.stderr.flush()
    print(json.dumps({"output": "ok"}), flush=True)
"#;
    let pool = Pool::python(script);
    assert!(pool.ask("a").await.is_ok() && pool.ask("b").await.is_ok());
    pool.workers.shutdown().await.unwrap();
    assert!(pool.log.text().len() < 70_000 && pool.log.tail().ends_with("last words"), "{}", pool.log.tail());
}

#[tokio::test]
async fn other_requests_of_a_hanging_process_are_faults() {
    let script = r#"
import json, sys
print(json.dumps({"concurrency": 2}), flush=True)
sys.stdin.read()
"#;
    let pool = Pool::new(&["python3", "-c", script], |options| options.timeout = Duration::from_millis(1500));
    let (first, second) = futures::join!(pool.ask("a"), pool.ask("b"));
    let mut kinds = [first.unwrap_err().kind, second.unwrap_err().kind];
    kinds.sort_by_key(|kind| *kind == FaultKind::Disconnected);
    assert!(kinds[0] == FaultKind::Timeout, "{kinds:?}");
}
