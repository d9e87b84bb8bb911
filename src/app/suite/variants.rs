//! The candidate and its baseline.

use std::sync::Arc;

use serde_json::json;

use super::Findings;
use crate::app::release::content;
use crate::app::sources::{ApplicationSource, BaselineSource, Earlier, PromptFile, ResolvedPrompt};
use promptgate_adapters::files::{self, FrontMatter, Loaded, ParsedPrompt};
use promptgate_core::model::{Application, Diagnostic, Diagnostics, PromptFacts, Variant, VariantFacts};
use promptgate_release::Content;

/// The model of an application whose configuration names none.
const APPLICATION: &str = "application";

/// Facts of a variant beside its requests.
pub(super) struct Origin {
    /// The published part of it.
    pub(super) content: Content,
    /// The front matter of its file; `None` for a published version.
    pub(super) front_matter: Option<FrontMatter>,
}

/// The applications that answer; `None` for a prompt with a model.
#[derive(Default)]
pub(in crate::app) struct Applications {
    /// The candidate's.
    pub(in crate::app) candidate: Option<ApplicationSource>,
    /// The baseline's.
    pub(in crate::app) baseline: Option<ApplicationSource>,
}

/// Both sides of the comparison.
pub(super) struct Variants {
    /// The candidate.
    pub(super) candidate: Variant,
    /// The applications of both.
    pub(super) applications: Applications,
    /// Its content and its front matter.
    pub(super) origin: Origin,
    /// The baseline, where it is run.
    pub(super) baseline: Option<Variant>,
    /// The baseline, where it was run earlier.
    pub(super) earlier: Option<Earlier>,
    /// Why there is neither.
    pub(super) note: Option<String>,
    /// The error if a criterion needs a baseline.
    pub(super) if_needed: Option<Diagnostic>,
    /// Whether the candidate sends what the baseline sends.
    pub(super) equal: bool,
    /// Whether the change leaves the prompt as it is: the candidate is that of the policy, or of the merge base.
    pub(super) same_prompt: bool,
    /// Whether the baseline has errors, which are among the findings.
    pub(super) is_baseline_invalid: bool,
}

impl Variants {
    /// Both variants; only the candidate where the baseline has the same messages and parameters, since every finding
    /// about one is a finding about the other.
    pub(super) fn distinct(&self) -> impl Iterator<Item = &Variant> {
        let same = |baseline: &&Variant| {
            baseline.messages == self.candidate.messages
                && baseline.facts.parameters == self.candidate.facts.parameters
        };
        let baseline = self.baseline.as_ref().filter(|baseline| !same(baseline));
        std::iter::once(&self.candidate).chain(baseline)
    }
}

/// Parses both; `None` where their errors are among the findings.
pub(super) fn parse(
    candidate: Result<ResolvedPrompt, Diagnostics>,
    baseline: Result<BaselineSource, Diagnostics>,
    of_policy: Option<&PromptFile>,
    findings: &mut Findings,
) -> Option<Variants> {
    let candidate = findings.take(candidate);
    let mut warnings = Vec::new();
    let mut applications = Applications::default();
    let candidate =
        candidate.and_then(|prompt| variant(prompt, &mut applications.candidate, &mut warnings, findings));
    findings.warnings.append(&mut warnings);
    let mut of_merge_base = false;
    let (mut run, mut earlier, mut note, mut if_needed) = (None, None, None, None);
    // An error of the baseline does not hide those of the candidate.
    let errors = findings.diagnostics.0.len();
    match findings.take(baseline) {
        None => {}
        Some(BaselineSource::Prompt(prompt)) => {
            of_merge_base = prompt.is_of_merge_base();
            let mut warnings = Vec::new();
            let prompt = variant(*prompt, &mut applications.baseline, &mut warnings, findings);
            run = prompt.map(|(variant, _)| variant);
            let digest = run.as_ref().map(|it| &it.facts.prompt.digest);
            if candidate.as_ref().is_none_or(|(it, _)| Some(&it.facts.prompt.digest) != digest) {
                findings.warnings.extend(warnings);
            }
        }
        Some(BaselineSource::Earlier(run)) => earlier = Some(*run),
        Some(BaselineSource::None { note: why, if_needed: error }) => (note, if_needed) = (why, error),
    }
    let is_baseline_invalid = findings.diagnostics.0.len() > errors;
    let (candidate, origin) = candidate?;
    let of_policy = of_policy
        .and_then(|prompt| files::parse_prompt(&prompt.prompt, &prompt.source).ok())
        .map(|parsed| parsed.value.variant);
    // Any other commit, or a file, may hold a prompt that is not the base's.
    let at_base = run.as_ref().filter(|_| of_merge_base);
    let of_policy = of_policy.as_ref().filter(|_| candidate.application.is_none());
    let same_prompt = [of_policy, at_base].into_iter().flatten().any(|it| same(it, &candidate));
    let equal = match (&run, &earlier) {
        (Some(baseline), _) => same(baseline, &candidate),
        (None, Some(earlier)) => same_facts(&earlier.run.candidate, &candidate.facts),
        (None, None) => false,
    };
    Some(Variants {
        candidate,
        applications,
        origin,
        baseline: run,
        earlier,
        note,
        if_needed,
        equal,
        same_prompt,
        is_baseline_invalid,
    })
}

/// Whether both send the same requests for any case.
fn same(one: &Variant, other: &Variant) -> bool {
    one.messages == other.messages
        && one.facts.model == other.facts.model
        && one.facts.parameters == other.facts.parameters
        && one.application == other.application
}

/// The same for a variant whose messages are not known.
fn same_facts(one: &VariantFacts, other: &VariantFacts) -> bool {
    let application = |facts: &VariantFacts| facts.application.as_ref().map(|it| it.digest.clone());
    one.prompt.digest == other.prompt.digest
        && one.model == other.model
        && one.parameters == other.parameters
        && application(one) == application(other)
}

/// The variant of a prompt or an application, which becomes `application`; `None` where it cannot be read.
fn variant(
    prompt: ResolvedPrompt,
    application: &mut Option<ApplicationSource>,
    warnings: &mut Vec<String>,
    findings: &mut Findings,
) -> Option<(Variant, Origin)> {
    let file = match prompt {
        ResolvedPrompt::File(file) => *file,
        ResolvedPrompt::Published(record) => {
            let variant = content::variant_of(&record);
            return Some((variant, Origin { content: record.content, front_matter: None }));
        }
        ResolvedPrompt::Application(mut source) => {
            let parsed = of_application(&mut source, warnings, findings);
            *application = Some(*source);
            return parsed;
        }
    };
    let schema = file.answer_schema.clone();
    let mut parsed = parse_file(file, warnings, findings)?;
    let content = content::of_prompt(&parsed, schema.as_ref());
    parsed.variant.facts.content_digest = Some(content.digest().to_string());
    Some((parsed.variant, Origin { content, front_matter: Some(parsed.front_matter) }))
}

/// The variant of an application, which need not have a prompt.
fn of_application(
    source: &mut ApplicationSource,
    warnings: &mut Vec<String>,
    findings: &mut Findings,
) -> Option<(Variant, Origin)> {
    let model = source.model.clone().unwrap_or_else(|| APPLICATION.to_owned());
    let (mut variant, origin, prompt) = match source.prompt.take() {
        None => {
            let digest = source.facts.digest.clone();
            let prompt = PromptFacts {
                name: source.suite.clone(),
                version: digest.trim_start_matches("sha256:").chars().take(12).collect(),
                digest,
                source: source.facts.source.clone(),
                commit: source.facts.commit.clone(),
            };
            let content = content::empty(&model);
            (content::variant_without_messages(prompt, model), Origin { content, front_matter: None }, None)
        }
        Some(mut file) => {
            file.source.model = Some(model);
            // It decides itself how the prompt is sent.
            file.source.user.clear();
            let path = file.source.path.clone();
            let text = findings.take(files::prompt_text(&file.prompt, &file.source))?;
            let parsed = parse_file(file, warnings, findings)?;
            let facts = &parsed.variant.facts.prompt;
            let mut prompt = json!({"name": facts.name, "version": facts.version, "text": text});
            // One that is part of the configuration has no file.
            if !path.is_empty() {
                prompt["path"] = path.into();
            }
            let content = content::of_prompt(&parsed, None);
            let origin = Origin { content, front_matter: Some(parsed.front_matter) };
            (parsed.variant, origin, Some(Arc::new(prompt)))
        }
    };
    variant.facts.application = Some(source.facts.clone());
    variant.application = Some(Application {
        identity: source.facts.digest.clone(),
        prompt,
        is_recorded: source.answers.is_some(),
    });
    Some((variant, origin))
}

/// Parses a prompt; `None` where it cannot be read. One without a model is read for the errors of its templates.
fn parse_file(
    mut file: PromptFile,
    warnings: &mut Vec<String>,
    findings: &mut Findings,
) -> Option<ParsedPrompt> {
    let mut parsed = files::parse_prompt(&file.prompt, &file.source);
    if parsed.is_err() && file.source.model.is_none() {
        file.source.model = Some(String::new());
        if let Ok(without_model) = files::parse_prompt(&file.prompt, &file.source) {
            findings.take(std::mem::replace(&mut parsed, Ok(without_model)));
        }
    }
    let Loaded { value, warnings: more } = findings.take(parsed)?;
    warnings.extend(more);
    Some(value)
}
