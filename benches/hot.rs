//! Benchmarks of hot functions with criterion: `just bench-hot [FILTER]`.
//!
//! `just bench` measures whole runs, including the network.

#[path = "../examples/speed/suite.rs"]
#[expect(dead_code, reason = "shared with the benchmark of whole runs, which uses more of it")]
mod suite;

use std::fs::File;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use promptgate_core::model::{Case, ChatRequest, Completion, Fault};
use promptgate_core::port::{ChatModel, Subject};
use promptgate_core::stats::{Repeated, sign_flip, within_cases};
use promptgate_core::template::{Template, variables};
use promptgate_engine::judge::registry::built_in;
use promptgate_engine::judge::registry::faithfulness::JudgedStatement;
use promptgate_engine::judge::reply::read;
use promptgate_engine::judge::{Judge, Member};
use promptgate_report::{Format, Report, Style};
use promptgate_simulated::{Simulated, SimulatedOptions};
use sha2::{Digest as _, Sha256};

/// A result whose error is only printed.
pub(crate) type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Repeats the simulated model's first response, and records its request.
#[derive(Default)]
struct RepeatingModel(Mutex<Option<(ChatRequest, Completion)>>);

impl ChatModel for RepeatingModel {
    fn complete<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<Completion, Fault>> {
        let mut recorded = self.0.lock().expect("not poisoned");
        let (_, completion) = recorded.get_or_insert_with(|| {
            let simulated = Simulated::new(SimulatedOptions::default());
            (request.clone(), simulated.answer(request, 0))
        });
        let completion = completion.clone();
        async { Ok(completion) }.boxed()
    }
}

/// A report of a run of the executable with the simulated model.
fn report_of(cases: u64) -> Report {
    let folder = tempfile::tempdir().expect("a folder");
    suite::write(folder.path(), cases, 16).expect("a suite");
    let mut command = Command::new(env!("CARGO_BIN_EXE_promptgate"));
    command.args(["run", "--offline", "--quiet"]).current_dir(folder.path());
    let output = command.output().expect("the executable runs");
    let path = folder.path().join("promptgate-report/report.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|_| {
        panic!("no report: {}", String::from_utf8_lossy(&output.stderr));
    });
    promptgate_report::read(&display(&path), &text, |name| File::open(path.with_file_name(name)))
        .expect("a report")
}

fn display(path: &Path) -> String {
    path.display().to_string()
}

fn case() -> Case {
    Case {
        id: "case-1".to_owned(),
        query: "How many days does plan 1 give for a refund?".to_owned(),
        context: Some([
            "Plan 1 gives 11 days for a refund of the full price, counted from the day of delivery. Orders are \
             shipped from the depot in Leeds within two working days, and a label is on each parcel. A parcel that \
             comes back without its label is kept for a month; after that its content goes to a charity."
                .to_owned(),
        ].into()),
        ..Case::default()
    }
}

fn rendering(criterion: &mut Criterion) {
    let template =
        Template::parse("Answer from the passages.\n\n{{context}}\n\n{{query}}").expect("a template");
    let case = case();
    criterion.bench_function("render a prompt", |bencher| {
        let variables = variables(&case);
        bencher.iter(|| template.render(&|name| variables.get(black_box(name))));
    });
}

fn judging(criterion: &mut Criterion) {
    let case = case();
    let text = "Plan 1 gives 11 days for a refund of the full price, counted from the day of delivery.";
    let completion = Completion::from_text(text);
    let subject = Subject { case: &case, completion: &completion, answer: Ok(text) };
    for name in ["faithfulness", "relevance"] {
        let member = Arc::new(Member::new("judge".to_owned(), serde_json::Map::new()));
        let judge = Judge::new(name.to_owned(), built_in(name).expect("a built-in judge"), vec![member], 1);
        let model = RepeatingModel::default();
        criterion.bench_function(&format!("judge {name}, without the model"), |bencher| {
            bencher.iter(|| judge.grade(&[&model], &subject, 0).now_or_never());
        });
        let recorded = model.0.lock().expect("not poisoned");
        let Some((request, completion)) = recorded.as_ref() else { continue };
        if name == "faithfulness" {
            let reply = completion.text.clone();
            criterion.bench_function("parse a judge's reply", |bencher| {
                bencher.iter(|| read::<JudgedStatement>(black_box(&reply), 1));
            });
            let messages: String = request.messages.iter().map(|message| message.content.as_str()).collect();
            let mut group = criterion.benchmark_group("hash");
            group.throughput(Throughput::Bytes(messages.len() as u64));
            group.bench_function("SHA-256 of a judgement's messages", |bencher| {
                bencher.iter(|| Sha256::digest(black_box(&messages)));
            });
            group.finish();
        }
    }
}

fn permuting(criterion: &mut Criterion) {
    let scores = |offset: usize| {
        let mut rows = Repeated::with_capacity(500, 1_500);
        for case in 0..500_usize {
            rows.push((0..3).map(|repeat| ((case * 7 + repeat * 3 + offset) % 11) as f64 / 10.0));
        }
        rows
    };
    let (candidate, baseline) = (scores(0), scores(1));
    let differences: Vec<f64> =
        candidate.row_means().iter().zip(baseline.row_means()).map(|(ours, theirs)| ours - theirs).collect();
    let mut group = criterion.benchmark_group("permutation");
    group.sample_size(10);
    group.bench_function("within 500 cases of 3 repeats", |bencher| {
        bencher.iter(|| within_cases(black_box(&candidate), &baseline, &[], 0.0, 1));
    });
    group.bench_function("signs of 500 differences", |bencher| {
        bencher.iter(|| sign_flip(black_box(&differences), 500, 1));
    });
    group.finish();
}

fn reporting(criterion: &mut Criterion) {
    let report = report_of(1_000);
    let mut group = criterion.benchmark_group("report of 1,000 cases");
    group.sample_size(20);
    for format in Format::ALL {
        group.bench_function(format.as_str(), |bencher| {
            bencher.iter(|| {
                let mut bytes = Vec::new();
                promptgate_report::write(&report, format, &mut bytes, Style::default()).map(|()| bytes)
            });
        });
    }
    group.finish();
}

criterion_group!(hot, rendering, judging, permuting, reporting);
criterion_main!(hot);
