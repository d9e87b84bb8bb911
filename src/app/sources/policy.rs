//! `--policy-from`: a change must not choose its own policy.
//!
//! Prompt, user message, model, parameters, dataset and the code of a target come from the candidate's configuration. Everything else, with the
//! files that it names, comes from a configuration that the change cannot write. Differences between the two are
//! reported and do not count.

mod changes;
mod place;
mod rows;
mod target;

use serde_json::Value;

use super::files::Trees;
use super::locate::{Location, from_command_line, text_in};
use crate::app::Environment;
use crate::app::suite::SuiteOptions;
use crate::config::{Placed, Settings};
use promptgate_adapters::files::{self, Baseline, BaselineSpec, Tree};
use promptgate_core::check;
use promptgate_core::model::{Diagnostic, Diagnostics, Place, PolicySource, Price, price_table};
use promptgate_core::text::neutral;
use promptgate_release::{InvalidReference, Name};

pub(super) use changes::{add_files_of_cases, add_named_files};
pub(in crate::app) use changes::{between, warnings};
pub(super) use place::configuration_at;
pub(in crate::app) use rows::matched;
pub(super) use target::changed_kind;

/// Settings and trees of the policy and of the candidate.
pub(super) struct PolicySources {
    /// The settings of the policy, with the candidate's own parts.
    pub(super) settings: Settings,
    /// The checks of the candidate's own configuration, whose schema is published with its prompt.
    pub(super) own_checks: Vec<Placed<Value>>,
    /// The trees of both.
    pub(super) trees: Trees,
    /// The policy's configuration, unchanged; `None` for the candidate's own.
    pub(super) base: Option<Settings>,
    /// Where the policy is from; `None` without `--policy-from`.
    pub(super) source: Option<PolicySource>,
}

/// Resolves the policy of a suite.
///
/// # Errors
/// A policy that is missing or invalid, and paths that the candidate must not name with a policy from elsewhere.
pub(super) fn resolve(
    options: &SuiteOptions,
    environment: &Environment,
    location: &Location,
    own: Settings,
    warnings: &mut Vec<String>,
) -> Result<PolicySources, Diagnostics> {
    let own_checks = own.checks.clone();
    let Some(text) = &options.policy_from else {
        let trees = Trees::of(Tree::work_tree(&location.folder));
        return Ok(PolicySources { settings: own, own_checks, trees, base: None, source: None });
    };
    let flag = |diagnostic: Diagnostic| diagnostic.or_at(&Place::file("--policy-from"));
    let spec = BaselineSpec::parse_candidate(text, "policy").map_err(flag)?;
    place::refuse_links(location)?;
    let mut candidate = Tree::guarded(&location.folder).map_err(flag)?;
    if let Some(commit) = options.merge_base.as_ref().and_then(|known| known.evaluated.as_deref()) {
        candidate = candidate.checked_against(commit)?;
        // Only checks that the commit holds the same bytes.
        candidate.find(&location.name, files::FILE_LIMIT)?;
        if let Some(shared) = &own.extends {
            candidate.find(shared, files::FILE_LIMIT)?;
        }
    }
    place::refuse_two(location)?;
    let baseline = super::base::find(Some(&spec), options, environment, &location.folder, true);
    let (tree, name) = match baseline.map_err(flag)? {
        Baseline::Commit { tree, path: None, .. } => {
            let named = options.config.is_some();
            let name = place::find(&tree, location, named)?;
            (tree, name)
        }
        Baseline::Commit { tree, path, .. } => (tree, path),
        Baseline::File { path } => {
            let path = from_command_line(&path, &location.folder);
            (Tree::work_tree(&location.folder), Some(path))
        }
        Baseline::None { note: Some(note), .. } => {
            let message = format!("there is no policy to take from {text}: {note}");
            let help = "name the commit: `--policy-from git:REF`; or leave it out";
            return Err(flag(Diagnostic::new(message).help(help)).into());
        }
        Baseline::None { note: None, .. } | Baseline::Report { .. } => {
            return Err(flag(Diagnostic::new("not a valid policy")).into());
        }
    };
    let mut source = PolicySource {
        spec: neutral::clip(&neutral::terminal(text), 100),
        commit: tree.commit().map(str::to_owned),
        ..PolicySource::default()
    };
    let Some(name) = name else {
        source.new = true;
        let trees = Trees::of(candidate);
        let source = Some(source);
        return Ok(PolicySources { settings: own, own_checks, trees, base: None, source });
    };
    let (base, written) = read(&tree, &name, text)?;
    changes::policy(&written, &location.text()?.merged()?, &mut source);
    let settings = joined(&base, &written, &own, location, warnings)?;
    let policy = tree.in_folder_of(&name)?;
    // A policy in the work tree has no counterpart of the candidate's folder.
    let of_cases = if tree.is_writable_by_change() { policy.clone() } else { tree };
    let trees = Trees { policy, of_cases, candidate };
    Ok(PolicySources { settings, own_checks, trees, base: Some(base), source: Some(source) })
}

/// The policy's configuration, resolved and as written, with the file that it extends.
fn read(tree: &Tree, name: &str, spec: &str) -> Result<(Settings, Value), Diagnostics> {
    let shown = tree.describe(name);
    let bytes = tree.find(name, files::FILE_LIMIT)?.ok_or_else(|| {
        Diagnostic::new("there is no such configuration")
            .at(Place::file(&shown))
            .help("name one that is there: `--policy-from git:REF`, `git:REF:PATH` or `file:PATH`")
    })?;
    let read =
        text_in(tree, name, &bytes).and_then(|text| Ok((text.load(&check::entry_schema())?, text.merged()?)));
    read.map_err(|mut diagnostics| {
        let message = format!("the policy of {spec} is not valid, and a change is not judged by its own");
        diagnostics.0.push(
            Diagnostic::new(message).at(Place::file(&shown)).help(
                "repair it there first, or name a commit whose policy is valid: `--policy-from git:REF`",
            ),
        );
        diagnostics
    })
}

/// The settings of the policy with the candidate's own parts.
fn joined(
    base: &Settings,
    written: &Value,
    own: &Settings,
    location: &Location,
    warnings: &mut Vec<String>,
) -> Result<Settings, Diagnostic> {
    let folder = location.folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = match written.get("name").and_then(Value::as_str) {
        Some(name) => name.to_owned(),
        None => folder.unwrap_or_else(|| base.name.clone()),
    };
    let lacking: Vec<(String, Price)> = own
        .prices
        .0
        .iter()
        .filter(|(model, _)| base.price(model).is_none())
        .map(|(model, price)| (model.clone(), Price { from_change: true, ..*price }))
        .collect();
    if !lacking.is_empty() {
        let price = |(model, price): &(String, Price)| {
            let Price { input_per_million: input, output_per_million: output, .. } = price;
            format!("{} ({input} in, {output} out)", neutral::clip(&neutral::terminal(model), 60))
        };
        let named: Vec<String> = lacking.iter().take(5).map(price).collect();
        let more = if lacking.len() > 5 { ", …" } else { "" };
        warnings.push(format!(
            "prices that the policy lacks are those of this change, and count for no limit: {}{more}",
            named.join(", ")
        ));
    }
    let prices = base.prices.0.iter().cloned().chain(lacking).collect();
    let mut release = base.release.clone();
    // The name of the folder is not known from the commit alone.
    if let Some(release) = release.as_mut().filter(|release| !release.is_named) {
        release.name = name.parse().map_err(|error: InvalidReference| {
            let suggested = Name::suggest(&name).map_or("team/prompt".to_owned(), |name| name.to_string());
            Diagnostic::new(error.to_string())
                .at(Place::file(&location.shown))
                .help(format!("write `name: {suggested}` under `release:`"))
        })?;
    }
    let settings = Settings {
        name,
        extends: own.extends.clone(),
        prompt: own.prompt.clone(),
        target: own.target.clone().map(|target| target.under(base.target.as_ref())),
        user: own.user.clone(),
        model: own.model.clone(),
        parameters: own.parameters.clone(),
        dataset: own.dataset.clone(),
        prices,
        release,
        ..base.clone()
    };
    match settings.model.as_ref().and_then(|model| lacks_reviewed_price(&settings, model)) {
        Some(diagnostic) => Err(diagnostic),
        None => Ok(settings),
    }
}

/// The mistake of a candidate's model without a price in the policy, where the policy bounds what is spent. A limit on the
/// cost of a case with a price that only the change has is not measured instead, so that all else is still judged.
fn lacks_reviewed_price(settings: &Settings, model: &Placed<String>) -> Option<Diagnostic> {
    let limited = settings.limits.iter().any(|criterion| criterion.metric == "cost_usd");
    let name = neutral::terminal(&model.value);
    let message = match settings.price(&model.value) {
        None if (limited || settings.budget.usd.is_some()) && !price_table::is_listed(&model.value) => {
            format!("there is no price for `{name}`, and the policy bounds what is spent")
        }
        Some(price) if price.from_change && settings.budget.usd.is_some() => {
            format!(
                "the price of `{name}` comes from this change alone, so `budget.usd` of the policy cannot be kept"
            )
        }
        _ => return None,
    };
    let help = "add it to `prices` of the policy first, in a change of its own";
    Some(Diagnostic::new(message).at(model.place.clone()).help(help))
}
