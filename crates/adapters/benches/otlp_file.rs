//! Time and memory for a million lines of OTLP: `cargo bench -p promptgate-adapters --bench otlp_file [LINES]`.
//!
//! Half of the lines are spans, half the log records of their scores, as the official Python exporter writes them, in
//! files of spans that follow files of scores: every score waits for its span. Beside it, a bare pass of `serde_json`
//! over the same lines, which checks them and keeps nothing, and one into trees of values.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use promptgate_adapters::metrics::OtlpFile;
use promptgate_release::ports::{MetricQuery, MetricSource as _, TaggedVersion, Window};
use serde::de::IgnoredAny;
use serde_json::Value;

const LINES: u64 = 1_000_000;
const LINES_PER_FILE: u64 = 250_000;
/// Requests of a unit.
const REQUESTS: u64 = 4;
/// 2026-11-30T12:00:00Z in milliseconds.
const BEGIN: u64 = 1_796_040_000_000;

const RESOURCE: &str = r#""resource":{"attributes":[{"key":"telemetry.sdk.language","value":{"stringValue":"python"}},{"key":"telemetry.sdk.name","value":{"stringValue":"opentelemetry"}},{"key":"telemetry.sdk.version","value":{"stringValue":"1.45.2"}},{"key":"service.instance.id","value":{"stringValue":"e8be315b-9f93-4589-a184-13af5edbedef"}},{"key":"service.name","value":{"stringValue":"chat"}},{"key":"deployment.environment.name","value":{"stringValue":"production"}}]}"#;

/// Trace and span identifier of a request, spread over all bits.
fn ids(id: u64) -> (u128, u64) {
    let mixed = (id + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (u128::from(mixed) << 64 | u128::from(mixed.rotate_left(17)), mixed.rotate_left(31))
}

fn write_span(out: &mut impl std::io::Write, id: u64) -> std::io::Result<()> {
    let (trace, span) = ids(id);
    let version = if id.is_multiple_of(20) { "2.4.0" } else { "2.3.1" };
    let start = BEGIN + id;
    let end = start + 200 + id % 900;
    writeln!(
        out,
        r#"{{"resourceSpans":[{{{RESOURCE},"scopeSpans":[{{"scope":{{"name":"app"}},"spans":[{{"traceId":"{trace:032x}","spanId":"{span:016x}","flags":256,"name":"chat gpt-x","kind":1,"startTimeUnixNano":"{start}000000","endTimeUnixNano":"{end}000000","attributes":[{{"key":"gen_ai.operation.name","value":{{"stringValue":"chat"}}}},{{"key":"gen_ai.request.model","value":{{"stringValue":"gpt-x"}}}},{{"key":"gen_ai.prompt.name","value":{{"stringValue":"support/reply"}}}},{{"key":"gen_ai.prompt.version","value":{{"stringValue":"{version}"}}}},{{"key":"feature_flag.key","value":{{"stringValue":"support/reply"}}}},{{"key":"feature_flag.result.variant","value":{{"stringValue":"control"}}}},{{"key":"feature_flag.context.id","value":{{"stringValue":"user-{}"}}}},{{"key":"gen_ai.usage.input_tokens","value":{{"intValue":"12"}}}}],"status":{{}}}}]}}]}}]}}"#,
        id / (20 * REQUESTS) * 20 + id % 20,
    )
}

fn write_score(out: &mut impl std::io::Write, id: u64) -> std::io::Result<()> {
    let (trace, span) = ids(id);
    let time = BEGIN + id;
    writeln!(
        out,
        r#"{{"resourceLogs":[{{{RESOURCE},"scopeLogs":[{{"scope":{{"name":"app"}},"logRecords":[{{"timeUnixNano":"{time}000000","observedTimeUnixNano":"{time}000000","severityNumber":9,"body":{{}},"attributes":[{{"key":"gen_ai.evaluation.name","value":{{"stringValue":"helpful"}}}},{{"key":"gen_ai.evaluation.score.value","value":{{"doubleValue":{:.1}}}}},{{"key":"gen_ai.evaluation.score.label","value":{{"stringValue":"pass"}}}}],"flags":3,"traceId":"{trace:032x}","spanId":"{span:016x}","eventName":"gen_ai.evaluation.result"}}]}}]}}]}}"#,
        if id.is_multiple_of(7) { 0.0 } else { 1.0 },
    )
}

fn generate(folder: &Path, lines: u64) -> std::io::Result<(Vec<PathBuf>, u64)> {
    let (mut paths, mut bytes) = (Vec::new(), 0);
    for (kind, start) in [("a_scores", 0), ("b_spans", 0)]
        .into_iter()
        .flat_map(|(kind, _)| (0..lines / 2).step_by(LINES_PER_FILE as usize).map(move |start| (kind, start)))
    {
        let path = folder.join(format!("{kind}_{start:08}.jsonl"));
        let mut out = BufWriter::new(File::create(&path)?);
        for id in start..(start + LINES_PER_FILE).min(lines / 2) {
            if kind == "b_spans" { write_span(&mut out, id)? } else { write_score(&mut out, id)? }
        }
        out.flush()?;
        bytes += path.metadata()?.len();
        paths.push(path);
    }
    Ok((paths, bytes))
}

/// Passes each line to a parser.
fn pass(paths: &[PathBuf], parse: impl Fn(&[u8]) -> bool) -> Duration {
    let begin = Instant::now();
    let mut line = Vec::new();
    for path in paths {
        let mut reader = BufReader::with_capacity(1 << 18, File::open(path).expect("a file"));
        while reader.read_until(b'\n', &mut line).expect("readable") > 0 {
            assert!(parse(&line));
            line.clear();
        }
    }
    begin.elapsed()
}

/// The highest resident memory of this process so far, in MiB.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}

fn report(what: &str, elapsed: Duration, bytes: u64) {
    let rate = bytes as f64 / 1e6 / elapsed.as_secs_f64();
    let memory = peak().map_or_else(|| "unknown".to_owned(), |peak| format!("{peak} MiB"));
    let _ = writeln!(
        std::io::stdout(),
        "{what:<32} {:>6.2} s {rate:>6.0} MB/s, peak {memory}",
        elapsed.as_secs_f64()
    );
}

fn main() -> std::io::Result<()> {
    let lines = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(LINES);
    let folder = tempfile::tempdir()?;
    let (paths, bytes) = generate(folder.path(), lines)?;
    let _ = writeln!(std::io::stdout(), "{lines} lines, {:.0} MB", bytes as f64 / 1e6);
    let bare = pass(&paths, |line| serde_json::from_slice::<IgnoredAny>(line).is_ok());
    report("serde_json, nothing kept", bare, bytes);

    let name = "support/reply".parse().expect("a name");
    let version = |text: &str| TaggedVersion { version: text.parse().expect("a version"), registry_id: None };
    let (versions, metrics) =
        ([version("2.3.1"), version("2.4.0")], ["helpful", "error_rate", "latency_p95"].map(str::to_owned));
    let window = Window {
        from: "2026-11-30T12:00:00Z".parse().expect("a time"),
        to: "2026-12-30T12:00:00Z".parse().expect("a time"),
    };
    let query = MetricQuery { name: &name, versions: &versions, metrics: &metrics, window };
    let source = OtlpFile::new(folder.path(), "*.jsonl").expect("a pattern");
    let runtime = tokio::runtime::Runtime::new()?;
    let begin = Instant::now();
    let readings = runtime.block_on(source.read(&query)).expect("readable");
    report("OtlpFile, three metrics", begin.elapsed(), bytes);
    for note in &readings.notes {
        let _ = writeln!(std::io::stdout(), "    {note}");
    }
    let joined = readings.samples["helpful"].iter().flatten().map(promptgate_release::rollout::Sample::n);
    assert_eq!(joined.sum::<u64>(), readings.units.iter().flatten().sum::<u64>(), "a unit without a score");

    // Last, since its peak is not that of the others.
    let trees = pass(&paths, |line| serde_json::from_slice::<Value>(line).is_ok());
    report("serde_json, trees of values", trees, bytes);
    Ok(())
}
