//! The cache on real files: entries are found again, damage is reported, waiting callers are served.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use serde_json::json;

use super::handle::Lookup;
use super::record::{Record, now};
use super::table::{self, Table};
use super::*;
use promptgate_core::model::{
    CallFacts, CallOrigin, CallReason, ChatRequest, Completion, Diagnostic, Fault, FaultKind, FinishReason,
    Message, MessageRole, Purpose,
};
use promptgate_core::port::{ChatModel, Event, EventSink, NullSink};
use promptgate_testing::{RecordedEvents, ScriptedModel, completion, request_of};

/// A model that responds with the call number, and with a fault for the model `dead`.
fn numbering() -> Arc<ScriptedModel<'static>> {
    Arc::new(ScriptedModel::new(|request, number| {
        if request.model == "dead" {
            return Err(Fault::new(FaultKind::Unavailable, "503"));
        }
        Ok(Completion {
            finish_reason: FinishReason::Length,
            latency_ms: 12.34567891,
            model: Some("m-1".to_owned()),
            ..completion(format!("answer {number}"))
        })
    }))
}

fn request(text: &str) -> ChatRequest {
    let parameters = json!({"temperature": 0, "seed": {"b": 1, "a": [2]}});
    ChatRequest { parameters: parameters.as_object().unwrap().clone(), ..request_of(text) }
}

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("new/cache.redb")
    }

    fn open(&self) -> Cache {
        Cache::open(&self.path(), Duration::ZERO).unwrap()
    }

    /// Returns a numbering model behind the cache, and the numbering model itself.
    fn model(&self, options: CacheOptions) -> (Cached, Arc<ScriptedModel<'static>>) {
        let inner = numbering();
        let model = Arc::clone(&inner) as Arc<dyn ChatModel>;
        let cached = Cached::new(model, Arc::new(self.open()), "http://h/v1", options, Arc::new(NullSink));
        (cached, inner)
    }
}

#[tokio::test]
async fn a_repeated_request_returns_the_cached_completion_unchanged() {
    let bench = Bench::new();
    let first = {
        let (model, inner) = bench.model(CacheOptions::default());
        let first = model.complete(&request("a")).await.unwrap();
        assert_eq!((inner.call_count(), first.cached_at), (1, None));
        // A pending entry is found too.
        assert_eq!(model.complete(&request("a")).await.unwrap().text, first.text);
        assert_eq!(inner.call_count(), 1);
        first
    };
    let (model, inner) = bench.model(CacheOptions { cached_only: true, ..CacheOptions::default() });
    let again = model.complete(&request("a")).await.unwrap();
    assert!(again.cached_at.is_some_and(|at| at.abs_diff(now()) < 600));
    assert_eq!(again.call, Some(CallFacts::spared(CallOrigin::Cached)));
    assert_eq!(first.call, Some(CallFacts::made(CallReason::NotCached)));
    assert_eq!(Completion { cached_at: None, call: first.call, ..again }, first);
    let fault = model.complete(&request("b")).await.unwrap_err();
    assert_eq!((fault.kind, inner.call_count()), (FaultKind::NotCached, 0));
}

#[tokio::test]
async fn a_key_depends_on_the_request_alone() {
    let bench = Bench::new();
    let (model, inner) = bench.model(CacheOptions::default());
    model.complete(&request("a")).await.unwrap();
    // The order of parameters does not matter.
    let reordered = ChatRequest {
        parameters: [("seed".to_owned(), json!({"a": [2], "b": 1})), ("temperature".to_owned(), json!(0))]
            .into_iter()
            .collect(),
        ..request("a")
    };
    model.complete(&reordered).await.unwrap();
    assert_eq!(inner.call_count(), 1);
    let others = [
        request("b"),
        ChatRequest { model: "n".to_owned(), ..request("a") },
        ChatRequest { repeat: 1, ..request("a") },
        ChatRequest { parameters: Default::default(), ..request("a") },
        ChatRequest { messages: vec![Message::new(MessageRole::System, "a".to_owned())], ..request("a") },
    ];
    for (index, other) in (2..).zip(&others) {
        model.complete(other).await.unwrap();
        assert_eq!(inner.call_count(), index, "{other:?}");
    }
}

#[test]
fn a_scope_omits_credentials_and_final_slash() {
    assert_eq!(scope("HTTPS://me:secret@Api.Example.com/V1/", &[]), "https://api.example.com/V1");
    assert_eq!(scope("https://api.example.com/V1", &[]), "https://api.example.com/V1");
    assert_ne!(scope("https://api.example.com/V1", &[]), scope("https://api.example.com/v1", &[]));
    assert_ne!(scope("https://h/v1?api-version=1", &[]), scope("https://h/v1?api-version=2", &[]));
}

#[tokio::test]
async fn equal_concurrent_requests_make_one_call() {
    let bench = Bench::new();
    let (model, inner) = bench.model(CacheOptions::default());
    let requests: Vec<ChatRequest> = (0..40).map(|index| request(&format!("q{}", index % 4))).collect();
    let answers = join_all(requests.iter().map(|request| model.complete(request))).await;
    assert_eq!(inner.call_count(), 4);
    for (index, answer) in answers.iter().enumerate() {
        assert_eq!(answer.as_ref().unwrap().text, answers[index % 4].as_ref().unwrap().text);
    }
}

#[tokio::test]
async fn a_fault_is_not_cached_and_releases_waiting_calls() {
    let bench = Bench::new();
    let (model, inner) = bench.model(CacheOptions::default());
    let dead = ChatRequest { model: "dead".to_owned(), ..request("a") };
    let results = join_all([model.complete(&dead), model.complete(&dead)]).await;
    assert!(results.iter().all(Result::is_err));
    assert_eq!(inner.call_count(), 2);
    model.cache().close().unwrap();
    assert_eq!(model.cache().statistics().unwrap().completions.len(), 0);
}

#[tokio::test]
async fn a_refresh_makes_one_call_and_replaces_the_entry() {
    let bench = Bench::new();
    {
        let (model, _) = bench.model(CacheOptions::default());
        model.complete(&request("other")).await.unwrap();
        assert_eq!(model.complete(&request("a")).await.unwrap().text, "answer 1");
    }
    {
        let (model, inner) = bench.model(CacheOptions { refresh: true, ..CacheOptions::default() });
        assert_eq!(model.complete(&request("a")).await.unwrap().text, "answer 0");
        // Within the run, the new entry is reused before and after its commit.
        assert_eq!(model.complete(&request("a")).await.unwrap().text, "answer 0");
        model.cache().close().unwrap();
        assert_eq!(model.complete(&request("a")).await.unwrap().text, "answer 0");
        assert_eq!(inner.call_count(), 1);
    }
    let (model, _) = bench.model(CacheOptions { cached_only: true, ..CacheOptions::default() });
    assert_eq!(model.complete(&request("a")).await.unwrap().text, "answer 0");
}

#[tokio::test]
async fn an_entry_older_than_max_age_is_requested_again() {
    let bench = Bench::new();
    let old = Record { at: now() - 7200, model: "m".to_owned(), text: cached("old") };
    let keys = ["a", "b"].map(|text| key::of_request("http://h/v1", &request(text)));
    let cache = bench.open();
    keys.iter().for_each(|key| cache.insert(Table::Completions, *key, &old, false));
    drop(cache);
    let (model, inner) =
        bench.model(CacheOptions { max_age: Some(Duration::from_secs(9000)), ..CacheOptions::default() });
    assert_eq!(model.complete(&request("a")).await.unwrap().text, "old");
    // A request with `refresh` ignores it.
    let refresh = ChatRequest { refresh: true, ..request("a") };
    let fresh = model.complete(&refresh).await.unwrap();
    assert_eq!((fresh.text.as_str(), fresh.call), ("answer 0", Some(CallFacts::made(CallReason::Refresh))));
    assert_eq!(model.complete(&refresh).await.unwrap().text, "answer 0");
    drop(model);
    let (model, _) =
        bench.model(CacheOptions { max_age: Some(Duration::from_secs(3600)), ..CacheOptions::default() });
    let fresh = model.complete(&request("b")).await.unwrap();
    assert_eq!((fresh.text.as_str(), fresh.call), ("answer 0", Some(CallFacts::made(CallReason::TooOld))));
    assert_eq!(inner.call_count(), 1);
}

fn cached(text: &str) -> String {
    json!({"text": text, "refusal": false, "finish_reason": "stop", "usage": null, "latency_ms": 1.0,
        "model": null, "system_fingerprint": null})
    .to_string()
}

#[tokio::test]
async fn judgements_are_recalled_unchanged() {
    let bench = Bench::new();
    let (model, inner) = bench.model(CacheOptions::default());
    let memory = model.judgement_cache().unwrap();
    let first = memory.get("judge and conversation").await.unwrap();
    assert!(first.record.is_none() && first.claim.is_some());
    let mut second = memory.get("judge and conversation");
    assert!(futures::poll!(second.as_mut()).is_pending(), "another caller is computing this judgement");
    memory.put("judge and conversation", "judge", "[1]".to_owned());
    drop(first);
    assert_eq!((&mut second).await.unwrap().record.as_deref(), Some("[1]"));
    drop(second);
    // A judgement request is passed on: its response has yet to be parsed.
    let judgement = ChatRequest { purpose: Purpose::Judgement, ..request("a") };
    for _ in 0..2 {
        model.complete(&judgement).await.unwrap();
    }
    assert_eq!(inner.call_count(), 2);
    drop(model);
    let statistics = bench.open().statistics().unwrap();
    assert_eq!((statistics.completions.len(), statistics.judgements["judge"].entries), (0, 1));
}

#[tokio::test]
async fn every_hit_emits_an_event() {
    let bench = Bench::new();
    let (sink, model) = (Arc::new(RecordedEvents::default()), numbering());
    let events = Arc::clone(&sink) as Arc<dyn EventSink>;
    let model = Cached::new(model, Arc::new(bench.open()), "http://h", CacheOptions::default(), events);
    for _ in 0..3 {
        model.complete(&request("a")).await.unwrap();
    }
    assert_eq!(sink.count(|event| matches!(event, Event::CacheHit { .. })), 2);
}

#[tokio::test]
async fn pruning_removes_old_entries_and_shrinks_the_file() {
    let bench = Bench::new();
    let started = now();
    // A thousand seconds between two entries, so that a slow test prunes the same ones.
    let record = |index: u64| Record {
        at: started - 1000 * (400 - index),
        model: format!("m{}", index % 2),
        text: "x".repeat(5000),
    };
    let key = |index: u64| key::of_text("", &index.to_string());
    let cache = bench.open();
    (0..400).for_each(|index| cache.insert(Table::Completions, key(index), &record(index), false));
    cache.insert(Table::Judgements, key(0), &record(398), false);
    let of_the_future = Record { at: started + 86_400, ..record(399) };
    cache.insert(Table::Judgements, key(1), &of_the_future, false);
    cache.close().unwrap();
    let before = cache.statistics().unwrap();
    assert_eq!((before.completions["m0"].entries, before.completions["m1"].oldest), (200, started - 399_000));
    assert!(before.file_bytes > 2_000_000, "{}", before.file_bytes);
    assert_eq!(cache.prune(Duration::from_secs(10_500)).unwrap(), 390 + 1);
    let after = bench.open().statistics().unwrap();
    assert_eq!((after.completions["m0"].entries, after.judgements["m0"].entries), (5, 1));
    assert!(after.file_bytes < before.file_bytes / 2, "{} {}", after.file_bytes, before.file_bytes);
    assert_eq!(bench.open().clear().unwrap(), 11);
}

#[test]
fn a_locked_cache_names_the_owning_process() {
    let bench = Bench::new();
    let cache = bench.open();
    let diagnostic = Cache::open(&bench.path(), Duration::ZERO).err().unwrap().to_string();
    assert!(
        diagnostic.contains(&format!("process {} has held the cache", std::process::id())),
        "{diagnostic}"
    );
    assert!(diagnostic.contains("cache.redb") && diagnostic.contains("--no-cache"), "{diagnostic}");
    drop(cache);
    bench.open();
}

#[test]
fn a_file_that_is_not_a_cache_is_left_unchanged() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path().parent().unwrap()).unwrap();
    for bytes in [&b"id,query\n1,a\n"[..], &[0; 5000], b"redb"] {
        std::fs::write(bench.path(), bytes).unwrap();
        let diagnostic = Cache::open(&bench.path(), Duration::ZERO).err().unwrap().to_string();
        assert!(diagnostic.contains("cache.redb") && diagnostic.contains("cannot be"), "{diagnostic}");
        assert_eq!(std::fs::read(bench.path()).unwrap(), bytes);
    }
}

#[cfg(unix)]
#[test]
fn links_are_refused_and_foreign_files_stay_unchanged() {
    let bench = Bench::new();
    let path = bench.path();
    let lock = path.with_file_name("cache.redb.lock");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let elsewhere = path.with_file_name("elsewhere");
    std::fs::write(&elsewhere, "mine").unwrap();
    let refused = |what: &str| {
        let diagnostic = Cache::open(&path, Duration::ZERO).err().unwrap().to_string();
        assert!(diagnostic.contains(what), "{diagnostic}");
        assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), "mine");
    };
    for link in [&lock, &path] {
        std::os::unix::fs::symlink(&elsewhere, link).unwrap();
        refused("this is a link");
        std::fs::remove_file(link).unwrap();
    }
    std::fs::write(&lock, "mine").unwrap();
    refused("not the lock of a cache");
    assert_eq!(std::fs::read_to_string(&lock).unwrap(), "mine");
}

#[test]
fn a_leftover_of_an_interrupted_creation_is_replaced() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path().parent().unwrap()).unwrap();
    std::fs::write(bench.path().with_file_name("cache.redb.new"), [0; 5000]).unwrap();
    bench.open();
    std::fs::write(bench.path(), "").unwrap();
    let diagnostic = Cache::open(&bench.path(), Duration::ZERO).err().unwrap().to_string();
    assert!(diagnostic.contains("cannot be read"), "an empty file is not a cache: {diagnostic}");
}

#[test]
fn headers_are_part_of_the_scope() {
    let of = |headers: &[(&str, Option<&str>)]| scope("https://h/v1", headers);
    assert_ne!(of(&[("x-route", Some("big"))]), of(&[("x-route", Some("small"))]));
    assert_ne!(of(&[("api-key", None)]), of(&[]));
    assert_eq!(of(&[("A", Some("1")), ("b", None)]), of(&[("b", None), ("a", Some("1"))]));
    assert!(!of(&[("x-route", Some("big"))]).contains("big"));
}

#[test]
fn a_cache_of_another_version_is_rejected() {
    let bench = Bench::new();
    let cache = bench.open();
    let writing = cache.database.begin_write().unwrap();
    table::write_format(&writing, 9).unwrap();
    writing.commit().unwrap();
    drop(cache);
    let diagnostic = Cache::open(&bench.path(), Duration::ZERO).err().unwrap().to_string();
    assert!(diagnostic.contains("version 9"), "{diagnostic}");
}

/// Whichever bit is flipped, the cache reports damage or returns every entry unchanged.
#[tokio::test]
async fn a_damaged_file_is_reported_or_harmless() {
    let bench = Bench::new();
    let cache = bench.open();
    let key = |index: u64| key::of_text("", &index.to_string());
    let text = |index: u64| format!("{index:04}").repeat(40);
    for index in 0..60 {
        cache.insert(
            Table::Completions,
            key(index),
            &Record { at: 1, model: "m".to_owned(), text: text(index) },
            false,
        );
    }
    drop(cache);
    let intact = std::fs::read(bench.path()).unwrap();
    let (mut reported, mut harmless) = (0, 0);
    // Every page, at a moving offset.
    for (number, at) in (0..intact.len()).step_by(1009).enumerate().take(400) {
        let mut bytes = intact.clone();
        bytes[at] ^= 1 << (number % 8);
        std::fs::write(bench.path(), &bytes).unwrap();
        let Ok(cache) = Cache::open(&bench.path(), Duration::ZERO) else {
            reported += 1;
            continue;
        };
        let mut damage = false;
        for index in 0..60 {
            match cache.get_committed((Table::Completions, key(index)), Lookup::default()) {
                Ok(Ok(record)) => assert_eq!(record.text, text(index)),
                Ok(Err(_)) => damage = true,
                Err(fault) => {
                    assert_eq!(fault.kind, FaultKind::CacheDamaged);
                    assert!(fault.message.contains("cache.redb"), "{}", fault.message);
                    damage = true;
                }
            }
        }
        reported += u32::from(damage);
        harmless += u32::from(!damage);
    }
    assert!(reported > 0 && harmless > 0, "{reported} {harmless}");
}

#[tokio::test]
async fn an_entry_dated_in_the_future_is_older_than_any_age() {
    let bench = Bench::new();
    let weeks = |max_age| CacheOptions { max_age, ..CacheOptions::default() };
    let ages = [None, Some(Duration::from_secs(7 * 86_400))];
    // The second is within the difference of two clocks.
    for (later, is_old) in [(3600, true), (60, false)] {
        bench.model(weeks(None)).0.complete(&request("a")).await.unwrap();
        assert_eq!(bench.open().backdate(-later).unwrap(), 1);
        for max_age in ages {
            let (model, inner) = bench.model(weeks(max_age));
            model.complete(&request("a")).await.unwrap();
            let is_requested = inner.call_count() == 1;
            assert_eq!(is_requested, is_old && max_age.is_some(), "{later} {max_age:?}");
        }
        bench.open().clear().unwrap();
    }
}

#[test]
fn the_holder_of_a_cache_is_named_before_the_wait() {
    let bench = Bench::new();
    let open = || {
        let holders = std::cell::RefCell::new(Vec::new());
        let wait = Duration::from_millis(120);
        let opened =
            Cache::open_waiting(&bench.path(), wait, |holder| holders.borrow_mut().push(holder.to_owned()));
        (opened.map(drop).map_err(|error| error.to_string()), holders.into_inner())
    };
    let cache = bench.open();
    let (error, holders) = open();
    let own = format!("process {}", std::process::id());
    assert!(error.unwrap_err().contains(&format!("{own} has held the cache")));
    assert_eq!(holders, [own]);
    drop(cache);
    // Another program has the file itself, without the lock beside it.
    let database = table::open(&bench.path()).unwrap();
    let (error, holders) = open();
    assert!(error.unwrap_err().contains("another program has held the cache"));
    assert_eq!(holders, ["another program"]);
    drop(database);
    assert_eq!(open(), (Ok(()), Vec::new()));
}

#[test]
fn a_full_disk_is_distinguished_from_a_wrong_path() {
    let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
    let error = |why: std::io::Error| {
        OpenError::database(Diagnostic::new, "the cache cannot be written", &redb::Error::Io(why))
    };
    let of_disk = error(full);
    assert!(of_disk.is_out_of_space && of_disk.to_string().contains("the disk is full"), "{of_disk}");
    assert!(!error(std::io::ErrorKind::PermissionDenied.into()).is_out_of_space);
}
