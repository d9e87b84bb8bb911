//! Decides about the next step of a rollout.

use jiff::Timestamp;
use promptgate_core::stats::sample_ratio_p;

use super::bounds::KnownBounds;
use super::evidence::{Accumulated, MIN_MEANS, MIN_SAMPLES};
use super::finding::{Finding, FindingKind, Status};
use super::observation::{Observations, Reading, Sample, Stratum, Variants};
use super::plan::{Guardrail, RolloutPolicy, Signal};
use super::progress::{Look, Rollout, TestKind};
use crate::promotion::Obstacle;
use crate::time::{MAX_CLOCK_SKEW, after};
use crate::{Digest, Evidence, Version};

/// Failures of sources in a row that pause a rollout.
const MAX_FAILURES: u32 = 5;
/// Samples of each variant before a signal counts.
const SIGNAL_SAMPLES: u64 = 100;
/// Samples or units of both variants before their split counts.
const BALANCE_SAMPLES: u64 = 100;
/// How far the odds of a metric's split may be from those of the assignment.
const MAX_ODDS: f64 = 1.25;
/// The probability below which a split does not come from chance.
const BALANCE_P: f64 = 0.001;

/// The inputs of a decision.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The rollout.
    pub rollout: &'a Rollout,
    /// The policy of the treatment's record.
    pub policy: &'a RolloutPolicy,
    /// The observations of the current step, from its begin.
    pub observations: &'a Observations,
    /// The version that production serves.
    pub production: Option<Version>,
    /// The digest of the sources that the observations are from.
    pub sources: &'a Digest,
    /// The newest evaluation of the treatment; `None` for one that is not examined.
    pub evaluation: Option<&'a Evidence>,
    /// The time.
    pub now: Timestamp,
}

/// The next action.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Nothing yet.
    Wait,
    /// Nothing, and time alone will not change that.
    Stuck,
    /// The next step, after the observations of this one.
    Advance {
        /// The step, from 0.
        step: usize,
        /// Its treated units, in basis points.
        basis_points: u32,
        /// The observations that stay.
        ended: Stratum,
    },
    /// Production gets the version.
    Complete,
    /// Sources failed too often in a row.
    Pause,
    /// No unit gets the version.
    RollBack,
}

/// The decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The next action.
    pub action: Action,
    /// Why, in the order of the policy.
    pub findings: Vec<Finding>,
    /// The tests that were made now; they are recorded before anything follows.
    pub looks: Vec<Look>,
    /// Why sources failed; `None` if none did.
    pub failure: Option<String>,
}

/// Decides what follows the current step: the worst finding counts, and no missing, invalid or one-sided data let a step
/// follow.
///
/// A monitored step follows after its hold, with its samples, and without harm. All units follow once non-inferiority is
/// shown for every guardrail. At most one step follows, however overdue.
pub fn decide(request: &Request<'_>) -> Decision {
    decide_with_bounds(request, &mut KnownBounds::default())
}

/// Decides as [`decide`] does, without computing bounds again that are known from earlier calls.
pub(super) fn decide_with_bounds(request: &Request<'_>, bounds: &mut KnownBounds) -> Decision {
    let mut step = StepReview { request, bounds, findings: Vec::new(), looks: Vec::new() };
    if step.is_comparable() {
        step.time();
        step.metrics();
        step.max_hold();
    } else if request.now >= request.rollout.last_at {
        // These data show nothing. Harm that was recorded stays.
        for guardrail in &request.policy.guardrails {
            step.recorded_harm(guardrail);
        }
    }
    let failures = step.findings.iter().filter_map(|finding| match &finding.kind {
        FindingKind::Failed(why) => Some(why.as_str()),
        _ => None,
    });
    let failure = failures.clone().next().map(|_| failures.collect::<Vec<_>>().join("; "));
    Decision { action: step.action(), findings: step.findings, looks: step.looks, failure }
}

impl Decision {
    /// The guardrails whose harm is shown and not tolerated.
    pub fn harm(&self) -> Vec<String> {
        let shown = self.findings.iter().filter(|finding| matches!(finding.kind, FindingKind::Harm { .. }));
        shown.filter_map(|finding| finding.metric.clone()).collect()
    }
}

struct StepReview<'a> {
    request: &'a Request<'a>,
    bounds: &'a mut KnownBounds,
    findings: Vec<Finding>,
    looks: Vec<Look>,
}

impl StepReview<'_> {
    /// Whether the observations are of the rollout as it began, and the clock goes on.
    fn is_comparable(&mut self) -> bool {
        let Request { rollout, production, sources, now, .. } = *self.request;
        if now < rollout.last_at {
            self.found(None, FindingKind::ClockBefore(rollout.last_at));
        }
        if production != Some(rollout.start.control) {
            self.found(None, FindingKind::ProductionMoved(production));
        }
        if *sources != rollout.start.sources {
            self.found(None, FindingKind::SourcesChanged);
        }
        self.findings.is_empty()
    }

    /// Whether steps may follow at this time.
    fn time(&mut self) {
        let Request { rollout, evaluation, now, .. } = *self.request;
        if let Some(reason) = &rollout.paused {
            self.found(None, FindingKind::Paused(reason.clone()));
        }
        if let Some(obstacle) = evaluation.and_then(Obstacle::of_verdict) {
            self.found(None, FindingKind::Evaluation(obstacle));
        }
        if rollout.start.is_fixed() {
            return self.found(None, FindingKind::Fixed);
        }
        let hold = rollout.current().map_or(u64::MAX, |step| step.hold_seconds);
        let hold_ends = after(rollout.step_started_at, hold);
        if now < hold_ends {
            self.found(None, FindingKind::HoldUntil(hold_ends));
        }
    }

    /// The end of the step, where it has not got what it needs.
    fn max_hold(&mut self) {
        let Request { rollout, policy, now, .. } = *self.request;
        let end = after(rollout.step_started_at, policy.max_hold_seconds);
        if now > end && self.worst() != Status::Pass && !rollout.start.is_fixed() {
            self.found(None, FindingKind::MaxHold(end));
        }
    }

    fn metrics(&mut self) {
        let Request { rollout, policy, observations, .. } = *self.request;
        if let Some(units) = observations.units {
            self.balance(None, units);
        }
        if policy.guardrails.is_empty() {
            self.found(None, FindingKind::Missing("no guardrail is configured".to_owned()));
        }
        for guardrail in &policy.guardrails {
            self.guardrail(guardrail);
        }
        for signal in &policy.signals {
            self.signal(signal);
        }
        // Tests for non-inferiority spend the error rate, so that they wait until everything else is ready.
        if rollout.is_last_step() && !rollout.start.is_fixed() && self.worst() == Status::Pass {
            for guardrail in &policy.guardrails {
                self.not_worse(guardrail);
            }
        }
    }

    fn guardrail(&mut self, guardrail: &Guardrail) {
        let Request { rollout, policy, observations, .. } = *self.request;
        let metric = Some(guardrail.name.as_str());
        if self.recorded_harm(guardrail) {
            return;
        }
        let samples = match observations.samples(&guardrail.name) {
            Ok(samples) => samples,
            Err(reading) => return self.unusable(metric, reading),
        };
        if matches!(samples.treatment, Sample::Level { .. }) {
            let why = "a figure without a variance cannot be tested".to_owned();
            return self.found(metric, FindingKind::Missing(why));
        }
        let counts = Variants { control: samples.control.n(), treatment: samples.treatment.n() };
        self.balance(metric, counts);
        if guardrail.is_flat(&samples) {
            let why = "every score of both versions is the same, which shows nothing".to_owned();
            return self.found(metric, FindingKind::Missing(why));
        }
        let all = Accumulated::of(rollout, guardrail, samples);
        let smaller = all.n.control.min(all.n.treatment);
        if smaller < MIN_SAMPLES {
            return self.found(metric, FindingKind::FewSamples { have: smaller, need: MIN_SAMPLES });
        }
        let alpha = policy.alpha / policy.guardrails.len().max(1) as f64;
        let look = all.harm(alpha, self.bounds);
        let was_tested = rollout.looks_at(&guardrail.name, TestKind::Harm).next().is_some();
        if look.is_none() && !was_tested {
            let why = "these samples cannot be tested".to_owned();
            return self.found(metric, FindingKind::Missing(why));
        }
        let kind = match (self.is_shown(guardrail, TestKind::Harm, look.as_ref()), all.difference()) {
            (false, _) => FindingKind::NoHarm,
            (true, Some(difference)) if all.is_within_margin(policy.alpha) => {
                FindingKind::Tolerated { difference }
            }
            (true, difference) => FindingKind::Harm { difference },
        };
        self.looks.extend(look);
        self.found(metric, kind);
        let need = rollout.current().map_or(u64::MAX, |step| step.min_samples);
        if counts.treatment < need && !rollout.start.is_fixed() {
            self.found(metric, FindingKind::FewSamples { have: counts.treatment, need });
        }
    }

    /// Whether an earlier call recorded harm, and ended before its effect: what the data say by now does not matter.
    fn recorded_harm(&mut self, guardrail: &Guardrail) -> bool {
        let Request { rollout, observations, .. } = *self.request;
        let is_recorded = rollout.harm.contains(&guardrail.name);
        if is_recorded {
            let samples = observations.samples(&guardrail.name).ok();
            let all = samples.map(|samples| Accumulated::of(rollout, guardrail, samples));
            let difference = all.and_then(|all| all.difference());
            self.found(Some(&guardrail.name), FindingKind::Harm { difference });
        }
        is_recorded
    }

    fn not_worse(&mut self, guardrail: &Guardrail) {
        let Request { rollout, policy, observations, .. } = *self.request;
        let Ok(samples) = observations.samples(&guardrail.name) else { return };
        let all = Accumulated::of(rollout, guardrail, samples);
        let have = all.n.control.min(all.n.treatment);
        if all.is_of_means() && have < MIN_MEANS {
            return self.found(Some(&guardrail.name), FindingKind::FewSamples { have, need: MIN_MEANS });
        }
        let look = all.non_inferiority(policy.alpha, self.bounds);
        let kind = match self.is_shown(guardrail, TestKind::NonInferiority, look.as_ref()) {
            true => FindingKind::NotWorse,
            false => FindingKind::NotYetNotWorse,
        };
        self.looks.extend(look);
        self.found(Some(&guardrail.name), kind);
    }

    /// Whether a test shows it now, or did at an earlier call.
    fn is_shown(&self, guardrail: &Guardrail, test: TestKind, now: Option<&Look>) -> bool {
        let before = self.request.rollout.looks_at(&guardrail.name, test);
        before.chain(now).any(Look::is_shown)
    }

    fn signal(&mut self, signal: &Signal) {
        let metric = Some(signal.name.as_str());
        let samples = match self.request.observations.samples(&signal.name) {
            Ok(samples) => samples,
            Err(reading) => return self.unusable(metric, reading),
        };
        let have = samples.control.n().min(samples.treatment.n());
        if have < SIGNAL_SAMPLES {
            return self.found(metric, FindingKind::FewSamples { have, need: SIGNAL_SAMPLES });
        }
        let ratio = match (samples.control.value(), samples.treatment.value()) {
            (Some(control), Some(treatment)) if control > 0.0 && treatment >= 0.0 => treatment / control,
            (Some(control), Some(treatment)) if control == 0.0 && treatment == 0.0 => 1.0,
            _ => {
                let why = "a ratio needs figures above 0".to_owned();
                return self.found(metric, FindingKind::Missing(why));
            }
        };
        let max = signal.max_ratio;
        let kind =
            if ratio <= max { FindingKind::Within { ratio } } else { FindingKind::Exceeded { ratio, max } };
        self.found(metric, kind);
    }

    /// Compares the split of the variants with the assignment.
    fn balance(&mut self, metric: Option<&str>, seen: Variants<u64>) {
        let planned = self.request.rollout.basis_points;
        let all = seen.control.saturating_add(seen.treatment);
        if all < BALANCE_SAMPLES {
            return;
        }
        let expected = f64::from(planned) / (10_000.0 - f64::from(planned));
        let odds = seen.treatment as f64 / seen.control as f64 / expected;
        let is_far = !(MAX_ODDS.recip()..=MAX_ODDS).contains(&odds);
        let is_unlikely = sample_ratio_p(seen.control, seen.treatment, planned) < BALANCE_P;
        // Units split at random. Samples of a metric may be a choice of them, of which only a large difference shows.
        if is_unlikely && (is_far || metric.is_none()) {
            self.found(metric, FindingKind::Unbalanced { seen, planned });
        }
    }

    fn unusable(&mut self, metric: Option<&str>, reading: Reading) {
        let kind = match reading {
            Reading::Failed(why) => FindingKind::Failed(why),
            Reading::Missing(why) => FindingKind::Missing(why),
            // Usable readings are not passed.
            Reading::Observed(_) => return,
        };
        self.found(metric, kind);
    }

    fn found(&mut self, metric: Option<&str>, kind: FindingKind) {
        self.findings.push(Finding { metric: metric.map(str::to_owned), kind });
    }

    fn worst(&self) -> Status {
        self.findings.iter().map(|finding| finding.kind.status()).max().unwrap_or(Status::Hold)
    }

    fn action(&self) -> Action {
        let Request { rollout, .. } = *self.request;
        let is_overdue = self.findings.iter().any(|finding| matches!(finding.kind, FindingKind::MaxHold(_)));
        match self.worst() {
            Status::Fail => Action::RollBack,
            Status::Error if rollout.failures + 1 >= MAX_FAILURES && rollout.paused.is_none() => {
                Action::Pause
            }
            // Nobody knows whether the step has what it needs: a person is asked once the sources answer.
            Status::Error => Action::Wait,
            Status::Pass if rollout.is_last_step() => Action::Complete,
            Status::Pass => self.next(),
            _ if is_overdue || self.needs_a_person() => Action::Stuck,
            _ => Action::Wait,
        }
    }

    /// Whether a finding stays as it is until somebody does something about it.
    fn needs_a_person(&self) -> bool {
        let Request { rollout, now, .. } = *self.request;
        self.findings.iter().any(|finding| match finding.kind {
            FindingKind::SourcesChanged | FindingKind::ProductionMoved(_) => true,
            FindingKind::ClockBefore(_) => rollout.last_at.duration_since(now) > MAX_CLOCK_SKEW,
            _ => false,
        })
    }

    fn next(&self) -> Action {
        let Request { rollout, policy, observations, .. } = *self.request;
        let step = rollout.step + 1;
        let Some(next) = rollout.start.steps.get(step) else { return Action::Wait };
        let sample = |guardrail: &Guardrail| {
            Some((guardrail.name.clone(), observations.samples(&guardrail.name).ok()?))
        };
        let ended = Stratum { samples: policy.guardrails.iter().filter_map(sample).collect() };
        Action::Advance { step, basis_points: next.basis_points, ended }
    }
}
