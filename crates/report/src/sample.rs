//! Reports made by hand for tests: one per verdict, all of the same small suite.

mod judge;
mod trials;

pub use judge::planted;

use serde_json::{Map, json};
use trials::trial;

use super::v1::{Bound, Policy, PolicyCriterion, Report, Requirement, Rule, Scope as ReportScope, Statistic};
use promptgate_core::model::{
    Analysis, CallTotals, CaseFacts, CaseStatus, CaseSummary, Cell, CriterionOutcome, CriterionVerdict,
    DatasetFacts, Decision, Ended, Fault, FaultKind, Grade, Interval, Judged, LengthCorrelation, LookOutcome,
    MetricKind, MetricScores, MetricSummary, Outcome, PromptFacts, Reason, ReasonCode, RepeatCounts, Role,
    Run, Scope, Slice, ToSettle, TrialResult, Usage, VariantFacts, VariantScores, Verdict,
};

/// Everything a report is made of.
pub struct Parts {
    /// The run.
    pub run: Run,
    /// Its analysis.
    pub analysis: Analysis,
    /// What was decided.
    pub decision: Decision,
    /// The policy.
    pub policy: Policy,
    /// The exit code.
    pub exit_code: u8,
}

impl Parts {
    /// The report of these parts.
    pub fn report(&self) -> Report {
        Report::new(&self.run, &self.analysis, &self.decision, self.policy.clone(), self.exit_code)
    }
}

const QUESTIONS: [&str; 6] = [
    "How long do I have to return a gift?",
    "Can I pay by invoice as a private customer?",
    "Where is my parcel?",
    "Do you ship to Norway?",
    "My voucher code is refused, what now?",
    "Who pays for the return label?",
];

const CONTEXT: [&str; 2] = [
    "[KB-1] Returns are accepted for 30 days after delivery.",
    "[KB-2] Gift cards are refunded as cache credit.",
];

fn variant(version: &str, commit: Option<&str>) -> VariantFacts {
    let mut parameters = Map::new();
    parameters.insert("temperature".to_owned(), json!(0));
    VariantFacts {
        prompt: PromptFacts {
            name: "support".to_owned(),
            version: version.to_owned(),
            digest: format!("sha256:{}", "0f1e2d3c4b5a6978".repeat(4)),
            source: match commit {
                Some(_) => "git:main:prompts/support.md".to_owned(),
                None => "prompts/support.md".to_owned(),
            },
            commit: commit.map(str::to_owned),
        },
        model: "gpt-4o-mini".to_owned(),
        parameters,
    }
}

fn run(baseline: bool) -> Run {
    let repeats = 3;
    let mut trials = Vec::new();
    for case in 0..QUESTIONS.len() {
        for repeat in 0..repeats {
            trials.push(trial(case, repeat, Role::Candidate));
            if baseline {
                trials.push(trial(case, repeat, Role::Baseline));
            }
        }
    }
    let cases = QUESTIONS.iter().enumerate().map(|(index, question)| CaseFacts {
        id: format!("refund-{:03}", index + 1),
        query: (*question).to_owned(),
        context: Some(CONTEXT.map(str::to_owned).into()),
        expected: (index == 0).then(|| "30 days after delivery".to_owned()),
        tags: vec!["refunds".to_owned()],
        group: None,
        must_pass: index == 0,
        shared: false,
    });
    Run {
        name: "customer-support".to_owned(),
        started_at: "2026-11-20T09:30:00Z".to_owned(),
        duration_ms: 93_412,
        dataset: DatasetFacts {
            path: "cases.jsonl".to_owned(),
            format: "jsonl".to_owned(),
            digest: format!("sha256:{}", "9a8b7c6d5e4f3021".repeat(4)),
            cases: QUESTIONS.len(),
        },
        cases: cases.collect(),
        candidate: variant("v2", None),
        baseline: baseline.then(|| variant("v1", Some("1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"))),
        baseline_note: (!baseline).then(|| "new".to_owned()),
        judge: Some(judge::judge()),
        scorers: ["check.json_schema", "faithfulness", "relevance"].map(str::to_owned).to_vec(),
        applies: vec![vec![true; QUESTIONS.len()]; 3],
        repeats: RepeatCounts::all(repeats, 3),
        reused_baseline: None,
        trials,
        totals: CallTotals {
            calls: 91,
            cached: 18,
            cached_judgements: 9,
            cached_since: Some(1_793_500_000),
            completions: Usage { prompt_tokens: 14_760, completion_tokens: 3_168 },
            judgements: Usage { prompt_tokens: 44_640, completion_tokens: 10_080 },
            completion_cost_usd: Some(0.004_114_8),
            judgement_cost_usd: Some(0.2124),
        },
        prices: vec![("gpt-4o-mini".to_owned(), 0.15, 0.60)],
        simulated: false,
        ended: Ended::Completed,
        policy_source: None,
        warnings: Vec::new(),
    }
}

fn interval(mean: f64, half: f64) -> Interval {
    Interval { mean, lower: Some(mean - half), upper: Some(mean + half) }
}

fn metric(name: &str, kind: MetricKind, candidate: f64, baseline: Option<f64>, half: f64) -> MetricSummary {
    let difference = baseline.map(|baseline| interval(candidate - baseline, half));
    MetricSummary {
        name: name.to_owned(),
        kind,
        candidate: Some(interval(candidate, half)),
        candidate_cases: QUESTIONS.len(),
        candidate_missing: 0,
        baseline: baseline.map(|baseline| interval(baseline, half)),
        baseline_cases: if baseline.is_some() { QUESTIONS.len() } else { 0 },
        baseline_missing: 0,
        difference,
        other_difference: baseline.map(|baseline| interval(candidate - baseline, half * 2.0)),
        scope: Scope::Suite,
        within_case_sd: Some(half / 2.0),
        smallest_detectable_drop: matches!(kind, MetricKind::Judge).then_some(half * 1.5),
        slices: baseline.filter(|_| kind == MetricKind::Judge).map_or_else(Vec::new, |baseline| {
            let difference = Some(interval(candidate - baseline, half * 1.5));
            let (tag, candidate) = ("refunds".to_owned(), interval(candidate, half * 1.5));
            vec![Slice { tag, cases: 3, candidate, baseline: Some(baseline), difference }]
        }),
        length_correlation: matches!(kind, MetricKind::Judge)
            .then_some(LengthCorrelation { candidate: Some(0.12), differences: Some(-0.08) }),
        judged: match name {
            "faithfulness" => Judged {
                panel_alpha: None,
                corrected: Some(interval(candidate - 0.02, half * 3.0)),
                smallest_true_drop: Some(half * 1.5 / 0.63),
            },
            _ => Judged::default(),
        },
    }
}

fn analysis(run: &Run, metrics: &[MetricSummary]) -> Analysis {
    let matrix =
        || run.cases.iter().map(|_| Some(vec![Cell::Value(1.0); run.repeats.per_case as usize])).collect();
    Analysis {
        cases: run.cases.clone(),
        repeats: run.repeats.per_case,
        metrics: metrics
            .iter()
            .map(|metric| MetricScores {
                name: metric.name.clone(),
                kind: metric.kind,
                repeats: run.repeats.per_case,
                baseline_repeats: if run.baseline.is_some() { run.repeats.per_case } else { 0 },
                scores: VariantScores { candidate: matrix(), baseline: run.baseline.is_some().then(matrix) },
            })
            .collect(),
        has_baseline: run.baseline.is_some(),
        baseline_reused: false,
        sessions_differ: false,
        repeats_cached: false,
    }
}

fn policy(baseline: bool) -> Policy {
    let mut criteria = vec![
        ("check.json_schema", "check.json_schema", Requirement::EveryTrial),
        ("faithfulness.min", "faithfulness", Requirement::Minimum { value: 0.75 }),
        ("faithfulness.baseline", "faithfulness", Requirement::NotWorse { tolerance: 0.0 }),
        ("relevance.min", "relevance", Requirement::Minimum { value: 0.8 }),
        ("relevance.baseline", "relevance", Requirement::NotWorse { tolerance: 0.0 }),
        (
            "limit.latency_p95",
            "latency",
            Requirement::Limit { statistic: Statistic::P95, bound: Bound::Absolute(4.0) },
        ),
        (
            "limit.output_tokens_mean",
            "output_tokens",
            Requirement::Limit { statistic: Statistic::Mean, bound: Bound::MaxIncrease(0.2) },
        ),
        ("case.refund-001", "", Requirement::MustPass { case: 0 }),
        ("broken_cases", "", Requirement::BrokenCases { max: 3 }),
    ];
    if !baseline {
        criteria.retain(|(id, _, requirement)| {
            let relative = matches!(requirement, Requirement::Limit { bound: Bound::MaxIncrease(_), .. });
            !id.ends_with(".baseline") && *id != "broken_cases" && !relative
        });
    }
    Policy {
        rule: Rule::Evidence,
        scope: ReportScope::Suite,
        confidence: 0.95,
        resolution: 0.05,
        max_missing: 0.02,
        seed: 42,
        repeats: 3,
        max_repeats: 24,
        criteria: criteria
            .into_iter()
            .map(|(id, metric, requirement)| PolicyCriterion {
                id: id.to_owned(),
                metric: metric.to_owned(),
                tag: None,
                requirement,
            })
            .collect(),
    }
}

/// What a criterion's row holds: estimate, half width, required, p, verdict.
type Numbers = (f64, Option<f64>, f64, Option<f64>, CriterionVerdict);

fn outcome(criterion: &PolicyCriterion, numbers: Numbers) -> CriterionOutcome {
    let (estimate, half, required, p, verdict) = numbers;
    let kind = match criterion.requirement {
        Requirement::Minimum { .. } => "threshold",
        Requirement::EveryTrial => "check",
        Requirement::NotWorse { .. } => "baseline",
        Requirement::Limit { .. } => "limit",
        Requirement::MustPass { .. } => "case",
        Requirement::BrokenCases { .. } => "broken_cases",
    };
    CriterionOutcome {
        id: criterion.id.clone(),
        metric: criterion.metric.clone(),
        kind: kind.to_owned(),
        required,
        estimate: Some(estimate),
        lower: half.map(|half| estimate - half),
        upper: half.map(|half| estimate + half),
        p,
        verdict,
        method: if p.is_some() { "permutation" } else { "literal" }.to_owned(),
        explanation: "as the numbers say".to_owned(),
        repeats: 3,
        alpha: 0.00625,
        need: None,
    }
}

fn same() -> CaseSummary {
    CaseSummary {
        status: CaseStatus::Same,
        candidate_passes: Some((3, 3)),
        baseline_passes: Some((3, 3)),
        largest_difference: Some(("faithfulness".to_owned(), 0.0)),
        failing: Vec::new(),
    }
}

fn reason(code: ReasonCode, message: &str, criterion: Option<&str>) -> Reason {
    Reason { code, message: message.to_owned(), criterion: criterion.map(str::to_owned) }
}

/// Every criterion met.
pub fn pass() -> Parts {
    use CriterionVerdict::Pass;
    let run = run(true);
    let policy = policy(true);
    let numbers: [Numbers; 9] = [
        (1.0, None, 1.0, None, Pass),
        (0.931, Some(0.014), 0.75, Some(0.9999), Pass),
        (-0.004, Some(0.016), 0.0, Some(0.37), Pass),
        (0.978, Some(0.009), 0.8, Some(0.9999), Pass),
        (0.006, Some(0.011), 0.0, Some(0.8), Pass),
        (2.41, Some(0.38), 4.0, None, Pass),
        (88.4, Some(4.2), 104.3, Some(0.99), Pass),
        (1.0, None, 1.0, None, Pass),
        (0.0, None, 3.0, None, Pass),
    ];
    let metrics = vec![
        metric("check.json_schema", MetricKind::Check, 1.0, Some(1.0), 0.0),
        metric("faithfulness", MetricKind::Judge, 0.931, Some(0.935), 0.016),
        metric("relevance", MetricKind::Judge, 0.978, Some(0.972), 0.011),
        metric("latency", MetricKind::Latency, 1.312, Some(1.298), 0.08),
        metric("output_tokens", MetricKind::OutputTokens, 88.4, Some(86.9), 4.2),
        metric("cost_usd", MetricKind::Cost, 0.000_114_3, Some(0.000_113_1), 0.000_002),
        metric("length", MetricKind::Length, 312.0, Some(308.0), 14.0),
    ];
    let decision = Decision {
        verdict: Verdict::Pass,
        reasons: Vec::new(),
        criteria: policy.criteria.iter().zip(numbers).map(|(of, numbers)| outcome(of, numbers)).collect(),
        looks: vec![LookOutcome { repeats: 3, alpha: 0.00625, verdict: Verdict::Pass, criteria: Vec::new() }],
        next: None,
        repeats_to_hold: std::collections::BTreeMap::new(),
        to_settle: None,
        cases: run.cases.iter().map(|_| same()).collect(),
        warnings: vec!["6 cases: with fewer than 20 the bounds are too kind near 1".to_owned()],
        metrics,
    };
    let analysis = analysis(&run, &decision.metrics);
    Parts { run, analysis, decision, policy, exit_code: 0 }
}

/// Faithfulness lost, a case broken, a check failed.
pub fn fail() -> Parts {
    use CriterionVerdict::Fail;
    let mut parts = pass();
    parts.exit_code = 10;
    let decision = &mut parts.decision;
    decision.verdict = Verdict::Fail;
    decision.reasons = vec![
        reason(
            ReasonCode::Regression,
            "faithfulness fell by 0.083 against the baseline; at most 0.000 is allowed (p = 0.002)",
            Some("faithfulness.baseline"),
        ),
        reason(
            ReasonCode::CheckFailed,
            "check.json_schema failed on 3 of 18 trials; every trial must pass",
            Some("check.json_schema"),
        ),
    ];
    for (index, numbers) in [
        (0, (15.0 / 18.0, None, 1.0, None, Fail)),
        (2, (-0.083, Some(0.038), 0.0, Some(0.002), Fail)),
        (8, (1.0, None, 3.0, None, CriterionVerdict::Pass)),
    ] {
        decision.criteria[index] = outcome(&parts.policy.criteria[index], numbers);
    }
    decision.metrics[0] = metric("check.json_schema", MetricKind::Check, 15.0 / 18.0, Some(1.0), 0.0);
    decision.metrics[1] = metric("faithfulness", MetricKind::Judge, 0.852, Some(0.935), 0.038);
    decision.cases[1] = CaseSummary {
        status: CaseStatus::Broken,
        candidate_passes: Some((0, 3)),
        baseline_passes: Some((3, 3)),
        largest_difference: Some(("faithfulness".to_owned(), -0.6)),
        failing: vec!["check.json_schema".to_owned(), "faithfulness".to_owned()],
    };
    decision.cases[3] = CaseSummary {
        status: CaseStatus::Regressed,
        candidate_passes: Some((2, 3)),
        largest_difference: Some(("faithfulness".to_owned(), -0.11)),
        failing: vec!["faithfulness".to_owned()],
        ..same()
    };
    decision.cases[4] = CaseSummary {
        status: CaseStatus::Improved,
        largest_difference: Some(("relevance".to_owned(), 0.09)),
        ..same()
    };
    parts
}

/// Too much noise to decide.
pub fn inconclusive() -> Parts {
    let mut parts = pass();
    parts.exit_code = 11;
    let decision = &mut parts.decision;
    decision.verdict = Verdict::Inconclusive;
    decision.to_settle = Some(ToSettle { repeats: Some(5), cases: None, calls: 120, cost_usd: Some(0.31) });
    decision.reasons = vec![reason(
        ReasonCode::TooLittleEvidence,
        "faithfulness: a drop beyond 0.050 is neither shown nor ruled out; about 8 repeats instead of 3, or 22 \
         more cases, would decide",
        Some("faithfulness.baseline"),
    )];
    let numbers = (-0.021, Some(0.064), 0.0, Some(0.28), CriterionVerdict::Inconclusive);
    decision.criteria[2] = outcome(&parts.policy.criteria[2], numbers);
    decision.metrics[1] = metric("faithfulness", MetricKind::Judge, 0.914, Some(0.935), 0.064);
    decision.cases[2] = CaseSummary { status: CaseStatus::Flaky, candidate_passes: Some((2, 3)), ..same() };
    parts
}

/// The endpoint died on the way.
pub fn incomplete() -> Parts {
    let mut parts = pass();
    parts.exit_code = 12;
    let fault = Fault::new(FaultKind::QuotaSpent, "the endpoint says: You exceeded your current quota (429)")
        .help("check plan and billing, then run again: nothing is asked for twice");
    parts.run.ended = Ended::Stopped(fault.clone());
    for trial in parts.run.trials.iter_mut().filter(|trial| trial.case >= 4) {
        trial.result = TrialResult::Missing(fault.clone());
    }
    promptgate_testing::edit_answer(&mut parts.run.trials[0].result, |_, grades| {
        grades[2] = Grade {
            outcome: Outcome::Ungraded(Some(Fault::new(FaultKind::Timeout, "no answer within 120 s"))),
            judging: None,
            opinions: Vec::new(),
            reason: "no answer within 120 s".to_owned(),
            ..grades[2].clone()
        };
        grades[1] = Grade {
            outcome: Outcome::Ungraded(None),
            reason: "no valid reply after two repairs".to_owned(),
            ..grades[1].clone()
        };
    });
    let decision = &mut parts.decision;
    decision.verdict = Verdict::Incomplete;
    decision.reasons = vec![
        reason(
            ReasonCode::Endpoint,
            "the endpoint ended the run: You exceeded your current quota (429)",
            None,
        ),
        reason(
            ReasonCode::MissingGrades,
            "2 of 6 cases have no grade: 33 % are missing, 2 % are allowed",
            None,
        ),
    ];
    for index in [0, 1, 2, 3, 4] {
        decision.criteria[index].verdict = CriterionVerdict::Incomplete;
    }
    decision.criteria[3].estimate = None;
    decision.criteria[3].lower = None;
    for metric in &mut decision.metrics {
        metric.candidate_missing = 6;
        metric.baseline_missing = 6;
        metric.candidate_cases = 4;
        metric.baseline_cases = 4;
    }
    decision.metrics[2].candidate = None;
    decision.metrics[2].difference = None;
    for index in [0, 4, 5] {
        decision.cases[index] = CaseSummary {
            status: CaseStatus::Missing,
            candidate_passes: None,
            baseline_passes: None,
            largest_difference: None,
            failing: Vec::new(),
        };
    }
    parts
}

/// A new prompt, on the simulated endpoint, without prices.
pub fn no_baseline() -> Parts {
    let mut parts = pass();
    parts.run = run(false);
    parts.run.simulated = true;
    parts.run.totals.completion_cost_usd = None;
    parts.policy = policy(false);
    let ids: Vec<&str> = parts.policy.criteria.iter().map(|criterion| criterion.id.as_str()).collect();
    parts.decision.criteria.retain(|criterion| ids.contains(&criterion.id.as_str()));
    for metric in &mut parts.decision.metrics {
        metric.baseline = None;
        metric.baseline_cases = 0;
        metric.difference = None;
        metric.other_difference = None;
    }
    for case in &mut parts.decision.cases {
        case.baseline_passes = None;
        case.largest_difference = None;
    }
    parts.analysis = analysis(&parts.run, &parts.decision.metrics);
    parts
}

/// Stopped by Ctrl-C.
pub fn interrupted() -> Parts {
    let mut parts = incomplete();
    parts.exit_code = 130;
    parts.run.ended = Ended::Interrupted;
    parts.decision.reasons[0] = reason(ReasonCode::Interrupted, "interrupted: the report is partial", None);
    parts
}
