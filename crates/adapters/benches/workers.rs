//! Cases a second through worker processes in Python: `cargo bench -p promptgate-adapters --bench workers [CASES]`.
//!
//! Each application answers at once. Beside them a bare exchange with the same application: four processes whose input is
//! written and whose output is read as a whole, so that Python alone is the limit. The last rows are one scorer by
//! command, asked one case after the other.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _};
use promptgate_adapters::scorer::CommandScorer;
use promptgate_adapters::worker::{DEFAULT_MAX_LINE_BYTES, WorkerLog, WorkerOptions, Workers};
use promptgate_core::text::Redactor;
use serde_json::{Map, Value, json};

const CASES: usize = 40_000;
const WORKERS: usize = 4;

const APPLICATION: &str = r#"
import json, sys
if len(sys.argv) > 1: print(json.dumps({"concurrency": int(sys.argv[1])}), flush=True)
for line in sys.stdin:
    case = json.loads(line)
    print(json.dumps({"id": case["id"], "repeat": case["repeat"], "output": case["query"]}), flush=True)
"#;
const SCORER: &str = r#"
import json, sys
for line in sys.stdin:
    case = json.loads(line)
    print(json.dumps({"id": case["id"], "score": 1.0 if case["expected"] in case["output"] else 0.0}), flush=True)
"#;

fn case(number: usize) -> Value {
    json!({"id": format!("case-{number}"), "repeat": 0, "seed": number, "query": "How do I return a pair of shoes?",
        "context": "Returns are free for 30 days. Shoes must not be worn outside.", "vars": {"tier": "gold"}})
}

fn options(script: &str, arguments: &[&str], workers: usize) -> WorkerOptions {
    let mut command = vec!["python3".to_owned(), "-c".to_owned(), script.to_owned()];
    command.extend(arguments.iter().map(|&argument| argument.to_owned()));
    let variable = |name: &str| Some((name.to_owned(), std::env::var(name).ok()?));
    WorkerOptions {
        command,
        folder: std::env::temp_dir(),
        env: ["PATH", "HOME"].into_iter().filter_map(variable).collect(),
        workers,
        timeout: Duration::from_secs(60),
        max_line_bytes: DEFAULT_MAX_LINE_BYTES,
        label: "bench".to_owned(),
    }
}

/// Writes all cases to four processes and reads all replies.
fn bare(cases: &[Value]) -> Duration {
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for part in cases.chunks(cases.len().div_ceil(WORKERS)) {
            scope.spawn(move || {
                let mut child = Command::new("python3")
                    .args(["-c", APPLICATION])
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .spawn()
                    .expect("python3");
                let mut input = child.stdin.take().expect("a pipe");
                let mut output = child.stdout.take().expect("a pipe");
                let writer = std::thread::spawn({
                    let text: String = part.iter().map(|case| format!("{case}\n")).collect();
                    move || input.write_all(text.as_bytes()).expect("written")
                });
                let mut text = String::new();
                output.read_to_string(&mut text).expect("read");
                assert_eq!(text.lines().count(), part.len());
                writer.join().expect("written");
                child.wait().expect("ended");
            });
        }
    });
    begin.elapsed()
}

async fn pool(cases: &[Value], arguments: &[&str], in_flight: usize) -> Duration {
    let log = Arc::new(WorkerLog::new(Arc::default()));
    let workers = Workers::new(options(APPLICATION, arguments, WORKERS), Arc::default(), Arc::clone(&log));
    let begin = Instant::now();
    stream::iter(cases)
        .for_each_concurrent(in_flight, |case| async {
            let reply = workers.call(case).await.expect("an answer");
            assert_eq!(reply["id"], case["id"]);
        })
        .await;
    let elapsed = begin.elapsed();
    workers.shutdown().await.expect("in step");
    assert_eq!(log.summary().processes as usize, WORKERS);
    elapsed
}

async fn scorer(cases: usize) -> Duration {
    let log = Arc::new(WorkerLog::new(Arc::default()));
    let scorer = CommandScorer::new(options(SCORER, &[], 1), Arc::new(Redactor::default()), log);
    let input = || -> Map<String, Value> {
        [("case", case(1)), ("output", "Within 30 days.".into()), ("expected", "30 days".into())]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    };
    scorer.score(input()).await.expect("a score");
    let begin = Instant::now();
    for _ in 0..cases {
        scorer.score(input()).await.expect("a score");
    }
    let elapsed = begin.elapsed();
    scorer.shutdown().await.expect("in step");
    elapsed
}

/// Asks one process one case after the other, without a pool.
fn bare_scorer(cases: usize) -> Duration {
    let mut child = Command::new("python3")
        .args(["-c", SCORER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3");
    let mut input = child.stdin.take().expect("a pipe");
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut ask = |id: usize| {
        let case = json!({"case": case(1), "output": "Within 30 days.", "expected": "30 days", "id": id});
        input.write_all(format!("{case}\n").as_bytes()).expect("written");
        let mut line = String::new();
        output.read_line(&mut line).expect("read");
        assert!(line.contains("1.0"), "{line}");
    };
    ask(0);
    let begin = Instant::now();
    (0..cases).for_each(&mut ask);
    let elapsed = begin.elapsed();
    drop(input);
    child.wait().expect("ended");
    elapsed
}

#[expect(clippy::print_stdout, reason = "the result of a measurement")]
fn main() {
    let argument = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let count = argument.unwrap_or(CASES).max(WORKERS);
    let cases: Vec<Value> = (0..count).map(case).collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let row = |name: &str, elapsed: Duration, bare: Duration, count: usize| {
        let (seconds, rate) = (elapsed.as_secs_f64(), count as f64 / elapsed.as_secs_f64());
        let micros = seconds * 1e6 / count as f64;
        println!(
            "{name:<34} {rate:>9.0} cases/s  {:>5.2} of bare  {micros:>6.1} µs",
            bare.as_secs_f64() / seconds
        );
    };
    let limit = bare(&cases);
    row("bare pipes, 4 processes", limit, limit, count);
    for (name, arguments, in_flight) in [
        ("4 workers, one in flight each", &[][..], 4),
        ("4 workers, 8 in flight each", &["8"], 32),
        ("4 workers, 32 in flight each", &["32"], 128),
    ] {
        row(name, runtime.block_on(pool(&cases, arguments, in_flight)), limit, count);
    }
    let count = count / 4;
    let limit = bare_scorer(count);
    row("bare scorer, one after the other", limit, limit, count);
    row("scorer, one after the other", runtime.block_on(scorer(count)), limit, count);
}
