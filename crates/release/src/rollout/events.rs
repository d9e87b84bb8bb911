//! The events of rollouts, applied to the state of a prompt.

use jiff::Timestamp;

use super::plan::ALL_UNITS;
use super::progress::{Exposure, Rollout, RolloutOutcome, RolloutStart};
use crate::{Event, EventKind, Label, State};

impl State {
    /// Applies an event of a rollout.
    ///
    /// # Errors
    /// Why it cannot follow; the state is unchanged then.
    pub(crate) fn apply_rollout(&mut self, event: &Event) -> Result<(), String> {
        let at = event.at;
        match &event.kind {
            EventKind::RolloutStarted { start } => self.start_rollout(start, at),
            EventKind::RolloutLooked { rollout, looks, failure, harm } => {
                self.running(*rollout, at)?.look(looks, harm, failure.is_some(), at);
                Ok(())
            }
            EventKind::RolloutStepped { rollout, step, basis_points, ended } => {
                let running = self.running(*rollout, at)?;
                let next = running.step + 1;
                if *step != next {
                    return Err(format!("rollout {rollout} goes to step {step}, expected {next}"));
                }
                let planned = running.start.steps.get(*step).map(|step| step.basis_points);
                if planned != Some(*basis_points) {
                    return Err(format!("step {step} of rollout {rollout} has another percentage"));
                }
                running.advance(*step, *basis_points, ended, at);
                self.expose(at);
                Ok(())
            }
            EventKind::RolloutPaused { rollout, reason } => {
                self.running(*rollout, at)?.paused = Some(reason.clone());
                Ok(())
            }
            EventKind::RolloutResumed { rollout, sources, .. } => {
                let running = self.running(*rollout, at)?;
                running.paused = None;
                running.failures = 0;
                running.start.sources = sources.clone();
                Ok(())
            }
            EventKind::RolloutEnded { rollout, outcome, .. } => self.end_rollout(*rollout, *outcome, at),
            _ => Ok(()),
        }
    }

    fn start_rollout(&mut self, start: &RolloutStart, at: Timestamp) -> Result<(), String> {
        if let Some(running) = &self.rollout {
            return Err(format!("rollout {} has not ended", running.start.number));
        }
        let next = self.exposures.last().map_or(0, |exposure| exposure.rollout) + 1;
        if start.number != next {
            return Err(format!("rollout {} is begun, expected {next}", start.number));
        }
        if let Some(problem) = start.problem() {
            return Err(problem.to_owned());
        }
        for (label, version) in [(Label::Production, start.control), (Label::Canary, start.treatment)] {
            if self.labels.get(&label) != Some(&version) {
                return Err(format!("rollout {next} is begun while {label} is not at {version}"));
            }
        }
        self.rollout = Rollout::begin(start, at).map(Box::new);
        self.expose(at);
        Ok(())
    }

    fn end_rollout(&mut self, number: u64, outcome: RolloutOutcome, at: Timestamp) -> Result<(), String> {
        let treatment = self.running(number, at)?.start.treatment;
        let is_served = self.labels.get(&Label::Production) == Some(&treatment);
        let basis_points = match outcome {
            RolloutOutcome::Completed if !is_served => {
                return Err(format!("rollout {number} is completed while production is not at {treatment}"));
            }
            RolloutOutcome::Completed => ALL_UNITS,
            RolloutOutcome::RolledBack | RolloutOutcome::Aborted => 0,
        };
        self.exposures.push(Exposure { at, rollout: number, version: treatment, basis_points });
        self.rollout = None;
        Ok(())
    }

    fn running(&mut self, number: u64, at: Timestamp) -> Result<&mut Rollout, String> {
        let running = self.rollout.as_deref_mut().filter(|running| running.start.number == number);
        let running = running.ok_or_else(|| format!("rollout {number} is not running"))?;
        running.seen(at);
        Ok(running)
    }

    fn expose(&mut self, at: Timestamp) {
        if let Some(running) = &self.rollout {
            self.exposures.push(Exposure {
                at,
                rollout: running.start.number,
                version: running.start.treatment,
                basis_points: running.basis_points,
            });
        }
    }
}
