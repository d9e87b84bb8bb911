//! The candidate and what it is compared with.

use super::base;
use super::files::Files;
use super::locate::{Location, from_command_line};
use super::origin::{Parts, configuration_at};
use super::{Findings, SuiteOptions};
use crate::app::{Environment, Failure, mismatch, report_files};
use crate::config::{self, Settings};
use promptgate_adapters::load::{self, Baseline, BaselineSpec, Loaded, PromptSource, Repository, Tree};
use promptgate_core::check;
use promptgate_core::model::{DatasetFacts, Diagnostic, Diagnostics, Place, Run, Variant};

/// The largest report that is a baseline, in bytes.
const REPORT_LIMIT: u64 = 1 << 30;

/// A baseline that was answered in an earlier run.
pub(crate) struct Earlier {
    /// That run; its candidate is the baseline.
    pub(crate) run: Run,
    /// The path of its report.
    pub(crate) file: String,
}

impl Earlier {
    /// Refuses a baseline over other cases, or one that was answered by the simulated model where this run is not.
    pub(super) fn refuse_mismatch(
        &self,
        dataset: &DatasetFacts,
        simulated: Option<bool>,
    ) -> Result<(), Diagnostics> {
        mismatch::refuse(
            &self.file,
            [
                mismatch::dataset(&self.run.dataset, dataset),
                simulated.and_then(|simulated| mismatch::simulation(self.run.simulated, simulated)),
            ],
        )
    }
}

/// Both sides of the comparison.
pub(super) struct Variants {
    /// The candidate.
    pub(super) candidate: Variant,
    /// The baseline, if it is run.
    pub(super) baseline: Option<Variant>,
    /// The baseline, if it was run earlier.
    pub(super) earlier: Option<Earlier>,
    /// Why there is neither.
    pub(super) note: Option<String>,
}

/// Loads both; `None` where there were mistakes.
pub(super) fn load(
    options: &SuiteOptions,
    environment: &Environment,
    parts: &Parts,
    location: &Location,
    Findings { diagnostics, warnings }: &mut Findings,
) -> Option<Variants> {
    let candidate = match candidate(options, environment, &parts.settings, location, &parts.files.candidate) {
        Ok(Loaded { value, warnings: more }) => {
            warnings.extend(more);
            Some(value)
        }
        Err(more) => {
            diagnostics.0.extend(more.0);
            None
        }
    };
    let side = match baseline(options, environment, parts, location, warnings) {
        Ok(side) => Some(side),
        Err(more) => {
            diagnostics.0.extend(more.0);
            None
        }
    };
    let mut found = Variants { candidate: candidate?, baseline: None, earlier: None, note: None };
    match side? {
        Side::Run(variant) => found.baseline = Some(*variant),
        Side::Earlier(earlier) => found.earlier = Some(*earlier),
        Side::None(note) => found.note = note,
    }
    Some(found)
}

fn source(settings: &Settings, path: String) -> PromptSource {
    PromptSource {
        path,
        user: settings.user.value.clone(),
        model: settings.model.as_ref().map(|model| model.value.clone()),
        parameters: settings.parameters.clone(),
    }
}

fn candidate(
    options: &SuiteOptions,
    environment: &Environment,
    settings: &Settings,
    location: &Location,
    tree: &Tree,
) -> Result<Loaded<Variant>, Diagnostics> {
    let Some(text) = &options.candidate else {
        return load::prompt(tree, &source(settings, settings.prompt.value.clone()));
    };
    let flag = |diagnostic: Diagnostic| Diagnostics::from(diagnostic.or_at(&Place::file("--candidate")));
    let spec = BaselineSpec::parse_candidate(text).map_err(flag)?;
    match load::baseline(Some(&spec), &location.folder, &|name| environment.variable(name)).map_err(flag)? {
        Baseline::File { path } => {
            load::prompt(tree, &source(settings, from_command_line(&path, &location.folder)))
        }
        Baseline::Commit { tree, path, .. } => {
            load::prompt(&tree, &source(settings, path.unwrap_or_else(|| settings.prompt.value.clone())))
        }
        Baseline::None { .. } | Baseline::Report { .. } => Err(flag(Diagnostic::new("this is no candidate"))),
    }
}

enum Side {
    Run(Box<Variant>),
    Earlier(Box<Earlier>),
    None(Option<String>),
}

fn baseline(
    options: &SuiteOptions,
    environment: &Environment,
    parts: &Parts,
    location: &Location,
    warnings: &mut Vec<String>,
) -> Result<Side, Diagnostics> {
    let settings = &parts.settings;
    let (text, place) = match (&options.baseline, &settings.baseline) {
        (Some(text), _) => (Some(text), Place::file("--baseline")),
        (None, Some(written)) => (Some(&written.value), written.place.clone()),
        (None, None) => (None, Place::file(&location.shown)),
    };
    let from_flag = options.baseline.is_some();
    let placed = |diagnostic: Diagnostic| diagnostic.or_at(&place);
    let spec = text.map(|text| BaselineSpec::parse(text)).transpose().map_err(placed)?;
    let seen = |path: String| {
        if from_flag { from_command_line(&path, &location.folder) } else { path }
    };
    let found = base::find(spec.as_ref(), options, environment, &location.folder, parts.source.is_some());
    match found.map_err(placed)? {
        Baseline::None { note } => Ok(Side::None(note)),
        Baseline::File { path } => {
            // A file that the policy names is the policy's, as are its user message, model and parameters.
            let (tree, of) = match &parts.base {
                Some(base) if !from_flag => (&parts.files.policy, base),
                _ => (&parts.files.candidate, settings),
            };
            let Loaded { value, warnings: more } = load::prompt(tree, &source(of, seen(path)))?;
            warnings.extend(more);
            Ok(Side::Run(Box::new(value)))
        }
        Baseline::Report { path } => {
            // So is a report.
            let folder = if parts.base.is_some() && !from_flag {
                own_report(parts, &path)?;
                let policy = &parts.files.policy;
                // What a commit holds, the candidate's folder holds alike.
                if policy.commit().is_none() { policy.folder() } else { &location.folder }
            } else {
                &location.folder
            };
            let report =
                report_files::read(&folder.join(seen(path.clone()))).map_err(|failure| match failure {
                    Failure::Diagnostics(diagnostics) => diagnostics,
                    _ => Diagnostic::new("this report cannot be read").at(Place::file(&path)).into(),
                })?;
            let run = report.to_run().map_err(|diagnostics| diagnostics.at(&Place::file(&path)))?;
            Ok(Side::Earlier(Box::new(Earlier { run, file: path })))
        }
        Baseline::Commit { tree: base, path, how } => {
            at_commit(settings, location, &base, path, &how, warnings)
        }
    }
}

/// The prompt at a commit, with the user message, model and parameters that the configuration had there.
fn at_commit(
    settings: &Settings,
    location: &Location,
    base: &Tree,
    path: Option<String>,
    how: &str,
    warnings: &mut Vec<String>,
) -> Result<Side, Diagnostics> {
    let there = match configuration_at(base, &location.name)? {
        None => None,
        Some((name, bytes)) => {
            let shown = base.describe(&name);
            let loaded = load::decode(&shown, &bytes)
                .map_err(Diagnostics::from)
                .and_then(|text| config::load(&shown, text, &check::entry_schema()));
            match loaded {
                Ok(settings) => Some(settings),
                Err(_) => {
                    warnings.push(format!(
                        "{shown} is not valid; the baseline runs with the user message, model and parameters of \
                         {}",
                        location.shown
                    ));
                    None
                }
            }
        }
    };
    let named = path.is_some();
    let of = there.as_ref().unwrap_or(settings);
    let source = source(of, path.unwrap_or_else(|| of.prompt.value.clone()));
    match load::new_or_prompt(base, &source)? {
        Some(Loaded { value, warnings: more }) => {
            warnings.extend(more);
            Ok(Side::Run(Box::new(value)))
        }
        None if named => Err(Diagnostic::new("there is no such file in that commit")
            .at(Place::file(base.describe(&source.path)))
            .help("`git:REF` alone takes the path of the configuration at that commit")
            .into()),
        None => Ok(Side::None(Some(format!(
            "new: {} is not there at the baseline ({how}); judged by thresholds alone",
            source.path
        )))),
    }
}

/// Refuses a report that a policy names and the change under test brings along, or has altered.
fn own_report(parts: &Parts, path: &str) -> Result<(), Diagnostic> {
    let Files { policy, candidate, .. } = &parts.files;
    if policy.commit().is_none() {
        return Ok(());
    }
    let ours = candidate.find(path, REPORT_LIMIT)?;
    let same = match policy.find(path, REPORT_LIMIT)? {
        Some(theirs) => ours.is_some_and(|ours| ours == theirs),
        // One that a job put there is no part of the change.
        None => !Repository::discover(candidate.folder()).map_err(Diagnostic::from)?.tracks(path)?,
    };
    if same {
        return Ok(());
    }
    Err(Diagnostic::new(
        "this report is the baseline, and the change under test has another one in its place",
    )
    .at(Place::file(path))
    .help("change a saved baseline and a prompt in two steps"))
}
