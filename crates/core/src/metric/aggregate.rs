//! Builds the matrices of a run.

use super::determinism;
use super::stored::{started, stored_baseline};
use crate::model::{
    Analysis, Cell, Contested, ContestedTrial, EVEN, Ended, FirstAttempt, Matrix, MetricKind, MetricScores,
    PREFERENCE, RepeatCounts, Role, Run, SESSION_SECONDS, Trial, TrialPlace, TrialResult, TrialSummary,
    VariantScores,
};

/// Every metric of a run: the scorers in their order, then latency in seconds, output tokens, cost in US dollars
/// and length in characters.
/// Time to the first token follows latency where an answer came as a stream.
///
/// A trial without an answer, and a grade that the scorer could not give, are missing cells. A repeat that a scorer was
/// not asked about is [`Cell::NotAsked`]. So is a planned trial that does not exist after `--fail-fast`; after any other
/// end it is missing. Output tokens are left out if no answer reported any, cost if the model of a variant has no
/// price and no answer reports its cost.
pub fn analyse(run: &Run) -> Analysis {
    let trials = Trials::new(run);
    let mut metrics: Vec<MetricScores> = Vec::with_capacity(run.scorers.len() + 4);
    for (scorer, name) in run.scorers.iter().enumerate() {
        let applies = trials.applies(scorer, name);
        let kind = if name.starts_with("check.") { MetricKind::Check } else { MetricKind::Judge };
        let of_scorer = |role| trials.repeats(role).per_scorer.get(scorer).copied().unwrap_or_default();
        // A pair has both answers, so no more pairs are planned than answers of the baseline.
        let pairs = of_scorer(Role::Candidate).min(trials.repeats(Role::Baseline).per_case);
        let is_pair = name == PREFERENCE;
        let planned = |role| if is_pair { pairs } else { of_scorer(role) };
        let metric = trials.metric(name, kind, &applies, &planned, |_, trial| trials.grade(name, trial));
        metrics.push(if is_pair { compared(metric) } else { metric });
    }
    let everywhere = vec![true; run.cases.len()];
    let mut measure = |name: &str, kind, value: &dyn Fn(Role, &TrialSummary) -> Option<f64>| {
        let planned = |role| trials.repeats(role).per_case;
        metrics.push(trials.metric(name, kind, &everywhere, &planned, |role, trial| {
            let value = trial.result.answer().and_then(|answer| value(role, answer));
            value.filter(|value| value.is_finite()).map_or(Cell::Missing, Cell::Value)
        }));
    };
    measure("latency", MetricKind::Latency, &|_, answer| Some(answer.latency_ms / 1000.0));
    let has_usage = trials.any(|answer| answer.usage.is_some());
    if has_usage {
        measure("output_tokens", MetricKind::OutputTokens, &|_, answer| {
            answer.usage.map(|usage| usage.completion_tokens as f64)
        });
    }
    if (has_usage && is_priced(run)) || trials.any(|answer| answer.cost_usd.is_some()) {
        measure("cost_usd", MetricKind::Cost, &|role, answer| trials.cost(role, answer));
    }
    measure("length", MetricKind::Length, &|_, answer| Some(answer.characters as f64));
    let after_latency = metrics.iter().position(|metric| metric.name == "latency").map_or(0, |at| at + 1);
    metrics.splice(after_latency..after_latency, trials.time_to_first_token());
    Analysis {
        cases: run.cases.clone(),
        repeats: run.repeats.per_case,
        metrics,
        fresh_times: trials.fresh_times(),
        unreviewed_price: trials.unreviewed_price(),
        has_baseline: run.baseline.is_some(),
        baseline_reused: run.reused_baseline.is_some(),
        sessions_differ: run.reused_baseline.is_some() || trials.sessions_differ(),
        stored_baseline: stored_baseline(run),
        refusals: trials.refusals(),
        repeats_cached: trials.repeats_identical(Role::Candidate) || trials.repeats_identical(Role::Baseline),
        contested: trials.contested(),
    }
}

/// The results of pairs, with a tie as the baseline's score wherever there is a result.
fn compared(metric: MetricScores) -> MetricScores {
    let tie = |cell: &Cell| match cell {
        Cell::Value(_) => Cell::Value(EVEN),
        other => *other,
    };
    let candidate = metric.scores.candidate;
    let ties =
        || candidate.rows().map(|row| row.map(|row| row.iter().map(tie).collect::<Vec<_>>())).collect();
    let baseline = metric.scores.baseline.as_ref().map(|_| ties());
    MetricScores { scores: VariantScores { candidate, baseline }, ..metric }
}

/// Whether the model of every variant has a price.
fn is_priced(run: &Run) -> bool {
    let models = run.baseline.iter().chain([&run.candidate]).map(|variant| &variant.model);
    models.into_iter().all(|model| run.prices.get(model).is_some())
}

/// The trials of a run by role, case and repeat.
struct Trials<'a> {
    run: &'a Run,
    repeats: usize,
    /// The candidate's trials, then the baseline's, each ordered by case and repeat.
    by_side: [Vec<Option<&'a Trial>>; 2],
}

impl<'a> Trials<'a> {
    fn new(run: &'a Run) -> Self {
        let repeats = run.repeats.per_case as usize;
        let empty = vec![None; run.cases.len() * repeats];
        let mut by_side = [empty.clone(), empty];
        for trial in &run.trials {
            let repeat = trial.repeat as usize;
            if trial.case < run.cases.len() && repeat < repeats {
                by_side[side(trial.role)][trial.case * repeats + repeat] = Some(trial);
            }
        }
        Self { run, repeats, by_side }
    }

    /// The candidate's latencies and times to the first token without those of cached answers, which say nothing about
    /// the endpoint now; none where no answer is cached.
    fn fresh_times(&self) -> Vec<MetricScores> {
        let is_cached = |answer: &TrialSummary| answer.cached_at.is_some();
        if !self.answers(Role::Candidate).any(is_cached) {
            return Vec::new();
        }
        let fresh = |name: &str, value: &dyn Fn(&TrialSummary) -> Option<f64>| {
            let scores = self.times(name, |answer| match value(answer) {
                _ if is_cached(answer) => Cell::NotAsked,
                Some(milliseconds) if milliseconds.is_finite() => Cell::Value(milliseconds / 1000.0),
                _ => Cell::Missing,
            });
            let of_candidate = VariantScores { baseline: None, ..scores.scores };
            MetricScores { baseline_repeats: 0, scores: of_candidate, ..scores }
        };
        let ttft =
            self.any(|answer| answer.ttft_ms.is_some()).then(|| fresh("ttft", &|answer| answer.ttft_ms));
        std::iter::once(fresh("latency", &|answer| Some(answer.latency_ms))).chain(ttft).collect()
    }

    /// The times to the first token; `None` where no answer came as a stream. A cached answer may have come without one.
    fn time_to_first_token(&self) -> Option<MetricScores> {
        let cell = |answer: &TrialSummary| match answer.ttft_ms {
            Some(milliseconds) if milliseconds.is_finite() => Cell::Value(milliseconds / 1000.0),
            None if answer.cached_at.is_some() => Cell::NotAsked,
            _ => Cell::Missing,
        };
        self.any(|answer| answer.ttft_ms.is_some()).then(|| self.times("ttft", cell))
    }

    /// A metric in seconds.
    fn times(&self, name: &str, cell: impl Fn(&TrialSummary) -> Cell) -> MetricScores {
        let everywhere = vec![true; self.run.cases.len()];
        let planned = |role| self.repeats(role).per_case;
        self.metric(name, MetricKind::Latency, &everywhere, &planned, |_, trial| {
            trial.result.answer().map_or(Cell::Missing, &cell)
        })
    }

    /// The model of a variant whose answers are priced by the change that is judged alone.
    fn unreviewed_price(&self) -> Option<String> {
        let by_role = |role| {
            let asked = self.model(role)?;
            let is_unreviewed = |answer: &TrialSummary| {
                let price = self.run.prices.of_answer(asked, answer.by.model.as_deref());
                answer.cost_usd.is_none() && price.is_some_and(|price| price.from_change)
            };
            self.answers(role).any(is_unreviewed).then(|| asked.to_owned())
        };
        [Role::Candidate, Role::Baseline].into_iter().find_map(by_role)
    }

    /// The cost of an answer in US dollars: as reported, else by the prices.
    fn cost(&self, role: Role, answer: &TrialSummary) -> Option<f64> {
        let computed = || {
            let asked = self.model(role).or(self.model(Role::Candidate))?;
            Some(self.run.prices.of_answer(asked, answer.by.model.as_deref())?.cost(answer.usage?))
        };
        answer.cost_usd.or_else(computed)
    }

    /// The model that a variant asks.
    fn model(&self, role: Role) -> Option<&'a str> {
        match role {
            Role::Candidate => Some(&self.run.candidate.model),
            Role::Baseline => self.run.baseline.as_ref().map(|baseline| baseline.model.as_str()),
        }
    }

    /// Whether the two sides of some trial were answered more than a session apart.
    fn sessions_differ(&self) -> bool {
        let started = started(self.run);
        let answered_at = |trial: &Trial| Some(trial.result.answer()?.cached_at.unwrap_or(started));
        let pairs = self.by_side[0].iter().zip(&self.by_side[1]);
        pairs
            .filter_map(|(ours, theirs)| Some((answered_at((*ours)?)?, answered_at((*theirs)?)?)))
            .any(|(ours, theirs)| ours.abs_diff(theirs) > SESSION_SECONDS)
    }

    /// Which answers are refusals; `None` where none is.
    fn refusals(&self) -> Option<VariantScores> {
        let is_refusal = |answer: &TrialSummary| answer.refusal;
        let any =
            [Role::Candidate, Role::Baseline].into_iter().any(|role| self.answers(role).any(is_refusal));
        let everywhere = vec![true; self.run.cases.len()];
        let planned = |role| self.repeats(role).per_case;
        any.then(|| {
            let scores = self.metric("refusals", MetricKind::Length, &everywhere, &planned, |_, trial| {
                let refused = trial.result.answer().map(|answer| f64::from(u8::from(answer.refusal)));
                refused.map_or(Cell::Missing, Cell::Value)
            });
            scores.scores
        })
    }

    /// The trials and judgements with a contested attempt.
    fn contested(&self) -> Contested {
        let mut contested = Contested::default();
        for role in [Role::Candidate, Role::Baseline] {
            for (index, trial) in self.by_side[side(role)].iter().enumerate() {
                let Some(trial) = trial else { continue };
                let at = TrialPlace { role, case: index / self.repeats, repeat: trial.repeat };
                let first = trial.result.first_attempt();
                if first.is_contested() {
                    let timed_out = first == FirstAttempt::TimedOut;
                    contested.trials.push(ContestedTrial { at, timed_out });
                }
                let grades = trial.result.answer().map(|answer| &*answer.grades).unwrap_or_default();
                for grade in grades.iter().filter(|grade| grade.contested) {
                    contested.judgements.entry(grade.scorer.to_string()).or_default().push(at);
                }
            }
        }
        contested
    }

    /// The repeats that were planned for a side.
    fn repeats(&self, role: Role) -> &'a RepeatCounts {
        match (role, &self.run.reused_baseline) {
            (Role::Baseline, Some(reused)) => reused,
            _ => &self.run.repeats,
        }
    }

    /// The trials of one case. A shared case has the candidate's trials on both sides.
    fn of_case(&self, role: Role, case: usize) -> &[Option<&'a Trial>] {
        let shared = self.run.cases.get(case).is_some_and(|facts| facts.shared);
        let role = if shared { Role::Candidate } else { role };
        &self.by_side[side(role)][case * self.repeats..(case + 1) * self.repeats]
    }

    /// Both sides' matrices of one metric.
    fn metric(
        &self,
        name: &str,
        kind: MetricKind,
        applies: &[bool],
        planned: &dyn Fn(Role) -> u32,
        cell: impl Fn(Role, &Trial) -> Cell,
    ) -> MetricScores {
        let absent = if self.run.ended == Ended::FailedFast { Cell::NotAsked } else { Cell::Missing };
        let cell = &cell;
        let matrix = |role| -> Matrix {
            let planned = planned(role) as usize;
            let row = |case| {
                let trials = self.of_case(role, case).iter().enumerate();
                trials.map(move |(repeat, trial)| match trial {
                    _ if repeat >= planned => Cell::NotAsked,
                    Some(trial) => cell(role, trial),
                    None => absent,
                })
            };
            applies.iter().enumerate().map(|(case, applies)| applies.then(|| row(case))).collect()
        };
        let baseline = self.run.baseline.as_ref().map(|_| matrix(Role::Baseline));
        let scores = VariantScores { candidate: matrix(Role::Candidate), baseline };
        let baseline_repeats = if scores.baseline.is_some() { planned(Role::Baseline) } else { 0 };
        MetricScores {
            name: name.to_owned(),
            kind,
            repeats: planned(Role::Candidate),
            baseline_repeats,
            deterministic_repeats: match kind {
                MetricKind::Check | MetricKind::Judge => {
                    determinism::repeats(self.run, self.sides(), (name, kind == MetricKind::Judge))
                }
                _ => 0,
            },
            declared_deterministic: determinism::is_declared(self.run),
            scores,
        }
    }

    /// The cell of a trial in the matrix of a scorer.
    fn grade(&self, scorer: &str, trial: &Trial) -> Cell {
        let Some(answer) = trial.result.answer() else { return Cell::Missing };
        match answer.grade(scorer) {
            Some(grade) => grade.score.map_or(Cell::Missing, Cell::Value),
            // The run stopped before this answer was graded.
            None if self.run.ended == Ended::FailedFast => Cell::NotAsked,
            None => Cell::Missing,
        }
    }

    /// Whether a scorer applies to each case. If the run does not record it, the scorer applies to cases with a grade in
    /// any trial, and to cases without an answer, so that their missing grades still count.
    fn applies(&self, scorer: usize, name: &str) -> Vec<bool> {
        if let Some(recorded) = self.run.applies.get(scorer)
            && recorded.len() == self.run.cases.len()
        {
            return recorded.clone();
        }
        let (mut graded, mut answered) =
            (vec![false; self.run.cases.len()], vec![false; self.run.cases.len()]);
        for trial in &self.run.trials {
            if let TrialResult::Completed(answer) = &trial.result
                && trial.case < graded.len()
            {
                answered[trial.case] = true;
                graded[trial.case] |= answer.grade(name).is_some();
            }
        }
        graded.iter().zip(&answered).map(|(graded, answered)| *graded || !*answered).collect()
    }

    fn answers(&self, role: Role) -> impl Iterator<Item = &'a TrialSummary> {
        self.by_side[side(role)].iter().flatten().filter_map(|trial| trial.result.answer())
    }

    /// Whether an answer of either variant is like this.
    fn any(&self, is: impl Fn(&TrialSummary) -> bool) -> bool {
        [Role::Candidate, Role::Baseline].into_iter().any(|role| self.answers(role).any(&is))
    }

    /// The trials of every case and side, by repeat.
    fn sides(&self) -> impl Iterator<Item = &[Option<&'a Trial>]> {
        self.by_side.iter().flat_map(|side| side.chunks(self.repeats.max(1)))
    }

    /// Whether an external cache answered the repeats of a variant: all repeats of every case have the same text although
    /// the temperature is above 0 and the endpoint is not simulated.
    fn repeats_identical(&self, role: Role) -> bool {
        let variant = match role {
            Role::Candidate => Some(&self.run.candidate),
            Role::Baseline => self.run.baseline.as_ref(),
        };
        let temperature = variant.and_then(|variant| variant.parameters.get("temperature")?.as_f64());
        let sampled = temperature.is_some_and(|temperature| temperature > 0.0);
        if !sampled || self.run.simulated || self.repeats < 2 {
            return false;
        }
        let mut repeated = 0;
        for case in 0..self.run.cases.len() {
            if role == Role::Baseline && self.run.cases[case].shared {
                continue;
            }
            let mut answers =
                self.of_case(role, case).iter().flatten().filter_map(|trial| trial.result.answer());
            let Some(first) = answers.next() else { continue };
            for other in answers {
                if other.text_hash != first.text_hash || other.characters != first.characters {
                    return false;
                }
                repeated += 1;
            }
        }
        repeated > 0
    }
}

fn side(role: Role) -> usize {
    match role {
        Role::Candidate => 0,
        Role::Baseline => 1,
    }
}
