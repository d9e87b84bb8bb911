//! Requests and replies of processes that keep to the protocol.

use super::*;
use futures::future::join_all;

#[tokio::test]
async fn process_answers_many_requests() {
    let pool = Pool::python(ECHO);
    for id in ["a", "b", "c"] {
        assert_eq!(pool.ask(id).await, Ok(json!({"output": format!("QUERY {}", id.to_uppercase())})));
    }
    assert_eq!(pool.workers.shutdown().await, Ok(()));
    let summary = pool.log.summary();
    assert_eq!((summary.processes, summary.replies, summary.faults), (1, 3, 0));
    assert!(!cfg!(target_os = "linux") || summary.peak_memory.is_some_and(|bytes| bytes > 1 << 20));
    assert_eq!(pool.ask("d").await.unwrap_err().kind, promptgate_core::model::FaultKind::Interrupted);
}

#[tokio::test]
async fn processes_start_when_they_are_needed() {
    // Each process answers when two have started, which they see in the folder.
    let script = r#"
import json, os, sys, time
for line in sys.stdin:
    open("started-%d" % os.getpid(), "w").close()
    while sum(name.startswith("started-") for name in os.listdir(".")) < 2: time.sleep(0.005)
    print(json.dumps({"output": str(os.getpid())}), flush=True)
"#;
    let pool = Pool::new(&["python3", "-c", script], |options| options.workers = 2);
    let asked = (0..8).map(|number| number.to_string()).collect::<Vec<_>>();
    let answers = join_all(asked.iter().map(|id| pool.ask(id))).await;
    let processes: std::collections::BTreeSet<String> =
        answers.into_iter().map(|answer| answer.unwrap()["output"].to_string()).collect();
    assert_eq!(processes.len(), 2);
    assert_eq!(pool.log.summary().processes, 2);
}

#[tokio::test]
async fn announced_concurrency_is_used() {
    // Replies in the reverse order, when all four requests have arrived.
    let script = r#"
import json, sys
print(json.dumps({"concurrency": 4}), flush=True)
cases = [json.loads(sys.stdin.readline()) for _ in range(4)]
for case in reversed(cases):
    print(json.dumps({"id": case["id"], "repeat": case["repeat"], "output": case["query"]}), flush=True)
sys.stdin.read()
"#;
    let pool = Pool::python(script);
    let ids = ["a", "b", "c", "d"];
    let answers = join_all(ids.map(|id| pool.ask(id))).await;
    for (id, answer) in ids.into_iter().zip(answers) {
        assert_eq!(answer.unwrap()["output"], json!(format!("query {id}")));
    }
}

#[tokio::test]
async fn process_that_ends_after_its_answer_is_replaced() {
    let pool = Pool::shell(r#"read line; echo '{"output": "once"}'"#);
    for id in ["a", "b", "c", "d", "e"] {
        assert_eq!(pool.ask(id).await, Ok(json!({"output": "once"})));
    }
}

#[tokio::test]
async fn environment_and_folder_are_those_of_the_options() {
    let script = r#"read line; printf '{"output": "%s %s %s %s"}\n' "$ONE" "$CARGO_MANIFEST_DIR" "${PROMPTGATE_WORKER:+marked}" "$(pwd -P)"; read line"#;
    let pool = Pool::new(&["/bin/sh", "-c", script], |options| options.env.push(("ONE".into(), "1".into())));
    let folder = pool.folder.path().canonicalize().unwrap();
    assert_eq!(pool.ask("a").await.unwrap()["output"], json!(format!("1  marked {}", folder.display())));
}

#[tokio::test]
async fn large_requests_and_replies_do_not_block() {
    let pool = Pool::new(&["python3", "-c", ECHO], |options| options.max_line_bytes = 8 << 20);
    let query = "x".repeat(4 << 20);
    let reply = pool.workers.call(&json!({"id": "a", "query": query})).await.unwrap();
    assert_eq!(reply["output"].as_str().map(str::len), Some(4 << 20));
}
