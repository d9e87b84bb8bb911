//! `promptgate plan`: what a run takes and what it can see; no call leaves the machine.

mod shards;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tokio_util::sync::CancellationToken;

use crate::cli::args::{PlanArguments, PlanFormat};
use crate::cli::error::Failure;
use crate::cli::exit::ExitStatus;
use crate::cli::suite::{self, Suite};
use crate::cli::{mismatch, output, runtime, saved};
use crate::config::Settings;
use promptgate_core::forecast::{self, CallCost, ComparisonSize, Load, Rates};
use promptgate_core::gate::{Policy, Rule};
use promptgate_core::metric;
use promptgate_core::model::{JudgeFacts, Place, Run, Scope, SelfTest, TrialResult, Usage};
use promptgate_core::port::{ChatModel, NullSink};
use promptgate_core::stats::unseen_failure_share;
use promptgate_engine::execute::{Engine, Round};
use promptgate_engine::judge::Judge;
use promptgate_report::Report;
use promptgate_report::plan::{Amount, AtRepeats, Drop, Plan, Row, SCHEMA, Shards, write};
use promptgate_simulated::{Simulated, SimulatedOptions};

/// Assumed standard deviations over the repeats of a case, where none was measured.
const ASSUMED: [(&str, f64); 3] = [("quiet", 0.08), ("moderate", 0.13), ("noisy", 0.21)];
/// The assumption that decides what is expected.
const MODERATE: usize = 1;
/// Cases that the simulated model answers to see how long requests are.
const SAMPLE: usize = 100;
/// Numbers of cases that the table shows beside the suite's own.
const CASES: [usize; 5] = [20, 30, 50, 100, 200];
/// Numbers of repeats that it shows beside the schedule's own.
const REPEATS: [u32; 4] = [3, 6, 12, 24];
/// From so many cases on, fewer repeats decide and rare failures are seen.
const ADVISED_CASES: usize = 50;

/// Plans a run of the suite.
pub(crate) fn plan(arguments: &PlanArguments) -> Result<ExitStatus, Failure> {
    let suite = suite::load(&arguments.suite, None)?;
    output::warn(&suite.warnings);
    if arguments.format == PlanFormat::GithubMatrix {
        output::print(&shards::matrix(arguments.shards)?)?;
        return Ok(ExitStatus::Pass);
    }
    let earlier = arguments.after.as_deref().map(|path| earlier(path, &suite)).transpose()?;
    let plan = forecast_of(Planned::new(suite), earlier.as_ref(), arguments.shards)?;
    let text = match arguments.format {
        PlanFormat::Json => {
            serde_json::to_string_pretty(&plan).map(|text| text + "\n").map_err(|error| error.to_string())
        }
        PlanFormat::Terminal | PlanFormat::GithubMatrix => {
            let mut text = Vec::new();
            let written = write(&plan, &mut text, output::width()).map_err(|error| error.to_string());
            written.and_then(|()| String::from_utf8(text).map_err(|error| error.to_string()))
        }
    };
    output::print(&text.map_err(|error| Failure::Internal(format!("could not write the plan: {error}")))?)?;
    Ok(ExitStatus::Pass)
}

/// Says that an earlier run was judged by another judge, as far as that can be told without an endpoint.
fn other_judge(planned: &Planned, earlier: &Earlier) -> Option<String> {
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

/// A suite that can be carried out by the simulated model.
struct Planned {
    engine: Arc<Engine>,
    settings: Settings,
    policy: Policy,
    /// Whether there is a baseline, answered here or reused_baseline.
    compared: bool,
}

impl Planned {
    fn new(suite: Suite) -> Self {
        let Suite { plan, mut scorers, settings, policy, earlier, .. } = suite;
        let compared = plan.baseline().is_some() || earlier.is_some();
        let model = Arc::new(Simulated::new(SimulatedOptions::default())) as Arc<dyn ChatModel>;
        let panel = settings.judge.as_ref().map_or(0, |judge| judge.panel.len());
        scorers.judge_models = vec![Arc::clone(&model); panel];
        let engine = Engine {
            plan,
            model,
            scorers,
            concurrency: 16,
            fail_fast: BTreeSet::new(),
            spool: None,
            names: Mutex::default(),
            sink: Arc::new(NullSink),
            interrupted: CancellationToken::new(),
            stop: CancellationToken::new(),
        };
        Self { engine: Arc::new(engine), settings, policy, compared }
    }
}

/// An earlier run of the suite.
struct Earlier {
    file: String,
    report: Report,
    run: Run,
}

fn earlier(path: &Path, suite: &Suite) -> Result<Earlier, Failure> {
    let report = saved::read(path)?;
    let file = path.display().to_string();
    let run = report.to_run().map_err(|diagnostics| diagnostics.at(&Place::file(&file)))?;
    mismatch::refuse(&file, [mismatch::dataset(&run.dataset, &suite.plan.dataset().facts)])?;
    Ok(Earlier { file, report, run })
}

fn forecast_of(planned: Planned, earlier: Option<&Earlier>, shards: Option<u32>) -> Result<Plan, Failure> {
    let Planned { engine, settings, policy, compared } = &planned;
    let (plan, schedule) = (&engine.plan, policy.schedule());
    let judged: Vec<String> = engine.scorers.judges.iter().map(|judge| judge.name().to_owned()).collect();
    let answers = plan.slots(0, 1).len() as u64;
    let judgements: usize = engine.scorers.judges.iter().map(Judge::judgements).sum();
    let load = Load { answers, judgements: answers * judgements as u64 };
    let shared = plan.shared().iter().filter(|shared| **shared).count();
    let size = ComparisonSize { cases: plan.dataset().cases.len(), shared, compared: *compared };
    let alpha = policy.alpha();
    let drops = drops(policy, size, &judged, earlier);
    let noise = match earlier {
        Some(_) => drops.iter().map(|drop| drop.noise).fold(0.0, f64::max),
        None => ASSUMED[MODERATE].1,
    };
    let repeated = !judged.is_empty() && policy.scope == Scope::Suite && policy.rule == Rule::Evidence;
    let likely = match repeated {
        true => forecast::likely_repeats(schedule, alpha, size, noise, policy.resolution),
        // Nothing that is noisy decides, or repeats do not narrow what does.
        false => schedule.first(),
    };
    let mut notes = Vec::new();
    let (Rates { answer, judgement, .. }, self_test) = rates(&planned, earlier, &mut notes)?;
    let amount = |repeats| shown(forecast::estimate_cost(load, repeats, answer, judgement));
    let (lowest, expected, most) = (amount(schedule.first()), amount(likely), amount(schedule.last()));
    let shards = shards.map(|of| {
        let (cases, answers) = shards::largest(plan, of);
        let load = Load { answers, judgements: answers * judgements as u64 };
        let largest = shown(forecast::estimate_cost(load, schedule.first(), answer, judgement));
        notes.push(shards::note(schedule, self_test.is_some()));
        Shards { of, cases, largest }
    });
    if let Some(note) = earlier.and_then(|earlier| other_judge(&planned, earlier)) {
        notes.push(note);
    }
    if repeated && schedule.last() > schedule.first() {
        notes.push(format!(
            "expected: the look at which an unchanged prompt passes with 80 % power at a noise of {noise:.3}; a large \
             drop fails earlier"
        ));
    }
    notes.push(
        "calls: retries and second questions to the judge are not counted; a judge whose metric has passed is asked \
         less than `most` says"
            .to_owned(),
    );
    notes.extend(budget(settings, [("lowest", &lowest), ("expected", &expected), ("most", &most)]));
    let unseen = unseen_failure_share(size.cases, alpha);
    notes.push(format!(
        "{} cases without a failure cannot exclude that {:.1} % of traffic fails",
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
    Ok(Plan {
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
        // Without noise every drop is seen, and a table of zeros says less than the sentence.
        table: if noise > 0.0 { table(policy, size, noise) } else { Vec::new() },
        unseen_failure_share: unseen,
        notes,
    })
}

fn shown(amount: forecast::CostEstimate) -> Amount {
    Amount {
        repeats: amount.repeats,
        answers: amount.answers,
        judgements: amount.judgements,
        prompt_tokens: amount.tokens.prompt_tokens,
        completion_tokens: amount.tokens.completion_tokens,
        cost_usd: amount.usd,
    }
}

/// The smallest drop by the last look, at the noise that was measured, else at what is assumed.
fn drops(policy: &Policy, size: ComparisonSize, judged: &[String], earlier: Option<&Earlier>) -> Vec<Drop> {
    let alpha = policy.alpha();
    let Some(last) = policy.schedule().looks(alpha).pop() else { return Vec::new() };
    let suite = |noise| forecast::detectable_suite_drop(size, noise, last.repeats, last.alpha);
    let Some(earlier) = earlier else {
        let assumed = |(name, noise): (&str, f64)| Drop {
            name: format!("{name} (assumed)"),
            measured: false,
            noise,
            suite: suite(noise),
            spread: None,
            population: None,
        };
        return ASSUMED.into_iter().map(assumed).collect();
    };
    let analysis = metric::analyse(&earlier.run);
    let measured = earlier.report.metrics.iter().filter(|metric| judged.contains(&metric.name));
    let drop = |metric: &promptgate_report::v1::Metric| {
        let spread = analysis.metric(&metric.name).and_then(forecast::between_case_sd);
        Some(Drop {
            name: metric.name.clone(),
            measured: true,
            noise: metric.noise?,
            suite: suite(metric.noise?),
            spread,
            population: spread.map(|spread| forecast::detectable_population_drop(size.cases, spread, alpha)),
        })
    };
    measured.filter_map(drop).collect()
}

/// The smallest drops for other numbers of cases and repeats, all of them answered by both variants.
fn table(policy: &Policy, size: ComparisonSize, noise: f64) -> Vec<Row> {
    let sorted = |mut values: Vec<usize>| {
        values.sort_unstable();
        values.dedup();
        values
    };
    let own = [policy.schedule().first(), policy.schedule().last()];
    let repeats = sorted(REPEATS.into_iter().chain(own).map(|repeats| repeats as usize).collect());
    let cases = sorted(CASES.into_iter().chain([size.cases]).collect());
    let row = |cases| {
        let size = ComparisonSize { cases, shared: 0, ..size };
        let at = |repeats: &usize| {
            let repeats = u32::try_from(*repeats).unwrap_or(u32::MAX);
            AtRepeats { repeats, drop: forecast::detectable_suite_drop(size, noise, repeats, policy.alpha()) }
        };
        Row { cases, noise, drops: repeats.iter().map(at).collect() }
    };
    cases.into_iter().map(row).collect()
}

/// What one answer and one judgement takes: as in the earlier run, else as the simulated model answers.
///
/// Beside it what the self-test takes, where there is one.
fn rates(
    planned: &Planned,
    earlier: Option<&Earlier>,
    notes: &mut Vec<String>,
) -> Result<(Rates, Option<Amount>), Failure> {
    let Planned { engine, settings, .. } = planned;
    let mut rates = match earlier {
        Some(earlier) => {
            notes.push(format!("tokens: the means of {}", earlier.file));
            forecast::rates(&earlier.run)
        }
        None => {
            notes.push(
                "tokens: as the simulated model answers these requests; a real model may write more (--after REPORT \
                 takes them from a run)"
                    .to_owned(),
            );
            simulated(engine)?
        }
    };
    let mut price = |model: &str, each: &mut CallCost| {
        let known = settings.prices.iter().find(|(name, ..)| name == model);
        each.usd = known
            .map(|(_, input, output)| (each.prompt_tokens * input + each.completion_tokens * output) / 1e6);
        let note = format!("no price of {model}: add it to `prices`");
        if known.is_none() && !notes.contains(&note) {
            notes.push(note);
        }
    };
    price(&engine.plan.candidate().facts.model, &mut rates.answer);
    let mut tested = None;
    if let (Some(judge), Some(one)) = (&settings.judge, engine.scorers.judges.first()) {
        // A grade is of as many judgements; they share its tokens, and each member has its own price.
        let judgements = one.judgements() as f64;
        rates.judgement.prompt_tokens /= judgements;
        rates.judgement.completion_tokens /= judgements;
        let mut mean_price = |each: &mut CallCost| {
            let mut usd = Some(0.0);
            for member in &judge.panel {
                price(&member.model.value, each);
                usd = usd.zip(each.usd).map(|(sum, one)| sum + one);
            }
            each.usd = usd.map(|sum| sum / judge.panel.len() as f64);
        };
        mean_price(&mut rates.judgement);
        tested = self_test(engine)?;
        if let Some((_, each)) = &mut tested {
            mean_price(each);
        }
    }
    let self_test = tested.map(|(judgements, each)| {
        shown(forecast::estimate_cost(Load { answers: 0, judgements }, 1, CallCost::default(), each))
    });
    Ok((rates, self_test))
}

/// Lets the simulated model answer a part of the suite once: the requests, and their length, are the real ones.
fn simulated(engine: &Arc<Engine>) -> Result<Rates, Failure> {
    let step = engine.plan.dataset().cases.len().div_ceil(SAMPLE).max(1);
    let slots = engine.plan.slots(0, 1).into_iter().filter(|slot| slot.case % step == 0).collect();
    let judges = engine.scorers.judges.iter().map(|judge| judge.name().to_owned()).collect();
    let runtime = runtime::start()?;
    let executed = runtime.block_on(engine.execute(Round { slots, judges, earlier: Vec::new() }));
    let (mut answers, mut judgements) = (Vec::new(), Vec::new());
    for trial in &executed.trials {
        if let TrialResult::Completed(answered) = &trial.result {
            answers.extend(answered.usage);
            for grade in answered.grades.iter().filter(|grade| !grade.judgements.is_empty()) {
                let mut usage = Usage::default();
                grade.judgements.iter().for_each(|judgement| usage.add(judgement.usage));
                judgements.push(usage);
            }
        }
    }
    Ok(Rates { answer: mean(&answers), judgement: mean(&judgements), judgement_calls: 1.0 })
}

/// Judgements of the self-test, and what one of them takes.
fn self_test(engine: &Arc<Engine>) -> Result<Option<(u64, CallCost)>, Failure> {
    let runtime = runtime::start()?;
    let tested = runtime.block_on(engine.self_test()).unwrap_or_else(|(_, outcome)| outcome);
    let usages = |test: SelfTest| test.rows.into_iter().map(|row| row.judging.usage).collect::<Vec<_>>();
    Ok(tested.map(usages).map(|usages| (usages.len() as u64, mean(&usages))))
}

fn mean(usages: &[Usage]) -> CallCost {
    let count = usages.len().max(1) as f64;
    let sum = |of: fn(&Usage) -> u64| usages.iter().map(of).sum::<u64>() as f64;
    CallCost {
        prompt_tokens: sum(|usage| usage.prompt_tokens) / count,
        completion_tokens: sum(|usage| usage.completion_tokens) / count,
        usd: None,
    }
}

/// What the configured budget does not cover.
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
