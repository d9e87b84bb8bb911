//! `run --otlp`: a receiver gets the trace, and no failure of it changes the verdict. `ci --otlp` and that of rollouts are
//! tested with those commands.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;

use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use crate::support::{Folder, Outcome};

/// A secret in a header.
pub(crate) const AUTHORIZATION: &str = "Basic cGstY2FuYXJ5OnNrLWNhbmFyeQ==";

/// A receiver of one request.
pub(crate) struct Receiver {
    address: SocketAddr,
    serving: JoinHandle<(String, Vec<u8>)>,
}

impl Receiver {
    pub(crate) fn start(status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let serving = std::thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a connection");
            let mut reader = BufReader::new(&stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                assert!(reader.read_line(&mut head).expect("a line") > 0, "a request");
            }
            let length = head.to_lowercase().lines().find_map(|line| {
                line.strip_prefix("content-length: ").and_then(|length| length.parse::<usize>().ok())
            });
            let mut body = vec![0; length.expect("a length")];
            reader.read_exact(&mut body).expect("a body");
            let response = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            (&stream).write_all(response.as_bytes()).expect("a response");
            (head, body)
        });
        Self { address, serving }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// An address at which nobody listens any more.
    pub(crate) fn closed() -> String {
        let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
        format!("http://{closed}")
    }

    /// Head and spans of the request.
    pub(crate) fn received(self) -> (String, Vec<Span>) {
        let (head, body) = self.serving.join().expect("a request");
        let mut bytes = Vec::new();
        GzDecoder::new(body.as_slice()).read_to_end(&mut bytes).expect("gzip");
        let request = ExportTraceServiceRequest::decode(bytes.as_slice()).expect("a request of OTLP");
        let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        (head, scopes.flat_map(|scope| scope.spans).collect())
    }
}

/// The attributes of a span or an event, as text.
pub(crate) fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: Value| match value {
        Value::StringValue(text) => text,
        Value::IntValue(number) => number.to_string(),
        Value::DoubleValue(number) => number.to_string(),
        other => panic!("{other:?}"),
    };
    let pair = |attribute: &KeyValue| {
        let value = attribute.value.clone().and_then(|value| value.value).expect("a value");
        (attribute.key.clone(), text(value))
    };
    attributes.iter().map(pair).collect()
}

fn run(folder: &Folder, arguments: &[&str]) -> Outcome {
    let mut command = folder
        .command(&[&["run", "--offline", "--repeats", "2", "--inconclusive", "pass"], arguments].concat());
    command.env("OTLP_AUTHORIZATION", AUTHORIZATION);
    let output = command.output().expect("promptgate runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Outcome {
        code: output.status.code().expect("a code"),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

#[test]
fn run_sends_one_trace_without_texts() {
    let folder = Folder::small(3);
    let receiver = Receiver::start("200 OK");
    let url = receiver.url();
    let headers = ["x-mlflow-experiment-id=3", "authorization=env:OTLP_AUTHORIZATION"];
    let arguments = ["--otlp", &url, "--otlp-header", headers[0], "--otlp-header", headers[1]];
    let outcome = run(&folder, &arguments).expect_code(0);
    assert!(!outcome.text().contains("cGstY2FuYXJ5"), "{}", outcome.text());
    let (head, spans) = receiver.received();
    let head = head.to_lowercase();
    assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
    assert!(head.contains("x-mlflow-experiment-id: 3\r\n"), "{head}");
    assert!(head.contains(&format!("authorization: {}\r\n", AUTHORIZATION.to_lowercase())), "{head}");
    // The run, three cases, and two trials of each case by each variant.
    assert_eq!(spans.len(), 1 + 3 + 3 * 2 * 2);
    outcome.says(&format!("sent 16 spans to {url}/v1/traces, trace "));
    assert_eq!(spans.iter().filter(|span| span.trace_id == spans[0].trace_id).count(), 16);
    let trials: Vec<&Span> = spans.iter().filter(|span| span.name == "chat tiny").collect();
    assert_eq!(trials.len(), 12);
    for trial in trials {
        let keys: Vec<&str> = trial.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
        for key in ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.prompt.version"] {
            assert!(keys.contains(&key), "{keys:?}");
        }
        // The check and both metrics.
        assert_eq!(trial.events.len(), 3);
        assert!(trial.events.iter().all(|event| event.name == "gen_ai.evaluation.result"));
    }
    let all = format!("{spans:?}");
    assert!(!all.contains("refund"), "texts are in the trace");
}

#[test]
fn content_is_sent_if_asked_for() {
    let folder = Folder::small(1);
    let receiver = Receiver::start("200 OK");
    let arguments = ["--otlp", &receiver.url(), "--otlp-content", "--quiet", "--format", "json"];
    let outcome = run(&folder, &arguments).expect_code(0);
    assert!(!outcome.stderr.contains("sent"), "{}", outcome.stderr);
    let (_, spans) = receiver.received();
    let all = format!("{spans:?}");
    assert!(all.contains("How many days does plan 1 give for a refund?"), "{all}");
    assert!(all.contains("gen_ai.output.messages") && all.contains("gen_ai.evaluation.explanation"), "{all}");
}

#[test]
fn failed_export_is_a_warning_and_the_report_stays() {
    let folder = Folder::small(1);
    let receiver = Receiver::start("422 Unprocessable Entity");
    let url = receiver.url();
    run(&folder, &["--otlp", &url])
        .expect_code(0)
        .says(&format!("warning: the telemetry was not sent to {url}/v1/traces: "))
        .says("422");
    receiver.received();
    assert_eq!(folder.report()["exit_code"], 0);

    // Nobody listens there any more; the verdict of a bad candidate stays that as well.
    let golden = Folder::golden();
    let url = Receiver::closed();
    let arguments = ["--otlp", &url, "--candidate", "file:prompts/quiet-regression.md", "--repeats", "3"];
    let mut command = golden.command(&[&["run", "--offline"], &arguments[..]].concat());
    let output = command.output().expect("promptgate runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(10), "{stderr}");
    assert!(
        stderr.contains(&format!("warning: the telemetry was not sent to {url}/v1/traces: ")),
        "{stderr}"
    );
    assert_eq!(golden.report()["exit_code"], 10);
}

#[test]
fn invalid_options_are_usage_errors_before_the_run() {
    let folder = Folder::small(1);
    let url = "http://127.0.0.1:9";
    for (arguments, expected) in [
        (&["--otlp", "localhost:4318"][..], "unsupported URL scheme, expected http or https --> flag --otlp"),
        (&["--otlp", "http://127.0.0.1:9/v1/traces"], "the URL ends with /v1/traces, which is added to it"),
        (&["--otlp", url, "--otlp-header", "a=env:NOT_SET"], "the environment variable NOT_SET is not set"),
        (&["--otlp", url, "--otlp-header", "authorization=hush-0123"], "may be a secret"),
        (&["--otlp", url, "--shard", "1/2"], "a shard has no telemetry"),
        (&["--otlp-content"], "--otlp <URL>"),
        (&["--otlp-header", "a=b"], "--otlp <URL>"),
    ] {
        let outcome = run(&folder, arguments).expect_code(2).says(expected);
        assert!(!outcome.text().contains("hush"), "{}", outcome.text());
    }
    assert!(!folder.path().join("promptgate-report").exists());
}
