//! Limits on latency, tokens and cost.

use super::builders::{analysis, completed, criterion, metric, policy, same, single_outcome};
use crate::gate::{Bound, Criterion, Requirement, Statistic};
use crate::model::{Analysis, Cell, CriterionVerdict, MetricScores, Verdict};

fn limit(metric: &str, statistic: Statistic, bound: Bound) -> Criterion {
    criterion("limit", metric, Requirement::Limit { statistic, bound })
}

#[test]
fn p95_limit_is_literal_below_59_trials() {
    let seconds = |n: u32| (0..n).map(|case| vec![1.0 + f64::from(case) / 100.0]).collect::<Vec<_>>();
    let p95 = |n, allowed| {
        single_outcome(
            vec![metric("latency", &seconds(n), None)],
            limit("latency", Statistic::P95, Bound::Absolute(allowed)),
        )
    };
    let few = p95(58, 2.0);
    assert_eq!((few.verdict, few.p), (CriterionVerdict::Pass, None));
    assert_eq!(few.method, "literal (too few trials for an interval)");
    assert!(few.explanation.contains("too few values"), "{}", few.explanation);
    assert_eq!(p95(58, 1.5).verdict, CriterionVerdict::Fail);
    let enough = p95(59, 2.0);
    assert_eq!((enough.verdict, enough.method.as_str()), (CriterionVerdict::Pass, "order statistics"));
    assert_eq!(enough.upper, Some(1.58));
    assert_eq!(p95(59, 1.2).verdict, CriterionVerdict::Fail);
    // The estimate meets the limit, but an overshoot of more than 5 % is not ruled out.
    let mut tail = seconds(59);
    tail[58][0] = 9.0;
    let open = single_outcome(
        vec![metric("latency", &tail, None)],
        limit("latency", Statistic::P95, Bound::Absolute(1.6)),
    );
    assert_eq!(open.verdict, CriterionVerdict::Inconclusive, "{}", open.explanation);
}

#[test]
fn mean_limit_mirrors_a_threshold() {
    let tokens: Vec<Vec<f64>> = (0..30).map(|case| vec![100.0, 110.0, 90.0 + f64::from(case % 5)]).collect();
    let mean = |bound| {
        single_outcome(
            vec![metric("output_tokens", &tokens, None)],
            limit("output_tokens", Statistic::Mean, bound),
        )
    };
    let pass = mean(Bound::Absolute(110.0));
    assert_eq!((pass.verdict, pass.method.as_str()), (CriterionVerdict::Pass, "t"));
    assert!(pass.lower < pass.estimate && pass.estimate < pass.upper);
    assert_eq!(mean(Bound::Absolute(90.0)).verdict, CriterionVerdict::Fail);
    assert_eq!(mean(Bound::Absolute(100.5)).verdict, CriterionVerdict::Inconclusive);
    let single = single_outcome(
        vec![metric("output_tokens", &[vec![100.0]], None)],
        limit("output_tokens", Statistic::Mean, Bound::Absolute(100.0)),
    );
    assert_eq!((single.verdict, single.p), (CriterionVerdict::Pass, None));
    assert!(single.method.starts_with("literal"));
}

#[test]
fn relative_limit_compares_with_the_baseline() {
    let theirs: Vec<Vec<f64>> = (0..100).map(|case| vec![100.0, 101.0, 99.0 + f64::from(case % 3)]).collect();
    let scaled = |factor: f64| -> Vec<Vec<f64>> {
        theirs.iter().map(|row| row.iter().map(|tokens| tokens * factor).collect()).collect()
    };
    for statistic in [Statistic::Mean, Statistic::P50, Statistic::P95] {
        let outcome = |factor| {
            let metric = metric("output_tokens", &scaled(factor), Some(&theirs));
            single_outcome(vec![metric], limit("output_tokens", statistic, Bound::MaxIncrease(0.2)))
        };
        assert_eq!(outcome(1.1).verdict, CriterionVerdict::Pass, "{statistic:?}: {:?}", outcome(1.1));
        let over = outcome(1.3);
        assert_eq!(over.verdict, CriterionVerdict::Fail, "{statistic:?}: {over:?}");
        assert!(
            (over.required.unwrap() / 1.2 - 100.0).abs() < 2.0 && over.estimate > Some(125.0),
            "{over:?}"
        );
    }
}

#[test]
fn relative_latency_limit_needs_a_fresh_baseline() {
    let seconds = same(&[1.0, 1.1, 0.9], 30);
    let mut run = analysis(vec![metric("latency", &seconds, Some(&seconds))]);
    let policy = policy(vec![limit("latency", Statistic::P50, Bound::MaxIncrease(0.5))]);
    assert_eq!(completed(&run, &policy).verdict, Verdict::Pass);
    run.sessions_differ = true;
    let decision = completed(&run, &policy);
    assert_eq!(decision.verdict, Verdict::Incomplete);
    assert!(decision.criteria[0].explanation.contains("needs a fresh baseline"));
}

/// Latencies of `cases` cases that differ between cases by a factor of ten, and between repeats by some percent.
fn latencies(cases: usize, repeats: usize, factor: f64, shift: usize) -> Vec<Vec<f64>> {
    let row = |case: usize| {
        let jitter = |repeat: usize| 1.0 + ((case * 7 + repeat * 5 + shift) % 9) as f64 / 100.0;
        (0..repeats)
            .map(|repeat| factor * (1.0 + case as f64 * 9.0 / cases as f64) * jitter(repeat))
            .collect()
    };
    (0..cases).map(row).collect()
}

#[test]
fn relative_median_is_permuted_by_log_latency() {
    let outcome = |factor| {
        let scores = metric("latency", &latencies(10, 3, factor, 3), Some(&latencies(10, 3, 1.0, 0)));
        single_outcome(vec![scores], limit("latency", Statistic::P50, Bound::MaxIncrease(0.2)))
    };
    let same = outcome(1.0);
    assert_eq!(same.verdict, CriterionVerdict::Pass, "{}", same.explanation);
    assert!(same.method.starts_with("permutation"), "{}", same.method);
    assert!(same.lower <= same.estimate && same.estimate <= same.upper);
    let slower = outcome(1.5);
    assert_eq!(slower.verdict, CriterionVerdict::Fail, "{}", slower.explanation);
    assert!(slower.p.is_some_and(|p| p < 0.05));
}

#[test]
fn relative_median_of_noisy_latencies_is_not_literal() {
    // The medians differ by 30 %, but so do the repeats of each case.
    let rows = |shift: usize| -> Vec<Vec<f64>> {
        (0..6).map(|case| (0..2).map(|r| [0.5, 1.0, 2.0][(case + r + shift) % 3]).collect()).collect()
    };
    let theirs: Vec<Vec<f64>> = rows(0).into_iter().map(|row| vec![row[0], row[1]]).collect();
    let mut ours = rows(1);
    ours[0][0] *= 1.3;
    let outcome = single_outcome(
        vec![metric("latency", &ours, Some(&theirs))],
        limit("latency", Statistic::P50, Bound::MaxIncrease(0.0)),
    );
    assert_eq!(outcome.verdict, CriterionVerdict::Inconclusive, "{outcome:?}");
}

#[test]
fn relative_p95_of_few_trials_is_undecided_until_it_has_enough() {
    let outcome = |cases, repeats| {
        let rows = latencies(cases, repeats, 1.0, 0);
        let scores = metric("latency", &rows, Some(&rows));
        single_outcome(vec![scores], limit("latency", Statistic::P95, Bound::MaxIncrease(0.5)))
    };
    // ln(0.025) / ln(0.95) = 71.9 trials of each variant.
    let few = outcome(10, 7);
    assert_eq!(
        (few.verdict, few.method.as_str()),
        (CriterionVerdict::Inconclusive, "order statistics (too few trials for an interval)")
    );
    assert_eq!(
        few.need,
        Some(crate::model::Need::Repeats(3)),
        "the last look of a longer schedule has less alpha"
    );
    assert_eq!(outcome(10, 8).verdict, CriterionVerdict::Pass);
}

/// One answer for each of 200 cases within the limit, of which `fresh` come from this run and take this many seconds.
fn mostly_cached(fresh: u32, seconds: f64) -> Analysis {
    let own = |case: u32| seconds + f64::from(case) / 1000.0;
    let answer = |case| if case < fresh { own(case) } else { 0.1 };
    let all: Vec<Vec<f64>> = (0..200).map(|case| vec![answer(case)]).collect();
    let mut run = analysis(vec![metric("latency", &all, None)]);
    let row = |case| Some([if case < fresh { Cell::Value(own(case)) } else { Cell::NotAsked }]);
    let mut only_fresh: MetricScores = run.metrics[0].clone();
    only_fresh.scores.candidate = (0..200).map(row).collect();
    run.fresh_times = vec![only_fresh];
    run
}

#[test]
fn absolute_latency_limit_ignores_cached_answers() {
    let decided = |statistic, fresh, seconds| {
        let limit = limit("latency", statistic, Bound::Absolute(1.0));
        completed(&mostly_cached(fresh, seconds), &policy(vec![limit]))
    };
    // 59 values bound a p95 with 95 % confidence, 5 a median; a mean of five is compared, but too uncertain to pass.
    let (pass, fail, open) = (Verdict::Pass, Verdict::Fail, Verdict::Inconclusive);
    for (statistic, enough, within) in [
        (Statistic::P95, 59, pass),
        (Statistic::P50, 5, pass),
        (Statistic::Mean, 5, open),
        (Statistic::Mean, 30, pass),
    ] {
        assert_eq!(decided(statistic, enough, 1.5).verdict, fail, "{statistic:?}");
        assert_eq!(decided(statistic, enough, 0.5).verdict, within, "{statistic:?}");
        if enough == 30 {
            continue;
        }
        for seconds in [0.5, 1.5] {
            let few = decided(statistic, enough - 1, seconds);
            assert_eq!(few.verdict, Verdict::Incomplete, "{statistic:?}");
            let why = &few.criteria[0].explanation;
            assert!(why.contains("not measured") && why.contains("--refresh"), "{why}");
        }
    }
}

#[test]
fn small_suite_needs_all_its_latencies_fresh() {
    let limit = limit("latency", Statistic::P95, Bound::Absolute(1.0));
    let mut run = analysis(vec![metric("latency", &same(&[0.5], 3), None)]);
    let mut partly = run.metrics[0].clone();
    partly.scores.candidate =
        [Cell::Value(0.5), Cell::Value(0.5), Cell::NotAsked].map(|cell| Some([cell])).into_iter().collect();
    run.fresh_times = vec![partly];
    let verdict = |run: &Analysis| completed(run, &policy(vec![limit.clone()])).verdict;
    assert_eq!(verdict(&run), Verdict::Incomplete);
    run.fresh_times = Vec::new();
    assert_eq!(verdict(&run), Verdict::Pass);
}

#[test]
fn time_to_first_token_is_limited_like_latency() {
    let decided = |ttft: &[f64], limit: Bound| {
        let baseline = same(&[0.5], 80);
        let run = analysis(vec![
            metric("latency", &same(&[2.0], 80), Some(&same(&[2.0], 80))),
            metric("ttft", &same(ttft, 80), Some(&baseline)),
        ]);
        completed(&run, &policy(vec![self::limit("ttft", Statistic::P95, limit)])).verdict
    };
    assert_eq!(decided(&[0.5], Bound::Absolute(1.0)), Verdict::Pass);
    assert_eq!(decided(&[1.5], Bound::Absolute(1.0)), Verdict::Fail);
    assert_eq!(decided(&[1.5], Bound::MaxIncrease(0.2)), Verdict::Fail);
}

#[test]
fn limit_on_a_time_that_no_answer_has_is_never_green() {
    let run = analysis(vec![metric("latency", &same(&[0.5], 80), None)]);
    let limit = limit("ttft", Statistic::P95, Bound::Absolute(9.0));
    assert_eq!(completed(&run, &policy(vec![limit])).verdict, Verdict::Incomplete);
}

#[test]
fn cached_answers_without_a_stream_do_not_pass_a_limit_on_the_first_token() {
    // Two of 80 answers are new and fast.
    let mut run = analysis(vec![metric("latency", &same(&[0.5], 80), None)]);
    let mut ttft = run.metrics[0].clone();
    "ttft".clone_into(&mut ttft.name);
    let cell = |case| Some([if case < 2 { Cell::Value(0.1) } else { Cell::NotAsked }]);
    ttft.scores.candidate = (0..80).map(cell).collect();
    run.metrics.push(ttft.clone());
    run.fresh_times = vec![run.metrics[0].clone(), ttft];
    let limit = limit("ttft", Statistic::P95, Bound::Absolute(1.0));
    let decision = completed(&run, &policy(vec![limit]));
    assert_eq!(decision.verdict, Verdict::Incomplete);
    assert!(decision.criteria[0].explanation.contains("2 fresh times to the first token"));
}
