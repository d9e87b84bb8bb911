//! Suites for benchmarks: simple, deterministic, and without requests that two calls could share.

use std::fmt::Write as _;
use std::path::Path;

use crate::Fallible;

/// Judged metrics of a suite. Each takes one call per case and variant.
const JUDGES: u64 = 2;

/// Calls for a suite of `cases` cases: two variants, each with one answer and its judgements.
pub(crate) fn calls(cases: u64) -> u64 {
    cases * 2 * (1 + JUDGES)
}

/// Writes a suite into a folder: configuration, two prompts, dataset.
pub(crate) fn write(folder: &Path, cases: u64, in_flight: u32) -> Fallible<()> {
    std::fs::create_dir_all(folder)?;
    let configuration = format!(
        "version: 1\n\
         name: speed\n\
         dataset: cases.jsonl\n\
         prompt: prompt.md\n\
         baseline: file:baseline.md\n\
         model: tiny\n\
         endpoint: {{max_concurrency: {in_flight}}}\n\
         judge: {{model: tiny-judge, self_test: false}}\n\
         checks:\n  - length: {{min_chars: 1}}\n\
         metrics:\n  faithfulness: {{min: 0.5}}\n  relevance: {{min: 0.5}}\n\
         gate: {{repeats: 1, max_repeats: 1}}\n"
    );
    std::fs::write(folder.join("promptgate.yaml"), configuration)?;
    // The answers differ in length, so that their judgements differ too.
    std::fs::write(
        folder.join("prompt.md"),
        "Answer the question from the passages alone, in one sentence.\n\n{{context}}\n",
    )?;
    std::fs::write(
        folder.join("baseline.md"),
        "You answer questions. Use only the passages, in one sentence of at most 14 words.\n\n{{context}}\n",
    )?;
    let mut rows = String::new();
    for number in 0..cases {
        row(&mut rows, number)?;
    }
    std::fs::write(folder.join("cases.jsonl"), rows)?;
    Ok(())
}

/// Writes one case, with a context of about 500 bytes.
fn row(rows: &mut String, number: u64) -> Fallible<()> {
    let days = number % 80 + 10;
    writeln!(
        rows,
        "{{\"id\": \"case-{number}\", \"query\": \"How many days does plan {number} give for a refund?\", \
         \"context\": \"Plan {number} gives {days} days for a refund of the full price, counted from the day of \
         delivery. Orders are shipped from the depot in Leeds within two working days, and a label with the \
         number {number} is on each parcel. A parcel that comes back without its label is kept for a month; after \
         that its content goes to a charity. Customers of plan {number} can call the support line between nine \
         and five, or write at any time. Answers by letter take a week. Changes of an address are possible until \
         the parcel has left the depot.\"}}"
    )?;
    Ok(())
}
