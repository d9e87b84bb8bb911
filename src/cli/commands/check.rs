//! `promptgate check`: validates everything that a run would read.

use std::path::PathBuf;

use super::doctor::{context, print, status};
use crate::app::suite::{self, Suite, SuiteOptions};
use crate::app::suites::{self, Selected};
use crate::app::{Environment, Failure, ReleaseMode, doctor, keys, release};
use crate::cli::args::CheckArguments;
use crate::cli::exit::ExitStatus;
use crate::cli::output;
use promptgate_core::model::{Diagnostics, VariantFacts};
use promptgate_core::text::{counted, neutral};

/// Loads each suite as a run would, and summarizes it; with `--endpoint` also calls its endpoints.
pub(super) async fn check(
    arguments: &CheckArguments,
    environment: Environment,
) -> Result<ExitStatus, Failure> {
    let configurations = match suites::select(&arguments.suites.choice())? {
        Selected::One(config) => vec![config],
        Selected::Several { configurations, .. } => {
            suites::named(configurations.clone())?;
            configurations.into_iter().map(Some).collect()
        }
    };
    let (mut loaded, mut errors) = (Vec::new(), Vec::new());
    for config in configurations {
        match load(config, arguments, &environment).await {
            Ok(suite) => loaded.push(suite),
            Err(Failure::Diagnostics(diagnostics)) => errors.extend(diagnostics.0),
            Err(failure) => return Err(failure),
        }
    }
    if !errors.is_empty() {
        return Err(Diagnostics(errors).into());
    }
    let mut statuses = Vec::new();
    for suite in &loaded {
        output::warn(&suite.warnings);
        output::print(&(summary(suite) + "\n"))?;
        if arguments.endpoint {
            let (diagnosis, severity) = doctor::endpoints(suite, &context(environment.clone())).await;
            print(&diagnosis)?;
            statuses.push(status(severity));
        }
    }
    if arguments.endpoint {
        return Ok(ExitStatus::gravest(statuses));
    }
    output::print("all valid; nothing was called\n")?;
    Ok(ExitStatus::Pass)
}

async fn load(
    config: Option<PathBuf>,
    arguments: &CheckArguments,
    environment: &Environment,
) -> Result<Suite, Failure> {
    release::refuse_shared_name(config.as_deref())?;
    let options = SuiteOptions { release: ReleaseMode::Verify, ..arguments.flags.options(config) };
    let suite = suite::load(&options, None, environment).await?;
    let misdirected = keys::misdirected(&suite.settings, environment, !suite.scorers.judges.is_empty());
    if !misdirected.is_empty() {
        return Err(Diagnostics(misdirected).into());
    }
    Ok(suite)
}

fn summary(suite: &Suite) -> String {
    let (dataset, schedule) = (&suite.plan.dataset().facts, suite.policy.schedule());
    let slots = suite.plan.slots(0, schedule.first());
    let (answers, calls) = (slots.len(), suite.plan.calls(&slots));
    let turns = if calls > answers { format!(" in {calls} calls, one for each turn") } else { String::new() };
    let more = match schedule.last() {
        most if most > schedule.first() => format!("; more while undecided, up to {most} repeats"),
        _ => String::new(),
    };
    let mut lines = vec![
        ("suite", suite.settings.name.clone()),
        (
            "dataset",
            format!("{} ({}), {}", dataset.path, dataset.format, counted(dataset.cases as u64, "case")),
        ),
        ("candidate", prompt(&suite.plan.candidate().facts)),
        ("baseline", baseline(suite)),
        ("scorers", suite.scorers.metrics().join(", ")),
        ("criteria", suite.policy.criteria.len().to_string()),
        (
            "requests",
            format!("{answers} answers{turns}, {} judgements{more}", answers * suite.scorers.judges.len()),
        ),
    ];
    if let Some(release) = &suite.release {
        lines.push(("release", release.to_string()));
        let reasons = release.reasons.iter();
        lines.extend(reasons.map(|reason| ("", format!("{}: {}", reason.level.as_str(), reason.message))));
    }
    if let Some(source) = &suite.policy_source {
        let commit = source.commit.as_deref().and_then(|commit| commit.get(..12));
        let at = commit.map_or_else(String::new, |commit| format!(" at {commit}"));
        let new = if source.new { ", where there is none: new, this configuration's own" } else { "" };
        lines.insert(4, ("policy", format!("of {}{at}{new}", source.spec)));
    }
    let lines = lines.into_iter().map(|(name, value)| format!("{name:<11} {}\n", neutral::terminal(&value)));
    lines.collect()
}

fn prompt(facts: &VariantFacts) -> String {
    format!("{} {} ({}), model {}", facts.prompt.name, facts.prompt.version, facts.prompt.source, facts.model)
}

fn baseline(suite: &Suite) -> String {
    match (suite.plan.baseline(), &suite.earlier, &suite.baseline_note) {
        (Some(variant), _, _) => prompt(&variant.facts),
        (None, Some(earlier), _) => format!("{} of {}", prompt(&earlier.run.candidate), earlier.file),
        (None, None, Some(note)) => note.replacen("no baseline: ", "none: ", 1),
        (None, None, None) => "none".to_owned(),
    }
}
