//! Adaptive rate of calls: the client against the mock server, both in this process, in real time.
//!
//! ```text
//! cargo run --release --example pace
//! cargo run --release --example pace -- mixture
//! ```
//!
//! Prints the rate reached at a limit that is not configured (`limits`), the cost of faults (`faults`), of two faults
//! apart and together over ten seeds (`mixture`), and the overhead of the layers without any limit (`overhead`), or the
//! parts that are named. Takes about four minutes.

#![expect(clippy::print_stdout, reason = "prints a table to standard output")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt as _};
use promptgate_adapters::endpoint::{self, Options};
use promptgate_core::model::{ChatRequest, Completion, Fault};
use promptgate_core::port::{ChatModel, Event, EventSink, NullSink};
use promptgate_core::text::Redactor;
use promptgate_simulated::SimulatedOptions;
use promptgate_simulated::mock_server::{self, FaultSpec};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Concurrent trials for each call in flight, as in a run with one endpoint.
const TASKS_PER_SLOT: usize = 4;

/// Counts calls, and the time waited between attempts.
#[derive(Default)]
struct Counts {
    calls: AtomicU64,
    waited_ms: AtomicU64,
}

impl EventSink for Counts {
    fn emit(&self, event: Event) {
        match event {
            Event::CallStarted => {
                self.calls.fetch_add(1, Ordering::Relaxed);
            }
            Event::Retried { wait_seconds, .. } => {
                self.waited_ms.fetch_add((wait_seconds * 1000.0) as u64, Ordering::Relaxed);
            }
            _ => {}
        }
    }
}

/// A model that responds immediately.
struct InstantModel;

impl ChatModel for InstantModel {
    fn complete<'a>(&'a self, _request: &'a ChatRequest) -> BoxFuture<'a, Result<Completion, Fault>> {
        async { Ok(Completion::from_text("")) }.boxed()
    }
}

fn request(number: u64) -> ChatRequest {
    promptgate_testing::request_of(&format!("What is plan {number}?"))
}

/// Starts a mock server with this latency and these faults, and connects a client.
async fn connect(
    latency_ms: u64,
    faults: &[&str],
    width: usize,
    seed: u64,
    counts: &Arc<Counts>,
) -> Result<Arc<dyn ChatModel>, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base_url = format!("http://{}/v1", listener.local_addr()?);
    let faults = faults.iter().map(|fault| fault.parse::<FaultSpec>()).collect::<Result<Vec<_>, _>>()?;
    let options = mock_server::Options {
        simulated: SimulatedOptions {
            latency: Duration::from_millis(latency_ms),
            seed,
            ..SimulatedOptions::default()
        },
        faults: faults.into_iter().collect(),
        require_key: None,
    };
    tokio::spawn(mock_server::serve(listener, options, std::future::pending()));
    let options = Options { max_concurrency: width, ..Options::new(base_url) };
    let sink = Arc::clone(counts) as Arc<dyn EventSink>;
    let redactor = Arc::new(Redactor::new(&[]));
    endpoint::connect(options, sink, redactor, CancellationToken::new())
        .map_err(|diagnostic| diagnostic.to_string().into())
}

/// Sends requests continuously, and reports answers and refusals between 10 s and 40 s.
async fn measure_rate(limit: f64, latency_ms: u64, width: usize) -> Result<(), Box<dyn Error>> {
    let counts = Arc::new(Counts::default());
    let model = connect(latency_ms, &[&format!("rate-limit={limit}")], width, 0, &counts).await?;
    let answers = Arc::new(AtomicU64::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    let next = Arc::new(AtomicU64::new(0));
    for _ in 0..width * TASKS_PER_SLOT {
        let (model, answers, next) = (Arc::clone(&model), Arc::clone(&answers), Arc::clone(&next));
        tasks.spawn(async move {
            loop {
                if model.complete(&request(next.fetch_add(1, Ordering::Relaxed))).await.is_ok() {
                    answers.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    let mut snapshots = Vec::new();
    for seconds in [10, 30] {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        snapshots.push((answers.load(Ordering::Relaxed), counts.calls.load(Ordering::Relaxed)));
    }
    let answered = (snapshots[1].0 - snapshots[0].0) as f64;
    let called = (snapshots[1].1 - snapshots[0].1) as f64;
    println!(
        "| {limit}/s | {latency_ms} ms | {width} | {:.1}/s | {:+.1} % | {:.2} % | {:.1} % |",
        answered / 30.0,
        (answered / 30.0 / limit - 1.0) * 100.0,
        (1.0 - answered / called).max(0.0) * 100.0,
        (1.0 - snapshots[0].0 as f64 / snapshots[0].1 as f64).max(0.0) * 100.0,
    );
    Ok(())
}

/// Measurements of a batch of requests.
struct Batch {
    seconds: f64,
    answered: usize,
    calls: u64,
    /// Seconds waited between attempts, over all calls.
    waited: f64,
    /// Seconds of the longest call.
    longest: f64,
}

async fn send(requests: u64, faults: &[&str], width: usize, seed: u64) -> Result<Batch, Box<dyn Error>> {
    let counts = Arc::new(Counts::default());
    let model = connect(100, faults, width, seed, &counts).await?;
    let start = Instant::now();
    let results: Vec<(bool, f64)> = stream::iter(0..requests)
        .map(|number| {
            let model = &model;
            async move {
                let start = Instant::now();
                let ok = model.complete(&request(number)).await.is_ok();
                (ok, start.elapsed().as_secs_f64())
            }
        })
        .buffer_unordered(width * TASKS_PER_SLOT)
        .collect()
        .await;
    Ok(Batch {
        seconds: start.elapsed().as_secs_f64(),
        answered: results.iter().filter(|(ok, _)| *ok).count(),
        calls: counts.calls.load(Ordering::Relaxed),
        waited: counts.waited_ms.load(Ordering::Relaxed) as f64 / 1000.0,
        longest: results.iter().map(|(_, seconds)| *seconds).fold(0.0, f64::max),
    })
}

async fn faults() -> Result<(), Box<dyn Error>> {
    let (requests, width) = (1000, 32);
    let undisturbed = send(requests, &[], width, 0).await?;
    let faulty = send(requests, &["429=0.2", "retry-after=1", "500=0.05", "cut=0.02"], width, 0).await?;
    println!("| | seconds | answered | calls | waited, over all calls | longest call |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for (name, batch) in [("no faults", &undisturbed), ("20 % 429, 5 % 500, 2 % truncated", &faulty)] {
        println!(
            "| {name} | {:.2} | {} of {requests} | {} | {:.0} s | {:.2} s |",
            batch.seconds, batch.answered, batch.calls, batch.waited, batch.longest
        );
    }
    // All tasks can wait at once, so this part of the waiting is unavoidable.
    let unavoidable = faulty.waited / (width * TASKS_PER_SLOT) as f64;
    println!(
        "\nratio {:.2}; without the waits ({unavoidable:.2} s for each of {} concurrent trials) {:.2}",
        faulty.seconds / undisturbed.seconds,
        width * TASKS_PER_SLOT,
        (faulty.seconds - unavoidable) / undisturbed.seconds
    );
    Ok(())
}

/// Two faults, apart and together: neither may multiply the cost of the other.
async fn mixture() -> Result<(), Box<dyn Error>> {
    println!("| faults | answers per second, seeds 1 to 10 | slowest |");
    println!("| --- | --- | --- |");
    for faults in [&[][..], &["500=0.05"], &["429=0.2"], &["500=0.05", "429=0.2"]] {
        let mut rates = Vec::new();
        for seed in 1..=10 {
            let batch = send(4000, faults, 256, seed).await?;
            rates.push(batch.answered as f64 / batch.seconds);
        }
        let slowest = rates.iter().copied().fold(f64::INFINITY, f64::min);
        let rates: Vec<String> = rates.iter().map(|rate| format!("{rate:.0}")).collect();
        println!("| {} | {} | {slowest:.0} |", faults.join(", "), rates.join(", "));
    }
    Ok(())
}

async fn overhead() {
    let options = Options { max_concurrency: 64, ..Options::new("http://localhost") };
    let calls = 1_000_000;
    let model =
        endpoint::layered(Arc::new(InstantModel), &options, Arc::new(NullSink), CancellationToken::new());
    let request = request(0);
    let start = Instant::now();
    stream::iter(0..calls)
        .for_each_concurrent(64, |_| async {
            let _ = model.complete(&request).await;
        })
        .await;
    println!(
        "{:.2} µs per call for retries, limits and the adaptive rate",
        start.elapsed().as_secs_f64() * 1e6 / f64::from(calls)
    );
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let parts: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| wanted == part);
    if is_wanted("limits") {
        println!("No limit configured; the server refuses calls above its limit.\n");
        println!(
            "| limit | latency | in flight | answers, 10 s to 40 s | deviation | refused, 10 s to 40 s | refused before |"
        );
        println!("| --- | --- | --- | --- | --- | --- | --- |");
        for (limit, latency_ms, width) in [(50.0, 0, 32), (50.0, 20, 32), (500.0, 20, 64)] {
            measure_rate(limit, latency_ms, width).await?;
        }
    }
    if is_wanted("faults") {
        println!("\n1,000 requests of 100 ms, 32 in flight:\n");
        faults().await?;
    }
    if is_wanted("mixture") {
        println!("\n4,000 requests of 100 ms, 256 in flight:\n");
        mixture().await?;
    }
    if is_wanted("overhead") {
        println!("\nNo limit, a model that responds immediately:\n");
        overhead().await;
    }
    Ok(())
}
