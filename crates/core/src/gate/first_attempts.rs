//! The second decision, by first attempts.
//!
//! A retry selects: where an endpoint fails on bad answers, the next attempt brings a better one. So a criterion against
//! the baseline is decided as answered, and once more with every contested trial at 0 in both variants. It passes only if
//! both decisions do. Faults that hit both variants alike cancel out; faults that hit the candidate's bad answers show as
//! the loss that the retries hid. Minimums and literal checks have rules of their own.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Analysis, Cell, ContestedTotals, Criterion, CriterionVerdict, EVEN, Matrix, MetricKind, MetricScores,
    Requirement, Role, TrialPlace, VariantScores,
};
use crate::stats::fisher_p_worse;

use super::evidence::EXACT;

/// The one-sided level at which the candidate counts as contested more often than the baseline.
const RATES_DIFFER: f64 = 0.1;

/// Contested trials of one case from which a retry is suspected to hide its answers.
const MIN_CASE_TRIALS: usize = 3;

/// Contested trials of one case that are worth more repeats.
const MIN_DOUBTFUL_TRIALS: usize = 2;

/// Contested and all trials of the variants, over some cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ContestedCounts {
    pub(super) candidate: usize,
    pub(super) candidate_trials: usize,
    pub(super) baseline: usize,
    /// 0 without a baseline.
    pub(super) baseline_trials: usize,
}

impl ContestedCounts {
    /// The trials of the cases that `select` accepts.
    pub(super) fn of(analysis: &Analysis, select: impl Fn(usize) -> bool) -> Self {
        Self::of_places(analysis, &contested_trials(analysis), select)
    }

    /// The trials at these places, of the cases that `select` accepts.
    fn of_places(analysis: &Analysis, places: &BTreeSet<TrialPlace>, select: impl Fn(usize) -> bool) -> Self {
        let cases = (0..analysis.cases.len()).filter(|case| select(*case)).count();
        let trials = cases * analysis.repeats as usize;
        let contested = |role| places.iter().filter(|place| place.role == role && select(place.case)).count();
        Self {
            candidate: contested(Role::Candidate),
            candidate_trials: trials,
            baseline: contested(Role::Baseline),
            baseline_trials: if analysis.has_baseline { trials } else { 0 },
        }
    }

    fn of_judgements(analysis: &Analysis, places: &[TrialPlace]) -> Self {
        let contested = |role| places.iter().filter(|place| place.role == role).count();
        Self {
            candidate: contested(Role::Candidate),
            baseline: contested(Role::Baseline),
            ..Self::of(analysis, |_| true)
        }
    }

    /// The counts of the variants exchanged.
    fn swapped(self) -> Self {
        Self {
            candidate: self.baseline,
            candidate_trials: self.baseline_trials,
            baseline: self.candidate,
            baseline_trials: self.candidate_trials,
        }
    }

    /// The exact one-sided p of "the candidate is contested more often". 1 without a baseline.
    fn p_more_often(self) -> f64 {
        let clean = |contested: usize, trials: usize| trials.saturating_sub(contested);
        fisher_p_worse(
            clean(self.candidate, self.candidate_trials),
            self.candidate_trials,
            clean(self.baseline, self.baseline_trials),
            self.baseline_trials,
        )
    }

    fn candidate_share(self) -> f64 {
        share(self.candidate, self.candidate_trials)
    }

    /// `3 of 90 answers of the candidate and 1 of 90 of the baseline`.
    pub(super) fn describe(self) -> String {
        let Self { candidate, candidate_trials, baseline, baseline_trials } = self;
        let ours = format!("{candidate} of {candidate_trials} answers of the candidate");
        match baseline_trials {
            0 => ours,
            _ => format!("{ours} and {baseline} of {baseline_trials} of the baseline"),
        }
    }
}

/// The contested trials and judgements of a run; `None` without any.
pub(super) fn totals(analysis: &Analysis) -> Option<ContestedTotals> {
    let ContestedCounts { candidate, candidate_trials, baseline, baseline_trials } =
        ContestedCounts::of(analysis, |_| true);
    let judgements = analysis.contested.judgements.values().map(Vec::len).sum();
    let totals = ContestedTotals { candidate, candidate_trials, baseline, baseline_trials, judgements };
    (candidate + baseline + judgements > 0).then_some(totals)
}

fn share(count: usize, of: usize) -> f64 {
    if of == 0 { 0.0 } else { count as f64 / of as f64 }
}

/// The cases that only the candidate cannot answer in time: at least half of its trials, and at least three, timed out on
/// their first attempt, and none of as many of the baseline's.
pub(super) fn timed_out_cases(analysis: &Analysis) -> BTreeSet<usize> {
    let repeats = analysis.repeats;
    let baseline_repeats = analysis.metrics.iter().map(|metric| metric.baseline_repeats).max();
    if analysis.contested.is_empty() || baseline_repeats.is_none_or(|of_baseline| of_baseline < repeats) {
        return BTreeSet::new();
    }
    let mut ours = vec![0; analysis.cases.len()];
    let mut theirs = vec![0; analysis.cases.len()];
    for trial in analysis.contested.trials.iter().filter(|trial| trial.timed_out) {
        let counts = if trial.at.role == Role::Candidate { &mut ours } else { &mut theirs };
        if let Some(count) = counts.get_mut(trial.at.case) {
            *count += 1;
        }
    }
    let is_slow = |case: &usize| is_half(ours[*case], repeats as usize) && theirs[*case] == 0;
    (0..analysis.cases.len()).filter(is_slow).collect()
}

/// Whether a count is at least half of the trials of a case, and large enough to suspect a cause.
fn is_half(count: usize, trials: usize) -> bool {
    count >= MIN_CASE_TRIALS && 2 * count >= trials
}

/// The analysis as answered: trials of the candidate that timed out have score 0 in [`timed_out_cases`].
pub(super) fn as_answered(analysis: &Analysis) -> Cow<'_, Analysis> {
    let slow = timed_out_cases(analysis);
    if slow.is_empty() {
        return Cow::Borrowed(analysis);
    }
    let timed_out = analysis.contested.trials.iter().filter(|trial| trial.timed_out).map(|trial| trial.at);
    let places: BTreeSet<TrialPlace> =
        timed_out.filter(|place| place.role == Role::Candidate && slow.contains(&place.case)).collect();
    Cow::Owned(with_metrics(analysis, |metric| without(metric, &places)))
}

/// The analysis by first attempts: contested trials have score 0 in both variants, and so have contested judgements of a
/// metric whose judge failed more often for one variant. `None` if nothing is contested.
pub(super) fn by_first_attempts(analysis: &Analysis) -> Option<Analysis> {
    let metrics = || analysis.metrics.iter().map(|metric| contested_places(analysis, metric));
    if metrics().all(|places| places.is_empty()) {
        return None;
    }
    Some(with_metrics(analysis, |metric| without(metric, &contested_places(analysis, metric))))
}

/// The places of the contested trials.
fn contested_trials(analysis: &Analysis) -> BTreeSet<TrialPlace> {
    analysis.contested.trials.iter().map(|trial| trial.at).collect()
}

/// The contested trials and judgements of a metric. Without a baseline no rates can be compared, and all of them count.
fn contested_places(analysis: &Analysis, metric: &MetricScores) -> BTreeSet<TrialPlace> {
    let mut places = contested_trials(analysis);
    // A judgement of both answers favors neither, whichever attempt brought it.
    if metric.is_pairwise() {
        return places;
    }
    if let Some(judgements) = analysis.contested.judgements.get(&metric.name) {
        let counts = ContestedCounts::of_judgements(analysis, judgements);
        let p = counts.p_more_often().min(counts.swapped().p_more_often());
        if p <= RATES_DIFFER || !analysis.has_baseline {
            places.extend(judgements);
        }
    }
    places
}

/// The number of missing grades of a metric that a contested attempt explains.
pub(super) fn contested_missing(analysis: &Analysis, metric: &MetricScores, role: Role) -> usize {
    if metric.is_pairwise() {
        // Either answer leaves the pair without a result, which both matrices lack.
        let pairs: BTreeSet<(usize, u32)> =
            contested_trials(analysis).into_iter().map(|place| (place.case, place.repeat)).collect();
        let cell = |(case, repeat): &(usize, u32)| {
            metric.scores.candidate.row(*case).and_then(|row| row.get(*repeat as usize)).copied()
        };
        return pairs.iter().filter(|pair| cell(pair) == Some(Cell::Missing)).count();
    }
    let is_missing = |place: &&TrialPlace| {
        let matrix = matrix_of(&metric.scores, role).and_then(|matrix| matrix.row(place.case));
        matrix.and_then(|row| row.get(place.repeat as usize)) == Some(&Cell::Missing)
    };
    let places = contested_places(analysis, metric);
    places.iter().filter(|place| place.role == role).filter(is_missing).count()
}

fn matrix_of(scores: &VariantScores, role: Role) -> Option<&Matrix> {
    match role {
        Role::Candidate => Some(&scores.candidate),
        Role::Baseline => scores.baseline.as_ref(),
    }
}

/// The analysis for literal checks: a missing trial of a case that has other answers is left out where a contested attempt
/// explains it. Of two of a case, both are kept, and so are all where the candidate is contested without a baseline more
/// often than `max_missing`.
pub(super) fn for_literal_checks(analysis: &Analysis, max_missing: f64) -> Cow<'_, Analysis> {
    let counts = ContestedCounts::of(analysis, |_| true);
    if analysis.contested.trials.is_empty()
        || (!analysis.has_baseline && counts.candidate_share() > max_missing + EXACT)
    {
        return Cow::Borrowed(analysis);
    }
    let places = contested_trials(analysis);
    Cow::Owned(with_metrics(analysis, |metric| {
        each_row(metric, |role, case, row| {
            let explained = |(repeat, cell): (usize, &Cell)| {
                let repeat = u32::try_from(repeat).unwrap_or(u32::MAX);
                *cell == Cell::Missing && places.contains(&TrialPlace { role, case, repeat })
            };
            let lone =
                row.iter().enumerate().filter(|(repeat, cell)| explained((*repeat, cell))).count() == 1;
            let is_answered = row.iter().any(|cell| cell.value().is_some());
            let cell = |(repeat, cell): (usize, &Cell)| match explained((repeat, cell)) {
                true if lone && is_answered => Cell::NotAsked,
                _ => *cell,
            };
            row.iter().enumerate().map(cell).collect()
        })
    }))
}

/// The verdict of a literal criterion by first attempts, if it is not a pass: fail, if retries seem to hide answers of a
/// case, or, for a check over the suite, if the candidate is contested more often than the baseline; inconclusive, if
/// `more_looks` can tell whether it is, or half of a case's few trials are contested. `alpha` is that of the look and of
/// the run.
pub(super) fn literal_verdict(
    analysis: &Analysis,
    criterion: &Criterion,
    alpha: (f64, f64),
    more_looks: bool,
) -> Option<(CriterionVerdict, ContestedCounts)> {
    if analysis.contested.is_empty() {
        return None;
    }
    let metric = analysis.metric(&criterion.metric);
    let is_of_suite = matches!(criterion.requirement, Requirement::EveryTrial | Requirement::NoNewFailures);
    let selected: BTreeSet<usize> = match criterion.requirement {
        // There may be a criterion for every case, and few of them have a failed attempt.
        Requirement::MustPass { case, .. } if !analysis.contested.any_of_case(case) => return None,
        Requirement::MustPass { case, .. } => BTreeSet::from([case]),
        Requirement::BrokenCases { .. } => (0..analysis.cases.len()).collect(),
        Requirement::EveryTrial | Requirement::NoNewFailures => {
            let graded = &metric?.scores.candidate;
            let applies = |case: &usize| graded.row(*case).is_some() && has_tag(analysis, criterion, *case);
            (0..analysis.cases.len()).filter(applies).collect()
        }
        _ => return None,
    };
    let places: BTreeSet<TrialPlace> = match metric {
        Some(metric) => contested_places(analysis, metric),
        // All metrics together define whether a trial passes.
        None => analysis.metrics.iter().flat_map(|metric| contested_places(analysis, metric)).collect(),
    };
    let mut by_case: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for at in &places {
        if selected.contains(&at.case) {
            let (ours, theirs) = by_case.entry(at.case).or_default();
            *(if at.role == Role::Candidate { ours } else { theirs }) += 1;
        }
    }
    let repeats = analysis.repeats as usize;
    let ours_alone: Vec<(usize, usize)> = by_case
        .into_iter()
        .filter(|(_, (_, theirs))| *theirs == 0)
        .map(|(case, (ours, _))| (case, ours))
        .collect();
    let of_case = |hidden: usize| ContestedCounts::of_places(analysis, &places, |case| case == hidden);
    if let Some((hidden, _)) = ours_alone.iter().find(|(_, ours)| is_half(*ours, repeats)) {
        return Some((CriterionVerdict::Fail, of_case(*hidden)));
    }
    let counts = ContestedCounts::of_places(analysis, &places, |case| selected.contains(&case));
    let p = counts.p_more_often();
    let (of_look, of_run) = alpha;
    // A literal pass ends the looks, so that the last one would never spend what is left of alpha.
    if is_of_suite && p <= of_run + EXACT {
        let decided = p <= of_look + EXACT || !more_looks;
        let verdict = if decided { CriterionVerdict::Fail } else { CriterionVerdict::Inconclusive };
        return Some((verdict, counts));
    }
    let is_doubtful = |ours: usize| more_looks && ours >= MIN_DOUBTFUL_TRIALS && 2 * ours >= repeats;
    let (doubtful, _) = ours_alone.iter().find(|(_, ours)| is_doubtful(*ours))?;
    Some((CriterionVerdict::Inconclusive, of_case(*doubtful)))
}

/// The faults behind a minimum.
#[derive(Debug, Clone, Copy)]
pub(super) enum MinimumFaults {
    /// Subtracted from the mean: the share of trials by which the candidate is contested more often, plus one standard
    /// error, times the mean.
    Subtracted(f64),
    /// Without a baseline, more trials are contested than `max_missing` allows: they are filled at worst.
    Filled,
}

/// The faults that count against a minimum on a metric with this mean.
pub(super) fn minimum_faults(
    analysis: &Analysis,
    criterion: &Criterion,
    mean: f64,
    max_missing: f64,
) -> Option<(MinimumFaults, ContestedCounts)> {
    if analysis.contested.is_empty() {
        return None;
    }
    let metric = analysis.metric(&criterion.metric)?;
    let counts = ContestedCounts::of_places(analysis, &contested_places(analysis, metric), |case| {
        metric.scores.candidate.row(case).is_some() && has_tag(analysis, criterion, case)
    });
    let ours = counts.candidate_share();
    if !analysis.has_baseline {
        return (ours > max_missing + EXACT).then_some((MinimumFaults::Filled, counts));
    }
    if counts.p_more_often() > RATES_DIFFER {
        return None;
    }
    let theirs = share(counts.baseline, counts.baseline_trials);
    let variance = |share: f64, trials: usize| share * (1.0 - share) / trials.max(1) as f64;
    let error = (variance(ours, counts.candidate_trials) + variance(theirs, counts.baseline_trials)).sqrt();
    let excess = (ours - theirs + error).max(0.0);
    Some((MinimumFaults::Subtracted(excess * mean), counts))
}

fn has_tag(analysis: &Analysis, criterion: &Criterion, case: usize) -> bool {
    let tags = analysis.cases.get(case).map(|facts| &facts.tags);
    criterion.tag.as_ref().is_none_or(|tag| tags.is_some_and(|tags| tags.contains(tag)))
}

/// A check or judged metric in which the answers at these places count as bad.
fn without(metric: &MetricScores, places: &BTreeSet<TrialPlace>) -> MetricScores {
    if metric.is_pairwise() { lost(metric, places) } else { graded_zero(metric, places) }
}

/// Results of pairs in which an answer at one of these places has lost; a pair with both of its answers there is a tie.
fn lost(metric: &MetricScores, places: &BTreeSet<TrialPlace>) -> MetricScores {
    each_row(metric, |role, case, row| {
        let cell = |(repeat, cell): (usize, &Cell)| {
            let repeat = u32::try_from(repeat).unwrap_or(u32::MAX);
            let is_lost = |role| places.contains(&TrialPlace { role, case, repeat });
            match (cell, is_lost(Role::Candidate), is_lost(Role::Baseline)) {
                (Cell::NotAsked, ..) | (_, false, false) => *cell,
                _ if role == Role::Baseline => Cell::Value(EVEN),
                (_, true, false) => Cell::Value(0.0),
                (_, false, true) => Cell::Value(1.0),
                (_, true, true) => Cell::Value(EVEN),
            }
        };
        row.iter().enumerate().map(cell).collect()
    })
}

/// A check or judged metric with score 0 at these places, where a grade was asked for.
fn graded_zero(metric: &MetricScores, places: &BTreeSet<TrialPlace>) -> MetricScores {
    each_row(metric, |role, case, row| {
        let cell = |(repeat, cell): (usize, &Cell)| {
            let repeat = u32::try_from(repeat).unwrap_or(u32::MAX);
            match cell {
                Cell::NotAsked => Cell::NotAsked,
                _ if places.contains(&TrialPlace { role, case, repeat }) => Cell::Value(0.0),
                cell => *cell,
            }
        };
        row.iter().enumerate().map(cell).collect()
    })
}

/// The analysis with its checks and judged metrics replaced.
fn with_metrics(analysis: &Analysis, replace: impl Fn(&MetricScores) -> MetricScores) -> Analysis {
    let metric = |metric: &MetricScores| match metric.kind {
        MetricKind::Check | MetricKind::Judge => replace(metric),
        _ => metric.clone(),
    };
    Analysis {
        cases: analysis.cases.clone(),
        metrics: analysis.metrics.iter().map(metric).collect(),
        contested: analysis.contested.clone(),
        stored_baseline: analysis.stored_baseline.clone(),
        refusals: analysis.refusals.clone(),
        fresh_times: analysis.fresh_times.clone(),
        unreviewed_price: analysis.unreviewed_price.clone(),
        ..*analysis
    }
}

/// A metric with every row replaced.
fn each_row(metric: &MetricScores, replace: impl Fn(Role, usize, &[Cell]) -> Vec<Cell>) -> MetricScores {
    let matrix = |role, matrix: &Matrix| -> Matrix {
        matrix.rows().enumerate().map(|(case, row)| row.map(|row| replace(role, case, row))).collect()
    };
    let VariantScores { candidate, baseline } = &metric.scores;
    let scores = VariantScores {
        candidate: matrix(Role::Candidate, candidate),
        baseline: baseline.as_ref().map(|rows| matrix(Role::Baseline, rows)),
    };
    MetricScores { name: metric.name.clone(), scores, ..*metric }
}
