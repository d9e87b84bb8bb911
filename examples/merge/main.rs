//! `promptgate merge` of many cases: how long it takes, and how much memory.
//!
//! ```text
//! cargo build --release
//! cargo run --release --example merge -- target/release/promptgate
//! cargo run --release --example merge -- target/release/promptgate --cases 100000 --shards 10
//! ```
//!
//! Writes a dataset of 1,000,000 cases and runs one shard of 100 with the simulated model, two variants and one repeat. The
//! other shards are not run: each has the cases that its index would have, with the answers and grades of the real one in
//! turn. All have the plan of the real shard, so `merge` checks and decides them as it does real ones.

#![expect(clippy::print_stdout, reason = "prints figures to standard output")]

#[path = "../speed/process.rs"]
#[expect(dead_code, reason = "the benchmark of whole runs uses all of it")]
mod process;
mod replicas;

use std::io::Write as _;
use std::path::Path;

use process::{Binary, ProcessMetrics, measure};

/// A result whose error is only printed.
pub(crate) type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const USAGE: &str = "usage: merge BINARY [--cases N] [--shards N] [--folder DIR]";

const SUITE: &str = "\
version: 1
name: million
dataset: cases.jsonl
prompt: prompt.md
baseline: file:baseline.md
model: tiny
checks:
  - {contains: days, min: 0.9, baseline: true}
gate: {repeats: 1}
";

fn main() -> Fallible<()> {
    let mut arguments = std::env::args().skip(1);
    let binary = Binary::find(Some(arguments.next().ok_or(USAGE)?.into()))?;
    let (mut cases, mut shards, mut parent) = (1_000_000, 100, std::env::temp_dir());
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?;
        match flag.as_str() {
            "--cases" => cases = value.parse()?,
            "--shards" => shards = value.parse()?,
            "--folder" => parent = value.into(),
            _ => return Err(USAGE.into()),
        }
    }
    let folder = tempfile::tempdir_in(parent)?;
    let folder = folder.path();
    write_suite(folder, cases)?;

    let shard = format!("1/{shards}");
    let flags = ["run", "--offline", "--quiet", "--shard", &shard, "--out", "shards"];
    let real = run(&binary, folder, &flags, 0)?;
    let replicas = replicas::write(&folder.join("shards"), shards, id, cases)?;
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    println!("shard {shard}, run: {} of {cases} cases, {}", replicas.cases_of_first, figures(&real));
    println!(
        "all {shards} shards: {:.0} MB, {} of them by arithmetic",
        megabytes(replicas.bytes),
        shards - 1
    );

    let merged = run(&binary, folder, &["merge", "shards", "--out", "merged"], 0)?;
    println!("merge: {}", figures(&merged));
    let report = std::fs::metadata(folder.join("merged/report.json"))?.len();
    println!("report.json {:.0} MB", megabytes(report));
    Ok(())
}

fn id(number: usize) -> String {
    format!("case-{number}")
}

fn write_suite(folder: &Path, cases: usize) -> Fallible<()> {
    std::fs::write(folder.join("promptgate.yaml"), SUITE)?;
    std::fs::write(
        folder.join("prompt.md"),
        "Answer the question from the passages alone.\n\n{{context}}\n",
    )?;
    std::fs::write(
        folder.join("baseline.md"),
        "You answer questions. Use only the passages.\n\n{{context}}\n",
    )?;
    let mut dataset = std::io::BufWriter::new(std::fs::File::create(folder.join("cases.jsonl"))?);
    for number in 0..cases {
        let (id, question) = (id(number), format!("How long is the refund of plan {number}?"));
        let context = format!("The refund of plan {number} is {} days long.", number % 60 + 1);
        writeln!(dataset, r#"{{"id": "{id}", "query": "{question}", "context": "{context}"}}"#)?;
    }
    Ok(dataset.flush()?)
}

/// Runs promptgate in a folder, which must end with this exit code.
fn run(binary: &Binary, folder: &Path, arguments: &[&str], code: i32) -> Fallible<ProcessMetrics> {
    let mut command = binary.command(arguments);
    command.current_dir(folder);
    let metrics = measure(command)?;
    if metrics.code == code {
        Ok(metrics)
    } else {
        Err(format!("{arguments:?}: exit code {}\n{}", metrics.code, metrics.stderr).into())
    }
}

fn figures(metrics: &ProcessMetrics) -> String {
    format!(
        "{:.1} s, {:.1} s of processor time, peak memory {:.0} MB",
        metrics.wall.as_secs_f64(),
        metrics.processor,
        metrics.memory as f64 / 1e6
    )
}
