//! The alpha that a run spends together with an earlier one whose repeats it extends.

use promptgate_core::gate::{Policy, Schedule};
use promptgate_core::metric;
use promptgate_core::model::{Role, Run};

/// Says what both runs may spend, where this one reads answers of an earlier run that ended at a look of the schedule and
/// adds more repeats: raising `max_repeats` after a result is a further look. A single look at more repeats has all of
/// alpha, whatever the earlier run spent.
pub(super) fn warning(run: &Run, policy: &Policy) -> Option<String> {
    let earlier = earlier_repeats(run)?;
    let (schedule, alpha) = (policy.schedule(), policy.alpha());
    let rounded = |total: f64| (total * 1e4).round() / 1e4;
    if schedule.first() == schedule.last() && earlier < schedule.first() {
        return Some(format!(
            "the first {earlier} repeats are those of an earlier run: if it ended undecided, both runs together spend an \
             alpha of up to {}, not {alpha}",
            rounded(2.0 * alpha)
        ));
    }
    if earlier < schedule.first() || !schedule.repeats().contains(&earlier) {
        return None;
    }
    Some(format!(
        "the first {earlier} repeats are those of an earlier run: if it ended undecided with max_repeats {earlier}, both \
         runs together spend an alpha of {}, not {alpha}",
        rounded(total_alpha(schedule, earlier, alpha))
    ))
}

/// The number of first repeats that an earlier run answered, if this one has more.
fn earlier_repeats(run: &Run) -> Option<u32> {
    let started = metric::started(run);
    let candidate = || run.trials.iter().filter(|trial| trial.role == Role::Candidate);
    let is_earlier = |at: Option<u64>| at.is_some_and(|at| at < started);
    let new = candidate()
        .filter(|trial| trial.result.answer().is_some_and(|answer| !is_earlier(answer.cached_at)))
        .map(|trial| trial.repeat)
        .min()?;
    let all_new = candidate()
        .filter(|trial| trial.repeat >= new)
        .all(|trial| trial.result.answer().is_none_or(|answer| !is_earlier(answer.cached_at)));
    (new > 0 && all_new).then_some(new)
}

/// At a look of both schedules the larger alpha counts.
fn total_alpha(schedule: Schedule, earlier: u32, alpha: f64) -> f64 {
    let before = Schedule::new(schedule.first(), earlier).looks(alpha);
    let of_both = schedule.looks(alpha).into_iter().map(|look| {
        let same = before.iter().find(|other| other.repeats == look.repeats);
        same.map_or(look.alpha, |other| look.alpha.max(other.alpha))
    });
    of_both.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raised_max_repeats_add_the_alpha_of_the_new_looks() {
        // 0.0125 at 3, 0.0125 at 6 and 0.025 at 12 in the earlier run, and 0.025 at 24 in this one.
        let total = total_alpha(Schedule::new(3, 24), 12, 0.05);
        assert!((total - 0.075).abs() < 1e-12, "{total}");
    }
}
