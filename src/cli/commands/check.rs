//! `promptgate check`: validates everything a run would read; no call, no cost.

use crate::cli::args::CheckArguments;
use crate::cli::error::Failure;
use crate::cli::exit::ExitStatus;
use crate::cli::output;
use crate::cli::suite;
use promptgate_core::text::neutral;

/// Loads the suite as a run would, and says what it is.
pub(crate) fn check(arguments: &CheckArguments) -> Result<ExitStatus, Failure> {
    let suite = suite::load(&arguments.suite, None)?;
    output::warn(&suite.warnings);
    let (dataset, candidate) = (suite.plan.dataset(), suite.plan.candidate());
    let prompt = |facts: &promptgate_core::model::VariantFacts| {
        format!(
            "{} {} ({}), model {}",
            facts.prompt.name, facts.prompt.version, facts.prompt.source, facts.model
        )
    };
    let baseline = match (suite.plan.baseline(), &suite.earlier, &suite.baseline_note) {
        (Some(variant), _, _) => prompt(&variant.facts),
        (None, Some(earlier), _) => format!("{} of {}", prompt(&earlier.run.candidate), earlier.file),
        (None, None, Some(note)) => note.replacen("no baseline: ", "none: ", 1),
        (None, None, None) => "none".to_owned(),
    };
    let schedule = suite.policy.schedule();
    let calls = suite.plan.slots(0, schedule.first()).len();
    let more = match schedule.last() {
        most if most > schedule.first() => format!("; while undecided more, up to {most} repeats"),
        _ => String::new(),
    };
    let mut lines = vec![
        ("suite", suite.settings.name.clone()),
        (
            "dataset",
            format!("{} ({}), {} cases", dataset.facts.path, dataset.facts.format, dataset.facts.cases),
        ),
        ("candidate", prompt(&candidate.facts)),
        ("baseline", baseline),
        ("scorers", suite.scorers.metrics().join(", ")),
        ("criteria", suite.policy.criteria.len().to_string()),
        ("a run asks", format!("{calls} answers, {} judgements{more}", calls * suite.scorers.judges.len())),
    ];
    if let Some(source) = &suite.policy_source {
        let commit = source.commit.as_deref().and_then(|commit| commit.get(..12));
        let at = commit.map_or_else(String::new, |commit| format!(" at {commit}"));
        let new = if source.new { ", where there is none: new, this configuration's own" } else { "" };
        lines.insert(4, ("policy", format!("of {}{at}{new}", source.spec)));
    }
    let mut text = String::new();
    for (name, value) in lines {
        text.push_str(&format!("{name:<11} {}\n", neutral::terminal(&value)));
    }
    text.push_str("\nall valid; nothing was called\n");
    output::print(&text)?;
    Ok(ExitStatus::Pass)
}
