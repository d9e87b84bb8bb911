//! Runs split into shards and joined again.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::*;
use crate::{FileSpool, fixtures};
use promptgate_core::model::{Ended, Fault, FaultKind, Run, SelfTest, TrialResult};

/// The run of one shard's cases.
fn part_of(run: &Run, shard: Shard) -> (Run, Vec<usize>) {
    let places: Vec<usize> = run
        .cases
        .iter()
        .enumerate()
        .filter(|(_, case)| shard.holds(&case.id))
        .map(|(place, _)| place)
        .collect();
    let mut part = run.clone();
    part.cases = places.iter().map(|place| run.cases[*place].clone()).collect();
    part.applies = run.applies.iter().map(|row| places.iter().map(|place| row[*place]).collect()).collect();
    part.trials = run
        .trials
        .iter()
        .filter_map(|trial| {
            let case = places.iter().position(|place| *place == trial.case)?;
            Some(promptgate_core::model::Trial { case, ..trial.clone() })
        })
        .collect();
    (part, places)
}

/// The shard files of a run, written and read back.
fn files(run: &Run, of: u32, change: impl Fn(Shard, &mut Run)) -> Vec<(String, ShardFile)> {
    spilled(run, of, change, None)
}

/// The shard files of a run, written and read back into a spool.
fn spilled(
    run: &Run,
    of: u32,
    change: impl Fn(Shard, &mut Run),
    spool: Option<&Arc<FileSpool>>,
) -> Vec<(String, ShardFile)> {
    let mut policy = fixtures::pass().policy;
    (policy.repeats, policy.max_repeats) = (run.repeats.per_case, run.repeats.per_case);
    let cases = digest_of_cases(run.cases.iter().enumerate().map(|(index, case)| {
        CaseInPlan {
            id: &case.id,
            tags: &case.tags,
            group: case.group.as_deref(),
            must_pass: case.must_pass,
            added: case.added,
            scorers: run
                .scorers
                .iter()
                .zip(&run.applies)
                .filter(|(_, applies)| applies[index])
                .map(|(name, _)| name.as_str())
                .collect(),
        }
    }));
    let all = (1..=of).map(|index| {
        let shard = Shard::new(index, of).expect("a shard");
        let (mut part, places) = part_of(run, shard);
        change(shard, &mut part);
        let context = ShardContext {
            shard,
            places,
            parts: BTreeMap::from([("cases".to_owned(), cases.clone())]),
            policy: policy.clone(),
            inconclusive_passes: false,
            override_by: Vec::new(),
        };
        let text = serde_json::to_string(&ShardFile::new(&part, context, None)).expect("JSON");
        let name = shard.file_name();
        let read = read(&name, &text, spool).unwrap_or_else(|diagnostics| panic!("{name}: {diagnostics}"));
        (name, read)
    });
    all.collect()
}

/// A run without totals, which joining adds up.
fn whole() -> Run {
    let mut run = fixtures::pass().to_run().expect("a run");
    run.totals = Default::default();
    run
}

#[test]
fn joined_shards_equal_the_run_in_any_order() {
    let no_baseline = fixtures::no_baseline().to_run().expect("a run");
    for run in [whole(), Run { totals: Default::default(), ..no_baseline }] {
        for of in [1, 2, 3, 5, 8, 40] {
            let mut shards = files(&run, of, |_, _| {});
            shards.reverse();
            let joined = join(shards, &[]).unwrap_or_else(|diagnostics| panic!("{of}: {diagnostics}"));
            assert_eq!(joined.run, run, "{of}");
        }
    }
}

#[test]
fn report_of_spilled_shards_equals_that_of_the_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut run = whole();
    let fault = Fault::new(FaultKind::Timeout, "too slow");
    run.trials[0].result = TrialResult::Missing(fault);
    for of in [1, 3, 8] {
        let spool = Arc::new(FileSpool::new(folder.path()).expect("a spool"));
        let joined = join(spilled(&run, of, |_, _| {}, Some(&spool)), &[]).expect("a run");
        let in_memory = |run: &Run| {
            let is_in_memory = |trial: &&promptgate_core::model::Trial| match &trial.result {
                TrialResult::Completed(completed) => completed.in_memory().is_some(),
                TrialResult::Missing(_) => false,
            };
            run.trials.iter().filter(is_in_memory).count()
        };
        assert_eq!((in_memory(&joined.run), in_memory(&run)), (0, run.trials.len() - 1));
        let json = |run: &Run, spool| {
            serde_json::to_string(&Report::undecided(run, fixtures::pass().policy, spool)).expect("JSON")
        };
        assert_eq!(json(&joined.run, Some(&spool)), json(&run, None), "{of}");
    }
}

#[test]
fn joined_usage_is_summed_and_duration_is_the_longest() {
    let one = fixtures::fail().to_run().expect("a run").totals;
    let joined = join(
        files(&whole(), 3, |shard, run| {
            run.totals = one;
            run.duration_ms = u64::from(shard.index) * 100;
            run.started_at = format!("2026-11-0{}T00:00:00Z", 9 - shard.index);
            run.warnings = vec!["all".to_owned(), format!("of {shard}")];
        }),
        &[],
    )
    .expect("a run");
    assert_eq!(joined.run.totals.calls, 3 * one.calls);
    assert_eq!(joined.run.totals.judgements.prompt_tokens, 3 * one.judgements.prompt_tokens);
    assert_eq!((joined.run.duration_ms, joined.run.started_at.as_str()), (300, "2026-11-06T00:00:00Z"));
    assert_eq!(joined.run.warnings, ["all", "of 1/3", "of 2/3", "of 3/3"]);
}

#[test]
fn unfinished_shard_stops_the_run() {
    let stopped = Ended::Stopped(Fault::new(FaultKind::BudgetSpent, "the budget is spent").help("raise it"));
    let ended = |endings: [Ended; 3]| {
        let shards = files(&whole(), 3, |shard, run| {
            run.ended = endings[shard.index as usize - 1].clone();
        });
        join(shards, &[]).expect("a run").run.ended
    };
    let Ended::Stopped(fault) = ended([Ended::Completed, stopped.clone(), Ended::Interrupted]) else {
        panic!("not stopped");
    };
    assert_eq!(fault.kind, FaultKind::BudgetSpent);
    assert_eq!(fault.message, "shard 2/3: the budget is spent; also not done: 3/3");
    assert_eq!(fault.help.as_deref(), Some("raise it"));
    let Ended::Stopped(fault) = ended([Ended::Interrupted, Ended::FailedFast, Ended::Completed]) else {
        panic!("not stopped");
    };
    assert_eq!(fault.kind, FaultKind::Interrupted);
    assert_eq!(ended([Ended::Completed, Ended::FailedFast, Ended::Completed]), Ended::FailedFast);
}

#[test]
fn failed_self_test_of_any_shard_is_kept() {
    let self_test = |report: Report| report.to_run().expect("a run").judge.expect("a judge").self_test;
    let passed = self_test(fixtures::pass()).expect("a self-test");
    let failed = self_test(fixtures::unfit_judge()).expect("a self-test");
    assert!(passed.passed() && !failed.passed());
    let rejected = Ended::Stopped(Fault::new(FaultKind::UnfitJudge, "rejected"));
    let tested = |tests: [Option<&SelfTest>; 3]| {
        let shards = files(&whole(), 3, |shard, run| {
            let test = tests[shard.index as usize - 1].cloned();
            if test.as_ref().is_some_and(|test| !test.passed()) {
                run.ended = rejected.clone();
            }
            run.judge.as_mut().expect("a judge").self_test = test;
        });
        join(shards, &[]).expect("a run").run.judge.expect("a judge").self_test
    };
    assert_eq!(tested([None, Some(&passed), None]), Some(passed.clone()));
    assert_eq!(tested([Some(&passed), Some(&failed), Some(&passed)]), Some(failed.clone()));
    assert_eq!(tested([Some(&failed), Some(&passed), None]), Some(failed.clone()));
    // A finished shard with a failed self-test contradicts itself.
    let mut run = whole();
    run.judge.as_mut().expect("a judge").self_test = Some(failed.clone());
    let shard = Shard::new(1, 1).expect("a shard");
    let (part, places) = part_of(&run, shard);
    let mut policy = fixtures::pass().policy;
    (policy.repeats, policy.max_repeats) = (run.repeats.per_case, run.repeats.per_case);
    let context = ShardContext {
        shard,
        places,
        parts: BTreeMap::new(),
        policy,
        inconclusive_passes: false,
        override_by: Vec::new(),
    };
    let text = serde_json::to_string(&ShardFile::new(&part, context, None)).expect("JSON");
    let message = read("shard-1-of-1.json", &text, None).expect_err("a contradiction").to_string();
    assert!(message.contains("failed its self-test"), "{message}");
}

#[test]
fn shard_names_parse_back() {
    for text in ["1/1", "3/8", "10000/10000"] {
        let shard: Shard = text.parse().expect("a shard");
        assert_eq!(shard.to_string(), text);
        assert_eq!(Shard::of_file_name(&shard.file_name()), Some(shard));
    }
    for name in ["shard-0-of-3.json", "shard-4-of-3.json", "shard-1.json", "shard-a-of-b.json", "report.json"]
    {
        assert_eq!(Shard::of_file_name(name), None, "{name}");
    }
}

proptest! {
    #[test]
    fn every_id_belongs_to_one_shard(id in ".*", of in 1_u32..60) {
        let holders = (1..=of).filter(|index| Shard { index: *index, of }.holds(&id)).count();
        prop_assert_eq!(holders, 1);
    }

    #[test]
    fn damaged_shard_is_an_error(cut in 0_usize..100_000, byte in any::<u8>()) {
        static FILE: LazyLock<String> =
            LazyLock::new(|| serde_json::to_string(&files(&whole(), 1, |_, _| {})[0].1).expect("JSON"));
        let mut bytes = FILE.clone().into_bytes();
        let at = cut % bytes.len();
        bytes[at] = byte;
        if let Ok(text) = String::from_utf8(bytes.clone()) {
            let _ = read("shard-1-of-1.json", &text, None);
        }
        bytes.truncate(at);
        if let Ok(text) = String::from_utf8(bytes) {
            prop_assert!(read("shard-1-of-1.json", &text, None).is_err());
        }
    }
}
