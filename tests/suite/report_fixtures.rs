//! The reports in `tests/fixtures/reports`, which the tests of the report crate read: each is that of a real run.
//!
//! Run with `PROMPTGATE_UPDATE_FIXTURES=1` to write those that differ.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::servers::Server;
use crate::support::{Folder, MockServer, repository};

/// A report's name, and the runs that end with it.
type Fixture = (&'static str, fn(&Folder));

const FIXTURES: [Fixture; 10] = [
    ("pass", pass),
    ("fail", fail),
    ("inconclusive", inconclusive),
    ("incomplete", incomplete),
    ("interrupted", interrupted),
    ("no_baseline", no_baseline),
    ("without_key", without_key),
    ("reused_baseline", reused_baseline),
    ("panel", panel),
    ("unfit_judge", unfit_judge),
];

#[test]
fn report_fixtures_match_real_runs() {
    let update = std::env::var_os("PROMPTGATE_UPDATE_FIXTURES").is_some();
    let results: Vec<(&str, Result<(), String>)> = std::thread::scope(|scope| {
        let runs = FIXTURES.map(|(name, run)| (name, scope.spawn(move || check(name, run, update))));
        runs.into_iter().map(|(name, run)| (name, run.join().expect("a run"))).collect()
    });
    for (name, result) in results {
        assert_eq!(result, Ok(()), "{name}.json is stale: run this test with PROMPTGATE_UPDATE_FIXTURES=1");
    }
}

/// Compares the committed report with that of the run; the first difference is the error.
fn check(name: &str, run: fn(&Folder), update: bool) -> Result<(), String> {
    let folder = suite();
    run(&folder);
    let written = folder.report();
    let path = repository().join(format!("tests/fixtures/reports/{name}.json"));
    let committed = std::fs::read_to_string(&path).unwrap_or_else(|_| "{}".to_owned());
    let committed: Value = serde_json::from_str(&committed).expect("JSON");
    let difference = difference("", &normalized(committed), &normalized(written.clone()));
    match difference {
        Some(_) if update => {
            // A fixed port, so that snapshots do not change with it.
            let text = local_ports().replace_all(&by_line(&written), "127.0.0.1:8080").into_owned();
            std::fs::write(&path, text).expect("a fixture");
            Ok(())
        }
        Some(difference) => Err(difference),
        None => Ok(()),
    }
}

fn suite() -> Folder {
    let folder = Folder::new();
    for entry in std::fs::read_dir(repository().join("tests/fixtures/reports/suite")).expect("the suite") {
        let entry = entry.expect("a file");
        let text = std::fs::read_to_string(entry.path()).expect("a file of text");
        folder.write(entry.file_name().to_str().expect("a name"), &text);
    }
    folder
}

/// A mock server, and a run against it with one call at a time, so that its noise falls on the same trials every time.
fn run(folder: &Folder, server: &str, arguments: &[&str], code: i32) {
    let arguments = [&["run", "--quiet", "--concurrency", "1"], arguments].concat();
    folder.against(server, &arguments).expect_code(code);
}

fn without_calibration(folder: &Folder) {
    folder.edit("promptgate.yaml", ", calibration: calibration.json", "");
}

/// Every criterion is met without any noise at temperature 0; the judge is calibrated, and the baseline comes from the
/// cache.
fn pass(folder: &Folder) {
    let server = MockServer::start(&["--noise", "0", "--latency", "5ms"]);
    calibrate(folder, &server.base_url);
    run(folder, &server.base_url, &["--candidate", "file:friendly.md"], 10);
    run(folder, &server.base_url, &[], 0);
}

/// Worked examples leak into two answers: a check fails, a case breaks, another one gets worse, and one gets better.
fn fail(folder: &Folder) {
    let server = MockServer::start(&["--noise", "0.05", "--seed", "5", "--latency", "5ms"]);
    calibrate(folder, &server.base_url);
    folder.git(&["init", "--quiet"]);
    folder.git(&["add", "."]);
    folder.git(&["commit", "--quiet", "--message", "Add the suite"]);
    let arguments = ["--candidate", "file:friendly.md", "--baseline", "git:main:baseline.md"];
    run(folder, &server.base_url, &arguments, 10);
}

fn calibrate(folder: &Folder, server: &str) {
    let arguments = ["calibrate", "labels.jsonl", "--quiet", "--concurrency", "1"];
    folder.against(server, &arguments).expect_code(0);
}

/// Too much noise to decide at either of two looks.
fn inconclusive(folder: &Folder) {
    without_calibration(folder);
    folder.edit("promptgate.yaml", "repeats: 3", "repeats: 2, max_repeats: 4");
    let server = MockServer::start(&["--noise", "0.05", "--seed", "3", "--latency", "5ms"]);
    run(folder, &server.base_url, &[], 11);
}

/// The quota is spent before two cases are answered; of a third case no relevance can be judged, of a fourth one no
/// faithfulness.
fn incomplete(folder: &Folder) {
    without_calibration(folder);
    folder.edit(
        "promptgate.yaml",
        "{model: gpt-4o}",
        "{model: gpt-4o, self_test: false}\nendpoint: {attempts: 1}",
    );
    let relay = Relay::start();
    let server = Server::start(move |request, _| {
        let (text, is_judge) = (request["messages"].to_string(), request["model"] == "gpt-4o");
        if !is_judge && (text.contains("voucher code valid and") || text.contains("Who pays")) {
            relay.hold(66);
            let message = "You exceeded your current quota, please check your plan and billing details.";
            return (429, json!({"error": {"message": message, "code": "insufficient_quota"}}));
        }
        if is_judge && text.contains("does a refund take") && text.contains("stays on topic") {
            return relay
                .pass_on(request, |reply| reply["choices"][0]["message"]["content"] = json!("Looks fine."));
        }
        if is_judge && text.contains("Do you ship") && !text.contains("stays on topic") {
            return relay.reply(500, json!({"error": {"message": "The server had an error."}}));
        }
        relay.pass_on(request, |_| {})
    });
    let arguments = ["run", "--quiet", "--concurrency", "32"];
    folder.against(&server.base_url, &arguments).expect_code(12);
}

/// Ctrl-C while two cases wait for a response.
fn interrupted(folder: &Folder) {
    without_calibration(folder);
    let relay = Relay::start();
    let (reached, wait) = channel();
    let server = Server::start(move |request, _| {
        let text = request["messages"].to_string();
        if request["model"] != "gpt-4o"
            && (text.contains("voucher code valid and") || text.contains("Who pays"))
        {
            relay.hold(61);
            let _ = reached.send(());
            loop {
                std::thread::park();
            }
        }
        relay.pass_on(request, |_| {})
    });
    let mut command = folder.command(&["run", "--quiet", "--concurrency", "32"]);
    command.env("OPENAI_BASE_URL", &server.base_url).stderr(Stdio::null()).stdout(Stdio::null());
    let mut child = command.spawn().expect("the executable starts");
    wait.recv_timeout(Duration::from_secs(60)).expect("a call that waits");
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("kill").success());
    assert_eq!(child.wait().expect("its end").code(), Some(130));
}

/// Calls that [`incomplete`] and [`interrupted`] hold: two cases with three answers of each variant.
const HELD_CALLS: usize = 12;

/// A mock server behind a relay that holds some calls until all others have a reply.
struct Relay {
    mock: MockServer,
    counts: Mutex<Counts>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Counts {
    held: usize,
    replies: usize,
}

impl Relay {
    fn start() -> Self {
        let mock = MockServer::start(&["--latency", "5ms"]);
        Self { mock, counts: Mutex::default(), changed: Condvar::new() }
    }

    fn pass_on(&self, request: &Value, change: impl Fn(&mut Value)) -> (u16, Value) {
        let mut reply = relay(&self.mock.base_url, request);
        change(&mut reply);
        self.reply(200, reply)
    }

    fn reply(&self, status: u16, body: Value) -> (u16, Value) {
        self.count(|counts| counts.replies += 1);
        (status, body)
    }

    fn count(&self, change: impl Fn(&mut Counts)) {
        change(&mut self.counts.lock().expect("counts"));
        self.changed.notify_all();
    }

    /// Blocks until all calls that are to be held have arrived, and `replies` replies were given to all others. A reply
    /// on its way is in flight, and a run that ends waits for those.
    fn hold(&self, replies: usize) {
        self.count(|counts| counts.held += 1);
        let too_few = |counts: &mut Counts| counts.held < HELD_CALLS || counts.replies < replies;
        let counts = self.counts.lock().expect("counts");
        let deadline = Duration::from_secs(60);
        let (counts, waited) = self.changed.wait_timeout_while(counts, deadline, too_few).expect("counts");
        assert!(!waited.timed_out(), "expected {HELD_CALLS} calls to hold and {replies} replies: {counts:?}");
    }
}

/// Passes a request on to the mock server.
fn relay(base_url: &str, request: &Value) -> Value {
    let host = base_url.strip_prefix("http://").and_then(|rest| rest.strip_suffix("/v1")).expect("a host");
    let body = request.to_string();
    let mut stream = TcpStream::connect(host).expect("the mock server");
    write!(
        stream,
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .expect("a request");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("a response");
    let (_, body) = response.split_once("\r\n\r\n").expect("a body");
    serde_json::from_str(body).expect("JSON")
}

/// A new prompt on the simulated model, without prices.
fn no_baseline(folder: &Folder) {
    without_calibration(folder);
    let configuration = folder.read("promptgate.yaml");
    let (head, rest) = configuration.split_once("prices:").expect("prices");
    let (_, gate) = rest.split_once("gate:").expect("a gate");
    folder.write("promptgate.yaml", &format!("{head}gate:{gate}"));
    folder.edit("promptgate.yaml", ", output_tokens_mean: {max_increase: 20%}", "");
    folder.edit("promptgate.yaml", ", max_broken_cases: 3", "");
    folder.promptgate(&["run", "--quiet", "--offline", "--baseline", "none"]).expect_code(0);
}

/// No key for an endpoint that needs one.
fn without_key(folder: &Folder) {
    without_calibration(folder);
    folder.promptgate(&["run", "--quiet"]).expect_code(12);
}

/// The candidate of a saved report is the baseline.
fn reused_baseline(folder: &Folder) {
    without_calibration(folder);
    let server = MockServer::start(&["--latency", "5ms"]);
    let earlier = ["--candidate", "file:baseline.md", "--baseline", "none", "--out", "earlier"];
    folder.edit(
        "promptgate.yaml",
        "limits: {latency_p95: 4s, output_tokens_mean: {max_increase: 20%}}\n",
        "",
    );
    run(folder, &server.base_url, &earlier, 0);
    run(folder, &server.base_url, &["--baseline", "report:earlier/report.json"], 0);
}

/// Two judges with two votes each, over two cases.
fn panel(folder: &Folder) {
    without_calibration(folder);
    let server = MockServer::start(&["--noise", "0.1", "--seed", "2", "--latency", "5ms"]);
    folder.edit(
        "promptgate.yaml",
        "{model: gpt-4o}",
        "{model: gpt-4o, votes: 2, panel: [{model: other-judge}], self_test: false}",
    );
    run(folder, &server.base_url, &["--filter", "refund-00[12]", "--repeats", "1", "--advisory"], 0);
}

/// A judge that fails its self-test.
fn unfit_judge(folder: &Folder) {
    without_calibration(folder);
    let server = MockServer::start(&["--noise", "0.6", "--seed", "1", "--latency", "5ms"]);
    run(folder, &server.base_url, &[], 12);
}

/// The report without what differs from run to run: times, latencies, ports, and the digests they go into.
fn normalized(mut report: Value) -> Value {
    let times = regex::Regex::new(r"\d{4}-\d\d-\d\d(T[0-9:.]+Z)?").expect("a pattern");
    let ports = local_ports();
    for pointer in ["/metrics", "/criteria"] {
        for entry in report.pointer_mut(pointer).and_then(Value::as_array_mut).into_iter().flatten() {
            forget_latency(entry);
        }
    }
    for look in report.pointer_mut("/looks").and_then(Value::as_array_mut).into_iter().flatten() {
        for entry in look["criteria"].as_array_mut().into_iter().flatten() {
            forget_latency(entry);
        }
    }
    visit(&mut report, &|key, value| {
        if matches!(
            key,
            "latency_ms" | "duration_ms" | "ms" | "tool_version" | "fingerprint" | "by_metric" | "commit"
        ) {
            *value = Value::Null;
        }
        // Of two trials with the same answer, either may be judged first and the other one take its judgement.
        if let Value::Object(fields) = value
            && fields.contains_key("calls")
        {
            fields.shift_remove("cached");
            // Equal judgements share one call, whichever is first.
            fields.shift_remove("call");
        }
        if let Value::String(text) = value {
            if text.starts_with("Latency (") {
                *text = "LATENCY".to_owned();
            }
            *text = ports.replace_all(&times.replace_all(text, "TIME"), "HOST").into_owned();
        }
    });
    report
}

fn local_ports() -> regex::Regex {
    regex::Regex::new(r"127\.0\.0\.1:\d+").expect("a pattern")
}

/// Takes the numbers out of a metric or criterion on latency.
fn forget_latency(entry: &mut Value) {
    let of_latency = |name: &Value| name.as_str().is_some_and(|name| name.contains("latency"));
    if of_latency(&entry["name"]) || of_latency(&entry["id"]) {
        *entry = json!({"name": entry["name"], "id": entry["id"], "verdict": entry["verdict"]});
    }
}

fn visit(value: &mut Value, change: &impl Fn(&str, &mut Value)) {
    match value {
        Value::Object(fields) => fields.iter_mut().for_each(|(key, value)| {
            change(key, value);
            visit(value, change);
        }),
        Value::Array(entries) => entries.iter_mut().for_each(|value| {
            change("", value);
            visit(value, change);
        }),
        _ => {}
    }
}

/// Where two values differ first.
fn difference(place: &str, committed: &Value, written: &Value) -> Option<String> {
    let keys = |value: &Value| -> Vec<String> {
        match value {
            Value::Object(fields) => fields.keys().cloned().collect(),
            Value::Array(entries) => (0..entries.len()).map(|index| index.to_string()).collect(),
            _ => Vec::new(),
        }
    };
    let close = |one: f64, other: f64| (one - other).abs() <= 1e-9 * one.abs();
    if committed == written
        || committed.as_f64().zip(written.as_f64()).is_some_and(|(one, other)| close(one, other))
    {
        return None;
    }
    let names = keys(committed);
    if names.is_empty() || names != keys(written) {
        return Some(format!("{place}: {committed:.300} became {written:.300}"));
    }
    names.iter().find_map(|name| {
        let pointer = format!("/{name}");
        let (one, other) = (committed.pointer(&pointer)?, written.pointer(&pointer)?);
        difference(&format!("{place}{pointer}"), one, other)
    })
}

/// JSON with one line for each field of the report and for each entry of a list in it.
fn by_line(report: &Value) -> String {
    let mut text = String::new();
    for (key, value) in report.as_object().expect("an object") {
        let start = if text.is_empty() { "{" } else { "," };
        let _ = match value {
            Value::Array(entries) if !entries.is_empty() => {
                let lines: Vec<String> = entries.iter().map(Value::to_string).collect();
                writeln!(text, "{start}{key:?}:[\n{}\n]", lines.join(",\n"))
            }
            value => writeln!(text, "{start}{key:?}:{value}"),
        };
    }
    text + "}\n"
}
