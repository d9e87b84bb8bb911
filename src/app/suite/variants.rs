//! The candidate and its baseline.

use super::Findings;
use crate::app::sources::{BaselineSource, Earlier, ResolvedPrompt};
use promptgate_adapters::files::{self, Loaded};
use promptgate_core::model::{Diagnostics, Variant};

/// Both sides of the comparison.
pub(super) struct Variants {
    /// The candidate.
    pub(super) candidate: Variant,
    /// The baseline, where it is run.
    pub(super) baseline: Option<Variant>,
    /// The baseline, where it was run earlier.
    pub(super) earlier: Option<Earlier>,
    /// Why there is neither.
    pub(super) note: Option<String>,
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
    findings: &mut Findings,
) -> Option<Variants> {
    let candidate = findings.take(candidate);
    let mut warnings = Vec::new();
    let candidate = candidate.and_then(|prompt| variant(prompt, &mut warnings, findings));
    findings.warnings.append(&mut warnings);
    let (mut run, mut earlier, mut note) = (None, None, None);
    // An error of the baseline does not hide those of the candidate.
    let errors = findings.diagnostics.0.len();
    match findings.take(baseline) {
        None => {}
        Some(BaselineSource::Prompt(prompt)) => {
            let mut warnings = Vec::new();
            run = variant(*prompt, &mut warnings, findings);
            let digest = run.as_ref().map(|it| &it.facts.prompt.digest);
            if candidate.as_ref().is_none_or(|it| Some(&it.facts.prompt.digest) != digest) {
                findings.warnings.extend(warnings);
            }
        }
        Some(BaselineSource::Earlier(run)) => earlier = Some(*run),
        Some(BaselineSource::None(why)) => note = why,
    }
    let is_baseline_invalid = findings.diagnostics.0.len() > errors;
    Some(Variants { candidate: candidate?, baseline: run, earlier, note, is_baseline_invalid })
}

/// Parses a prompt; `None` where it cannot be read. One without a model is read for the errors of its templates.
fn variant(
    mut prompt: ResolvedPrompt,
    warnings: &mut Vec<String>,
    findings: &mut Findings,
) -> Option<Variant> {
    let mut parsed = files::parse_prompt(&prompt.prompt, &prompt.source);
    if parsed.is_err() && prompt.source.model.is_none() {
        prompt.source.model = Some(String::new());
        if let Ok(without_model) = files::parse_prompt(&prompt.prompt, &prompt.source) {
            findings.take(std::mem::replace(&mut parsed, Ok(without_model)));
        }
    }
    let Loaded { value, warnings: more } = findings.take(parsed)?;
    warnings.extend(more);
    Some(value)
}
