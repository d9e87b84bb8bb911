//! Plans a run: calls, cost, and the smallest drop that it can detect. Only the simulated model is called.

mod drops;
mod rates;
mod shards;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use shards::matrix;

use super::report_files;
use super::suite::{self, Suite, SuiteOptions};
use super::{Environment, Failure, announce, case_cost, mismatch};
use crate::config::Settings;
use promptgate_core::forecast::{self, ComparisonSize, Rates};
use promptgate_core::gate::{Policy, Rule};
use promptgate_core::model::{JudgeFacts, Run, Scope};
use promptgate_core::port::{ChatModel, NullSink};
use promptgate_core::stats::unseen_failure_share;
use promptgate_engine::execute::{CaseCostLimit, Engine, Plan as RequestPlan};
use promptgate_report::Report;
use promptgate_report::plan::{Amount, Drop, Plan, SCHEMA, Shards};
use promptgate_simulated::{Simulated, SimulatedOptions};

/// Cases from which fewer repeats decide and rare failures show.
const ADVISED_CASES: usize = 50;

/// Which run is planned.
#[derive(Debug, Clone)]
pub(crate) struct PlanOptions {
    /// Which suite.
    pub(crate) suite: SuiteOptions,
    /// A report of an earlier run, for noise, tokens and prices.
    pub(crate) after: Option<PathBuf>,
    /// The number of shards.
    pub(crate) shards: Option<u32>,
}

/// Loads the suite whose run is planned; the caller shows its warnings.
///
/// # Errors
/// Everything that is wrong with the suite.
pub(crate) async fn load(options: &PlanOptions, environment: &Environment) -> Result<Suite, Failure> {
    suite::load(&options.suite, None, environment).await
}

/// Plans a run of the suite.
///
/// # Errors
/// An earlier report that cannot be read, or that is of another dataset.
pub(crate) async fn plan(suite: Suite, options: &PlanOptions) -> Result<Plan, Failure> {
    let earlier = options.after.as_deref().map(|path| earlier(path, &suite)).transpose()?;
    let planned = PlannedRun::new(suite);
    let mut notes = Vec::new();
    let rates = rates::rates(&planned, earlier.as_ref(), &mut notes).await;
    Ok(forecast_of(&planned, rates, earlier.as_ref(), options.shards, notes))
}

/// The smallest drop of each judged metric that a run of the suite detects, at the noise of an earlier run.
///
/// # Errors
/// An earlier report that cannot be read, or that is of another dataset.
pub(super) fn measured_drops(suite: &Suite, report: &Path) -> Result<Vec<Drop>, Failure> {
    let earlier = earlier(report, suite)?;
    let judged: Vec<String> = suite.scorers.judges.iter().map(|judge| judge.name().to_owned()).collect();
    let shared = suite.plan.shared().iter().filter(|shared| **shared).count();
    let compared = suite.plan.baseline().is_some() || suite.earlier.is_some();
    let size = ComparisonSize { cases: suite.plan.dataset().cases.len(), shared, compared };
    Ok(drops::smallest(&suite.policy, size, &judged, Some(&earlier)))
}

/// A suite with the simulated model in place of its endpoints.
struct PlannedRun {
    engine: Arc<Engine>,
    settings: Settings,
    policy: Policy,
    /// A note on the cost of a case in times of the baseline's.
    case_cost: Option<String>,
    /// Whether there is a baseline, answered in this run or an earlier one.
    compared: bool,
}

impl PlannedRun {
    fn new(suite: Suite) -> Self {
        let Suite { plan, mut scorers, settings, policy, earlier, case_cost, .. } = suite;
        let case_cost = case_cost.and_then(|limit| case_cost_note(&limit, &plan));
        let compared = plan.baseline().is_some() || earlier.is_some();
        let model = Arc::new(Simulated::new(SimulatedOptions::default())) as Arc<dyn ChatModel>;
        let panel = settings.judge.as_ref().map_or(0, |judge| judge.panel.len());
        scorers.judge_models = vec![Arc::clone(&model); panel];
        let engine = Engine::new(plan, model, scorers, Arc::new(NullSink));
        Self { engine: Arc::new(engine), settings, policy, case_cost, compared }
    }
}

/// An earlier run of the suite.
struct EarlierRun {
    file: String,
    report: Report,
    run: Run,
}

fn earlier(path: &Path, suite: &Suite) -> Result<EarlierRun, Failure> {
    let (report, run) = report_files::read_run(path)?;
    let file = path.display().to_string();
    mismatch::refuse(&file, [mismatch::partial(&run.dataset)])?;
    mismatch::refuse(&file, [mismatch::dataset(&run.dataset, &suite.plan.dataset().facts)])?;
    Ok(EarlierRun { file, report, run })
}

fn forecast_of(
    planned: &PlannedRun,
    (Rates { answer, judgement, .. }, self_test): (Rates, Option<Amount>),
    earlier: Option<&EarlierRun>,
    shards: Option<u32>,
    mut notes: Vec<String>,
) -> Plan {
    let PlannedRun { engine, settings, policy, compared, .. } = planned;
    let (plan, schedule) = (&engine.plan, policy.schedule());
    let judged: Vec<String> = engine.scorers.judges.iter().map(|judge| judge.name().to_owned()).collect();
    let slots = plan.slots(0, 1);
    let load = announce::load(engine, &slots);
    // Rates are those of whole answers, of all their turns.
    let answer = answer.times(slots.len() as f64 / (load.answers as f64).max(1.0));
    let shared = plan.shared().iter().filter(|shared| **shared).count();
    let size = ComparisonSize { cases: plan.dataset().cases.len(), shared, compared: *compared };
    let alpha = policy.alpha();
    let drops = drops::smallest(policy, size, &judged, earlier);
    let noise = match earlier {
        Some(_) => drops.iter().map(|drop| drop.noise).fold(0.0, f64::max),
        None => drops::ASSUMED_NOISE,
    };
    let repeated = !judged.is_empty() && policy.scope == Scope::Suite && policy.rule == Rule::Evidence;
    let likely = match repeated {
        true => forecast::likely_repeats(schedule, alpha, size, noise, policy.resolution),
        // No noisy criterion decides, or repeats do not narrow its interval.
        false => schedule.first(),
    };
    let amount = |repeats| amount_of(forecast::estimate_cost(load, repeats, answer, judgement));
    let (lowest, expected, most) = (amount(schedule.first()), amount(likely), amount(schedule.last()));
    let shards = shards.map(|of| {
        let (cases, slots) = shards::largest(plan, of);
        let load = announce::load(engine, &slots);
        let largest = amount_of(forecast::estimate_cost(load, schedule.first(), answer, judgement));
        notes.push(shards::note(schedule, self_test.is_some()));
        Shards { of, cases, largest }
    });
    if let Some(note) = earlier.and_then(|earlier| other_judge(planned, earlier)) {
        notes.push(note);
    }
    if repeated && schedule.last() > schedule.first() {
        notes.push(format!(
            "expected: the look at which an unchanged prompt passes with 80 % power at a noise of {noise:.3}; a large \
             drop fails earlier"
        ));
    }
    notes.push(
        "calls: retries and repeated prompts to the judge are not counted; a judge whose metric has passed is called \
         less often than `most` says"
            .to_owned(),
    );
    notes.extend(planned.case_cost.clone());
    notes.extend(budget(settings, [("lowest", &lowest), ("expected", &expected), ("most", &most)]));
    let unseen = unseen_failure_share(size.cases, alpha);
    notes.push(format!(
        "even if all {} cases pass, up to {:.1} % of traffic could fail",
        size.cases,
        unseen * 100.0
    ));
    if size.cases < ADVISED_CASES {
        notes.push(format!(
            "{ADVISED_CASES} cases or more need fewer repeats to decide, and see rare failures"
        ));
    }
    if noise == 0.0 {
        notes.push("no noise was measured between repeats: any drop on these cases is seen".to_owned());
    }
    if let Some(settle) = earlier.and_then(|earlier| promptgate_report::settling_advice(&earlier.report)) {
        notes.push(format!("that run was inconclusive: {settle}"));
    }
    Plan {
        schema: SCHEMA.to_owned(),
        name: settings.name.clone(),
        cases: size.cases,
        shared_cases: shared,
        variants: 1 + usize::from(plan.baseline().is_some()),
        judged,
        looks: schedule.repeats(),
        lowest,
        expected,
        most,
        self_test,
        shards,
        drops,
        // Without noise every drop is detected, and the table would hold zeros only.
        table: if noise > 0.0 { drops::table(policy, size, noise) } else { Vec::new() },
        unseen_failure_share: unseen,
        notes,
    }
}

/// A note that an earlier run has another judge; hosts are unknown without an endpoint and not compared.
fn other_judge(planned: &PlannedRun, earlier: &EarlierRun) -> Option<String> {
    let without_hosts = |mut facts: JudgeFacts| {
        facts.parts.remove("hosts");
        facts.parts
    };
    let ours = suite::judge_facts(&planned.settings, &planned.engine.scorers.judges, &[])?;
    let (ours, theirs) = (without_hosts(ours), without_hosts(earlier.run.judge.clone()?));
    (ours != theirs).then(|| {
        format!(
            "{} was judged by another judge: it differs in {}, and its noise may not be this one's",
            earlier.file,
            mismatch::differing(&theirs, &ours)
        )
    })
}

fn amount_of(amount: forecast::CostEstimate) -> Amount {
    Amount {
        repeats: amount.repeats,
        answers: amount.answers,
        judgements: amount.judgements,
        prompt_tokens: amount.tokens.prompt_tokens,
        completion_tokens: amount.tokens.completion_tokens,
        cost_usd: amount.usd,
    }
}

/// The note of `budget.case_factor` about the requests.
fn case_cost_note(limit: &CaseCostLimit, plan: &RequestPlan) -> Option<String> {
    let times = case_cost::estimate(limit, plan)?;
    let factor = limit.factor;
    let effect = if times > factor { "stops" } else { "would stop" };
    Some(format!(
        "a case of the candidate costs about {times:.1} times the baseline by the length of the requests; more than \
         {factor} (budget.case_factor) {effect} the run"
    ))
}

/// Notes on amounts that the configured budget does not cover.
fn budget(settings: &Settings, amounts: [(&str, &Amount); 3]) -> Vec<String> {
    let budget = &settings.budget;
    let over = |what: &str, beyond: &dyn Fn(&Amount) -> bool| {
        let first = amounts.iter().find(|(_, amount)| beyond(amount));
        first.map(|(name, _)| {
            format!("the budget of {what} does not cover `{name}`: the run would end incomplete")
        })
    };
    let calls = budget
        .calls
        .and_then(|most| over(&format!("{most} calls"), &|amount| amount.answers + amount.judgements > most));
    let usd = budget
        .usd
        .and_then(|most| over(&format!("${most}"), &|amount| amount.cost_usd.is_some_and(|usd| usd > most)));
    calls.into_iter().chain(usd).collect()
}
