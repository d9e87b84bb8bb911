//! The cache through the executable: an answer is requested once, whatever happens in between.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use promptgate_adapters::cache::{Cache, TableStats};
use promptgate_engine::judge::registry::ChecklistPayload;
use promptgate_engine::judge::registry::faithfulness::FaithfulnessPayload;
use promptgate_engine::judge::request::UntypedPayload;
use serde_json::{Value, json};

use crate::servers::{Server, is_judge, says};
use crate::support::{Folder, git};

/// Requests that a server received, by content; judgements without their random boundary.
#[derive(Default)]
struct Asked {
    counts: Mutex<BTreeMap<String, usize>>,
    more: Condvar,
}

impl Asked {
    fn total(&self) -> usize {
        self.counts.lock().expect("counts").values().sum()
    }

    fn distinct(&self) -> usize {
        self.counts.lock().expect("counts").len()
    }

    /// Requests that contain a text.
    fn with(&self, text: &str) -> usize {
        let counts = self.counts.lock().expect("counts");
        counts.iter().filter(|(about, _)| about.contains(text)).map(|(_, count)| count).sum()
    }

    fn forget(&self) {
        self.counts.lock().expect("counts").clear();
    }

    /// Blocks until `count` requests were received.
    fn wait_for(&self, total: usize) -> bool {
        let counts = self.counts.lock().expect("counts");
        let enough = |counts: &mut BTreeMap<String, usize>| counts.values().sum::<usize>() < total;
        let (_counts, waited) =
            self.more.wait_timeout_while(counts, Duration::from_secs(60), enough).expect("counts");
        !waited.timed_out()
    }
}

/// A server whose replies depend on the request alone, and the requests it received.
fn server() -> (Server, Arc<Asked>) {
    let asked = Arc::new(Asked::default());
    let book = Arc::clone(&asked);
    let server = Server::start(move |request, _| {
        let messages = request["messages"].as_array().expect("messages");
        let text = |index: usize| messages[index]["content"].as_str().expect("a text");
        let (about, reply) = if is_judge(request) {
            let payload = UntypedPayload::unwrap(text(1)).expect("a judge's data");
            // The lines around the document carry a boundary, which differs between calls.
            let about = format!("judge {}", text(1).lines().nth(1).expect("the document"));
            let reply = judged(&payload, about.len());
            (about, reply)
        } else {
            let context = text(0).lines().rev().find(|line| line.starts_with("Plan")).unwrap_or("nothing");
            (format!("{} | {}", text(0), text(1)), context.to_owned())
        };
        let mut counts = book.counts.lock().expect("counts");
        *counts.entry(about).or_default() += 1;
        book.more.notify_all();
        (200, says(&reply))
    });
    (server, asked)
}

/// A valid judgement that differs from case to case.
fn judged(payload: &UntypedPayload, size: usize) -> String {
    if let Some(FaithfulnessPayload { statements, .. }) = payload.typed() {
        let entry = |id: u32, text: &str| json!({"id": id, "quotes": [text], "reasoning": "r", "verdict": "supported"});
        let all: Vec<Value> = statements.iter().map(|one| entry(one.id, &one.text)).collect();
        json!({ "statements": all }).to_string()
    } else if let Some(ChecklistPayload { items, .. }) = payload.typed() {
        let entry = |id: u32| {
            let verdict = if (id as usize + size).is_multiple_of(7) { "no" } else { "yes" };
            json!({"id": id, "reasoning": "r", "verdict": verdict})
        };
        json!({ "items": items.iter().map(|one| entry(one.id)).collect::<Vec<_>>() }).to_string()
    } else {
        panic!("not of this suite: {payload:?}")
    }
}

pub(crate) fn suite(cases: usize) -> Folder {
    let folder = Folder::small(cases).without_self_test();
    folder.append("promptgate.yaml", "gate: {repeats: 1}\n");
    folder
}

const CACHE: &str = ".promptgate/cache.redb";

fn usage(folder: &Folder, key: &str) -> u64 {
    folder.report()["usage"][key].as_u64().unwrap_or_else(|| panic!("usage.{key}"))
}

/// Runs the suite and returns the number of requests.
#[track_caller]
fn requests(folder: &Folder, server: &Server, asked: &Asked, more: &[&str]) -> usize {
    asked.forget();
    let arguments: Vec<&str> = ["run"].iter().chain(more).copied().collect();
    let outcome = folder.against(&server.base_url, &arguments);
    assert!([0, 10, 11].contains(&outcome.code), "{}: {}", outcome.code, outcome.text());
    assert_eq!(usage(folder, "calls") as usize, asked.total(), "the report's count is the server's");
    asked.total()
}

#[test]
fn second_run_makes_no_call_and_an_edit_only_its_own() {
    let (server, asked) = server();
    let folder = suite(6);
    // 6 cases, 2 variants. Both give the same answers, so that each is judged once by each of 2 judges.
    assert_eq!(requests(&folder, &server, &asked, &[]), 12 + 12);
    let first = normal(folder.report());
    assert_eq!(requests(&folder, &server, &asked, &[]), 0);
    assert_eq!(normal(folder.report()), first);
    assert_eq!((usage(&folder, "cached"), usage(&folder, "cached_judgements")), (12, 24));
    assert!(folder.report()["usage"]["cached_since"].as_str().is_some_and(|at| at.starts_with("20")));
    assert!(folder.read("promptgate-report/report.md").contains("from the cache"));
    // Another candidate: its requests, and judgements of answers that were not judged before.
    folder.edit("prompt.md", "in one sentence", "in one short sentence");
    assert_eq!(requests(&folder, &server, &asked, &[]), 6);
    assert_eq!(asked.with("in one short sentence"), 6);
    // Another case: both variants, both judges.
    folder.edit("cases.jsonl", "gives 13 days", "gives 99 days");
    assert_eq!(requests(&folder, &server, &asked, &[]), 2 + 2);
    assert_eq!(asked.with("gives 99 days"), 4);
    // Another judge: every answer is judged again, none is asked for.
    folder.edit(
        "promptgate.yaml",
        "judge: {model: tiny-judge,",
        "judge: {model: tiny-judge, parameters: {top_p: 1},",
    );
    assert_eq!(requests(&folder, &server, &asked, &[]), 12);
    // A new row in front moves no answer.
    let rows = folder.read("cases.jsonl");
    let new = "{\"id\": \"new\", \"query\": \"How many days does plan 70 give?\", \"context\": \"Plan 70 gives 80 days.\"}\n";
    folder.write("cases.jsonl", &format!("{new}{rows}"));
    assert_eq!(requests(&folder, &server, &asked, &[]), 2 + 2);
}

#[test]
fn pull_request_pays_for_its_candidate_alone() {
    let (server, asked) = server();
    let folder = suite(5);
    folder.edit("promptgate.yaml", "baseline: file:baseline.md\n", "");
    folder.git(&["init", "-q"]);
    folder.git(&["add", "."]);
    folder.git(&["commit", "-qm", "main"]);
    requests(&folder, &server, &asked, &["--baseline", "none"]);
    // The cache is not part of what is committed.
    assert_eq!(git(folder.path(), &["status", "--porcelain", "--", ".promptgate"]), "");
    folder.git(&["checkout", "-qb", "edit"]);
    folder.edit("prompt.md", "in one sentence", "in one short sentence");
    folder.git(&["commit", "-qam", "edit"]);
    assert_eq!(requests(&folder, &server, &asked, &["--baseline", "git:main"]), 5);
    assert_eq!(asked.with("in one short sentence"), 5);
}

#[test]
fn refresh_replaces_entries_and_no_cache_writes_none() {
    let (server, asked) = server();
    let folder = suite(4);
    assert_eq!(requests(&folder, &server, &asked, &["--no-cache"]), 8 + 16);
    assert!(!folder.path().join(".promptgate").exists());
    assert_eq!(requests(&folder, &server, &asked, &[]), 8 + 8);
    assert_eq!(requests(&folder, &server, &asked, &["--refresh"]), 8 + 8);
    assert_eq!(requests(&folder, &server, &asked, &[]), 0);
    folder.against(&server.base_url, &["run", "--refresh", "--no-cache"]).expect_code(2);
    folder.append("promptgate.yaml", "cache: {path: elsewhere/answers.redb, baseline: fresh}\n");
    assert_eq!(requests(&folder, &server, &asked, &[]), 8 + 8);
    assert!(folder.path().join("elsewhere/answers.redb").exists());
    // Fresh is of this very run, however soon it comes after the last one.
    assert_eq!(requests(&folder, &server, &asked, &[]), 4);
}

#[test]
fn cached_only_makes_no_call_and_reports_misses() {
    let (server, asked) = server();
    let folder = suite(4);
    let outcome = folder.against(&server.base_url, &["run", "--cached-only"]).expect_code(12);
    outcome.says("not in the cache: 8 of 8 answers").says("run without --cached-only");
    requests(&folder, &server, &asked, &[]);
    asked.forget();
    let full = normal(folder.report());
    // No endpoint is needed, and no key.
    let mut command = folder.command(&["run", "--cached-only"]);
    command.env("OPENAI_BASE_URL", &server.base_url);
    let code = crate::support::finish(command).code;
    assert!([0, 10, 11].contains(&code), "{code}");
    assert_eq!((normal(folder.report()), asked.total()), (full, 0));
    folder.edit("cases.jsonl", "gives 13 days", "gives 99 days");
    let outcome = folder.against(&server.base_url, &["run", "--cached-only"]).expect_code(12);
    outcome.says("not in the cache: 2 of 8 answers");
    assert_eq!(folder.report()["reasons"][0]["code"], "not_cached");
    folder.edit("cases.jsonl", "gives 99 days", "gives 13 days");
    folder.edit("promptgate.yaml", "judge: {model: tiny-judge,", "judge: {model: tiny-judge, votes: 2,");
    let outcome = folder.against(&server.base_url, &["run", "--cached-only"]).expect_code(12);
    outcome.says("not in the cache: 16 judgements");
    assert_eq!(asked.total(), 0);
}

#[test]
fn self_test_and_calibration_are_cached() {
    let server = crate::support::MockServer::start(&[]);
    let folder = Folder::small(6);
    folder.against(&server.base_url, &["run"]).expect_code(0);
    assert!(usage(&folder, "calls") > 0);
    folder.against(&server.base_url, &["run"]).expect_code(0).says("self-test 13 of 13 as expected");
    assert_eq!(usage(&folder, "calls"), 0);
    let rows: String = (0..40)
        .map(|row| {
            let said = if row % 2 == 0 { 11 } else { 99 };
            json!({"query": "How many days?", "context": format!("Plan {row} gives 11 days."),
                "response": format!("Plan {row} gives {said} days."), "human": row % 2 == 0})
            .to_string()
                + "\n"
        })
        .collect();
    folder.write("labels.jsonl", &rows);
    let calibrate = || {
        folder.against(&server.base_url, &["calibrate", "labels.jsonl"]).expect_code(0);
        let found: Value =
            serde_json::from_str(&folder.read("promptgate-calibration/calibration.json")).expect("JSON");
        found["judge"]["calls"].as_u64().expect("calls")
    };
    assert_eq!((calibrate(), calibrate()), (80, 0));
}

#[test]
fn relative_latency_ignores_cached_answers() {
    let (server, asked) = server();
    let folder = suite(4);
    requests(&folder, &server, &asked, &[]);
    age(&folder, 7200);
    folder.edit("prompt.md", "in one sentence", "in one short sentence");
    folder.append("promptgate.yaml", "limits: {latency_p95: {max_increase: 500%}}\n");
    // The baseline is asked again, since its latency is compared.
    assert_eq!(requests(&folder, &server, &asked, &[]), 8);
    let criteria = folder.report()["criteria"].to_string();
    assert!(!criteria.contains("earlier session"), "{criteria}");
}

#[test]
fn absolute_latency_limit_does_not_pass_on_cached_answers() {
    let (server, asked) = server();
    let folder = suite(4);
    folder.append("promptgate.yaml", "limits: {latency_p95: 5s}\n");
    let run = ["run", "--no-judge"];
    folder.against(&server.base_url, &run).expect_code(0);
    asked.forget();
    folder.against(&server.base_url, &run).expect_code(12).says("--refresh");
    assert_eq!(asked.total(), 0);
    let criteria = folder.report()["criteria"].to_string();
    assert!(criteria.contains("not measured, since 4 of 4 answers are from the cache"), "{criteria}");
    let code = |report: Value| report["reasons"][0]["criterion"].clone();
    assert_eq!(code(folder.report()), "limit.latency_p95");
    folder.against(&server.base_url, &["run", "--no-judge", "--refresh"]).expect_code(0);
}

#[test]
fn answers_dated_in_the_future_are_requested_again() {
    let (server, asked) = server();
    let folder = suite(3);
    requests(&folder, &server, &asked, &[]);
    age(&folder, -86_400);
    assert_eq!(requests(&folder, &server, &asked, &[]), 0, "nothing gets old without `max_age`");
    folder.append("promptgate.yaml", "cache: {max_age: 365d}\n");
    assert_eq!(requests(&folder, &server, &asked, &[]), 6 + 6);
    assert_eq!(requests(&folder, &server, &asked, &[]), 0);
}

#[test]
fn entries_beyond_max_age_are_refreshed() {
    let (server, asked) = server();
    let folder = suite(3);
    requests(&folder, &server, &asked, &[]);
    age(&folder, 86_400 * 3);
    folder.append("promptgate.yaml", "cache: {max_age: 7d}\n");
    assert_eq!(requests(&folder, &server, &asked, &[]), 0);
    let warnings = folder.report()["warnings"].to_string();
    folder.edit("promptgate.yaml", "max_age: 7d", "max_age: 2d");
    assert_eq!(requests(&folder, &server, &asked, &[]), 6 + 6, "{warnings}");
    let stats = folder.promptgate(&["cache", "stats"]).expect_code(0);
    stats.says("answers").says("judgements").says("tiny-judge");
    folder.promptgate(&["cache", "prune"]).expect_code(0).says("0 entries removed");
    folder.promptgate(&["cache", "prune", "--older-than", "0s"]).expect_code(0);
    folder.promptgate(&["cache", "clear"]).expect_code(0).says("removed");
    folder.promptgate(&["cache", "stats"]).expect_code(0).says("empty");
    assert_eq!(requests(&folder, &server, &asked, &[]), 6 + 6);
}

/// Makes every cache entry `seconds` older.
fn age(folder: &Folder, seconds: i64) {
    let cache = Cache::open(&folder.path().join(CACHE), Duration::ZERO).expect("the cache");
    assert!(cache.backdate(seconds).expect("the cache") > 0);
}

#[test]
fn tracked_cache_is_refused() {
    let (server, asked) = server();
    let folder = suite(3);
    requests(&folder, &server, &asked, &[]);
    folder.git(&["init", "-q"]);
    folder.git(&["add", "-f", CACHE]);
    let outcome = folder.against(&server.base_url, &["run"]).expect_code(2);
    outcome.says("whoever commits can write its answers").says("git rm --cached");
    // Nor by another way to the same file.
    folder.append("promptgate.yaml", "cache: {path: link/cache.redb}\n");
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.path().join(".promptgate"), folder.path().join("link"))
        .expect("a link");
    folder.against(&server.base_url, &["run"]).expect_code(2).says("part of the repository");
    // Where git cannot say, nobody may say that it is not.
    let index = std::fs::read(folder.path().join(".git/index")).expect("the index");
    folder.write(".git/index", "scribbled");
    folder.against(&server.base_url, &["run"]).expect_code(2).says("git could not determine whether");
    std::fs::write(folder.path().join(".git/index"), index).expect("the index");
    folder.git(&["rm", "-q", "--cached", CACHE]);
    assert_eq!(requests(&folder, &server, &asked, &[]), 0);
}

#[test]
fn damaged_or_foreign_cache_is_named() {
    let (server, asked) = server();
    let folder = suite(3);
    requests(&folder, &server, &asked, &[]);
    asked.forget();
    let whole = std::fs::read(folder.path().join(CACHE)).expect("the cache");
    let cut = whole[..whole.len() / 3].to_vec();
    let mut scribbled = whole.clone();
    scribbled[4000..].fill(0xA5);
    for bytes in [b"id,query\n1,a\n".to_vec(), cut, scribbled] {
        std::fs::write(folder.path().join(CACHE), &bytes).expect("a file");
        let outcome = folder.against(&server.base_url, &["run"]);
        assert!([2, 12].contains(&outcome.code), "{}: {}", outcome.code, outcome.text());
        assert!(!outcome.text().contains("panicked"), "{}", outcome.text());
        outcome.says("cache.redb").says("--no-cache");
        assert_eq!(asked.total(), 0);
    }
    assert!([0, 10, 11].contains(&folder.against(&server.base_url, &["run", "--no-cache"]).code));
}

#[test]
fn locked_cache_names_the_process() {
    let (server, _) = server();
    let folder = suite(3);
    let held = Cache::open(&folder.path().join(CACHE), Duration::ZERO).expect("a cache");
    let outcome = folder.promptgate(&["cache", "stats"]).expect_code(2);
    outcome.says(&format!("process {} has held the cache", std::process::id()));
    // A run says so and waits for it.
    let mut command = folder.command(&["run"]);
    command.env("OPENAI_BASE_URL", &server.base_url).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the executable starts");
    let stderr = BufReader::new(child.stderr.take().expect("its errors"));
    let mut lines = stderr.lines().map_while(Result::ok);
    let note = lines.find(|line| line.contains("waiting up to 10 s")).expect("a line");
    let own = format!("for process {}, which holds the cache", std::process::id());
    assert!(note.contains(&own) && note.contains("--no-cache"), "{note}");
    drop(held);
    lines.for_each(drop);
    let code = child.wait().expect("its end").code();
    assert!([Some(0), Some(10), Some(11)].contains(&code), "{code:?}");
}

/// Kills the run thirty times at a moment that depends on its progress, then lets it finish.
#[test]
#[cfg(unix)]
fn killed_run_resumes() {
    let (server, asked) = server();
    let quiet = suite(60);
    quiet.against(&server.base_url, &["run", "--no-cache", "--concurrency", "8"]);
    let undisturbed = normal(quiet.report());
    asked.forget();

    let folder = suite(60);
    let entries = || {
        // An unfinished file is created again; one with entries keeps them.
        if !folder.path().join(CACHE).exists() {
            return 0;
        }
        let cache = Cache::open(&folder.path().join(CACHE), Duration::from_secs(10)).expect("a whole cache");
        let statistics = cache.statistics().expect("a whole cache");
        let count =
            |by_model: &BTreeMap<String, TableStats>| by_model.values().map(|of| of.entries).sum::<u64>();
        count(&statistics.completions) + count(&statistics.judgements)
    };
    let (mut kept, mut state) = (0, 7_u64);
    for kill in 0..30 {
        let mut command = folder.command(&["run", "--concurrency", "8"]);
        command.env("OPENAI_BASE_URL", &server.base_url).stdout(Stdio::null()).stderr(Stdio::null());
        let before = asked.total();
        let mut child = command.spawn().expect("the executable starts");
        // A step of a linear congruential generator (Knuth's MMIX) is random enough for a moment.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        assert!(asked.wait_for(before + 1 + (state >> 33) as usize % 8), "kill {kill}");
        child.kill().expect("a kill");
        child.wait().expect("its end");
        let now = entries();
        assert!(now >= kept, "kill {kill}: {kept} entries became {now}");
        kept = now;
    }
    let before = asked.total();
    let outcome = folder.against(&server.base_url, &["run", "--concurrency", "8"]);
    assert!([0, 10, 11].contains(&outcome.code), "{}", outcome.text());
    // Cached answers were not requested; the others were, once.
    assert_eq!((asked.total() - before) as u64, asked.distinct() as u64 - kept);
    assert_eq!(normal(folder.report()), undisturbed);
    assert_eq!(requests(&folder, &server, &asked, &[]), 0);
}

/// A report without the fields that differ between runs: times and cache counts.
fn normal(mut report: Value) -> Value {
    const VOLATILE: [&str; 10] = [
        "started_at",
        "duration_ms",
        "usage",
        "latency_ms",
        "cached",
        "cached_at",
        "call",
        "judging",
        "calls",
        "answered",
    ];
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|name, _| !VOLATILE.contains(&name.as_str()));
                fields.values_mut().for_each(strip);
            }
            Value::Array(values) => {
                values.retain(|value| value["name"] != "latency");
                values.iter_mut().for_each(strip);
            }
            _ => {}
        }
    }
    strip(&mut report);
    report
}
