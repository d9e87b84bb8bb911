//! Simulates rollouts: random traffic with known true rates against the decisions as they are shipped.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Binomial, Distribution};

use super::bounds::KnownBounds;
use super::decide::{Action, Request, decide_with_bounds};
use super::finding::Finding;
use super::observation::{Observations, Reading, Sample, Variants};
use super::plan::RolloutPolicy;
use super::progress::{Rollout, RolloutStart};

/// Samples of a signal, which never differs.
const SIGNAL_SAMPLES: u64 = 1_000_000;

/// The traffic of a simulation.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Scored requests a day, of all units.
    pub per_day: f64,
    /// Seconds between two calls of `advance`.
    pub cadence_seconds: u64,
    /// The true share of successes of each guardrail; of errors for one where less is better.
    pub rates: BTreeMap<String, Variants<f64>>,
    /// The seed.
    pub seed: u64,
}

/// A simulated rollout.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatedRollout {
    /// How it ended.
    pub outcome: SimulatedOutcome,
    /// When, in seconds from its begin.
    pub ended_seconds: u64,
    /// The calls that changed something, in order.
    pub calls: Vec<SimulatedCall>,
}

/// How a simulated rollout ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SimulatedOutcome {
    /// All units got the version.
    Completed,
    /// Harm was shown.
    RolledBack,
    /// A step lasted longer than it may.
    Stuck,
}

/// A call of `advance`.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatedCall {
    /// Seconds from the begin of the rollout.
    pub seconds: u64,
    /// The step, from 0.
    pub step: usize,
    /// Treated units before the call, in basis points.
    pub basis_points: u32,
    /// Treated samples of the step.
    pub treated: u64,
    /// The decision.
    pub action: Action,
    /// Why.
    pub findings: Vec<Finding>,
}

/// Simulates a rollout to its end. `None` for a start without steps, or a cadence of 0.
pub fn simulate(
    start: &RolloutStart,
    policy: &RolloutPolicy,
    scenario: &Scenario,
) -> Option<SimulatedRollout> {
    let begin = Timestamp::UNIX_EPOCH;
    let mut rollout = Rollout::begin(start, begin)?;
    let mut traffic = Traffic::new(policy, scenario);
    let mut bounds = KnownBounds::default();
    let mut calls = Vec::new();
    let mut seconds = 0_u64;
    if scenario.cadence_seconds == 0 {
        return None;
    }
    loop {
        seconds = seconds.saturating_add(scenario.cadence_seconds);
        let now = begin.checked_add(Duration::from_secs(seconds)).ok()?;
        traffic.flow(rollout.basis_points);
        let observations = traffic.observations();
        let request = Request {
            rollout: &rollout,
            policy,
            observations: &observations,
            production: Some(start.control),
            sources: &start.sources,
            evaluation: None,
            now,
        };
        let decision = decide_with_bounds(&request, &mut bounds);
        rollout.look(&decision.looks, &decision.harm(), false, now);
        let call = SimulatedCall {
            seconds,
            step: rollout.step,
            basis_points: rollout.basis_points,
            treated: traffic.units.treatment,
            action: decision.action.clone(),
            findings: decision.findings,
        };
        let outcome = match decision.action {
            Action::Wait | Action::Pause => None,
            Action::Advance { step, basis_points, ended } => {
                rollout.advance(step, basis_points, &ended, now);
                traffic.clear();
                calls.push(call);
                continue;
            }
            Action::Complete => Some(SimulatedOutcome::Completed),
            Action::RollBack => Some(SimulatedOutcome::RolledBack),
            Action::Stuck => Some(SimulatedOutcome::Stuck),
        };
        if let Some(outcome) = outcome {
            calls.push(call);
            return Some(SimulatedRollout { outcome, ended_seconds: seconds, calls });
        }
    }
}

/// The samples of the current step.
struct Traffic<'a> {
    scenario: &'a Scenario,
    signals: Vec<&'a str>,
    random: ChaCha8Rng,
    /// The part of a request that is left from the call before.
    carry: f64,
    units: Variants<u64>,
    successes: BTreeMap<&'a str, Variants<u64>>,
}

impl<'a> Traffic<'a> {
    fn new(policy: &'a RolloutPolicy, scenario: &'a Scenario) -> Self {
        Self {
            scenario,
            signals: policy.signals.iter().map(|signal| signal.name.as_str()).collect(),
            random: ChaCha8Rng::seed_from_u64(scenario.seed),
            carry: 0.0,
            units: Variants::default(),
            successes: BTreeMap::new(),
        }
    }

    /// Lets the traffic of one cadence pass.
    fn flow(&mut self, basis_points: u32) {
        let expected = self.scenario.per_day * self.scenario.cadence_seconds as f64 / 86_400.0 + self.carry;
        let all = expected.max(0.0) as u64;
        self.carry = expected - all as f64;
        let treatment = self.successes_of(all, f64::from(basis_points) / 10_000.0);
        let control = all - treatment;
        add(&mut self.units, Variants { control, treatment });
        for (name, rate) in &self.scenario.rates {
            let treated = self.successes_of(treatment, rate.treatment);
            let untreated = self.successes_of(control, rate.control);
            add(self.successes.entry(name).or_default(), Variants { control: untreated, treatment: treated });
        }
    }

    /// A draw from the binomial distribution, in a time that does not grow with `n`; 0 for a rate that is not a number.
    fn successes_of(&mut self, n: u64, rate: f64) -> u64 {
        Binomial::new(n, rate.clamp(0.0, 1.0)).map_or(0, |binomial| binomial.sample(&mut self.random))
    }

    fn observations(&self) -> Observations {
        let share = |successes: u64, n: u64| Sample::Share { successes, n };
        let guardrails = self.successes.iter().map(|(name, counts)| {
            let samples = Variants {
                control: share(counts.control, self.units.control),
                treatment: share(counts.treatment, self.units.treatment),
            };
            ((*name).to_owned(), Reading::Observed(samples))
        });
        let equal = Sample::Level { n: SIGNAL_SAMPLES, value: 1.0 };
        let signals = self.signals.iter().map(|name| {
            ((*name).to_owned(), Reading::Observed(Variants { control: equal, treatment: equal }))
        });
        Observations { readings: guardrails.chain(signals).collect(), units: Some(self.units) }
    }

    fn clear(&mut self) {
        self.units = Variants::default();
        self.successes.clear();
    }
}

/// Adds counts; a source may claim more traffic than they hold.
fn add(all: &mut Variants<u64>, more: Variants<u64>) {
    all.control = all.control.saturating_add(more.control);
    all.treatment = all.treatment.saturating_add(more.treatment);
}

#[cfg(test)]
mod tests {
    use super::super::tests::policy;
    use super::*;

    fn traffic<'a>(policy: &'a RolloutPolicy, scenario: &'a Scenario) -> Traffic<'a> {
        Traffic::new(policy, scenario)
    }

    fn scenario(per_day: f64) -> Scenario {
        Scenario { per_day, cadence_seconds: 6 * 3_600, rates: BTreeMap::new(), seed: 1 }
    }

    #[test]
    fn draws_are_those_of_the_binomial_distribution() {
        let (policy, scenario) = (policy(), scenario(2_000.0));
        let mut traffic = traffic(&policy, &scenario);
        // The probabilities of 0 to 8 successes of 8 with .3, from tables.
        let table = [0.0576, 0.1977, 0.2965, 0.2541, 0.1361, 0.0467, 0.0100, 0.0012, 0.0001];
        let draws = 20_000;
        let mut counts = [0_u32; 9];
        for _ in 0..draws {
            counts[traffic.successes_of(8, 0.3) as usize] += 1;
        }
        for (k, (count, p)) in counts.iter().zip(table).enumerate() {
            let expected = p * f64::from(draws);
            let off = (f64::from(*count) - expected).abs();
            assert!(off < 4.0 * expected.sqrt() + 2.0, "{k} of 8: {count}, expected {expected}");
        }
        // Numbers that were once drawn one by one.
        let (n, rate) = (1_000_000_000_000_u64, 0.9);
        let deviations: Vec<f64> = (0..1_000)
            .map(|_| {
                let off = traffic.successes_of(n, rate) as f64 - n as f64 * rate;
                off / (n as f64 * rate * (1.0 - rate)).sqrt()
            })
            .collect();
        let mean = deviations.iter().sum::<f64>() / 1_000.0;
        let variance = deviations.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / 999.0;
        assert!(mean.abs() < 0.13 && (variance - 1.0).abs() < 0.18, "{mean} {variance}");
    }

    #[test]
    fn draws_at_the_ends_are_certain() {
        let (policy, scenario) = (policy(), scenario(2_000.0));
        let mut traffic = traffic(&policy, &scenario);
        for n in [0, 1, 1_000, u64::MAX] {
            assert_eq!((traffic.successes_of(n, 0.0), traffic.successes_of(n, 1.0)), (0, n));
            assert_eq!((traffic.successes_of(n, -0.1), traffic.successes_of(n, 1.1)), (0, n));
            assert_eq!(traffic.successes_of(n, f64::NAN), 0);
            assert!(traffic.successes_of(n, 0.5) <= n);
        }
    }

    #[test]
    fn traffic_beyond_all_counts_is_cut() {
        let policy = policy();
        for per_day in [1e300, f64::INFINITY] {
            let scenario = scenario(per_day);
            let mut traffic = traffic(&policy, &scenario);
            for _ in 0..3 {
                traffic.flow(5_000);
            }
            assert!(
                traffic.units.control > 1 << 60 && traffic.units.treatment > 1 << 60,
                "{:?}",
                traffic.units
            );
        }
    }
}
