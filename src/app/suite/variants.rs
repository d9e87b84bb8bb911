//! The candidate and its baseline.

use super::Findings;
use crate::app::sources::{BaselineSource, Earlier, ResolvedPrompt};
use promptgate_adapters::files::{self, Loaded};
use promptgate_core::model::{Diagnostic, Diagnostics, Variant, VariantFacts};

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
    /// The error if a criterion needs a baseline.
    pub(super) if_needed: Option<Diagnostic>,
    /// Whether the candidate sends what the baseline sends.
    pub(super) equal: bool,
    /// Whether the change leaves the prompt as it is: the candidate is that of the policy, or of the merge base.
    pub(super) same_prompt: bool,
}

/// Parses both; `None` where their errors are among the findings.
pub(super) fn parse(
    candidate: Result<ResolvedPrompt, Diagnostics>,
    baseline: Result<BaselineSource, Diagnostics>,
    of_policy: Option<&ResolvedPrompt>,
    findings: &mut Findings,
) -> Option<Variants> {
    let candidate = candidate.and_then(|prompt| variant(&prompt, &mut findings.warnings));
    let candidate = findings.take(candidate);
    let mut of_merge_base = false;
    let (mut run, mut earlier, mut note, mut if_needed) = (None, None, None, None);
    match findings.take(baseline)? {
        BaselineSource::Prompt(prompt) => {
            of_merge_base = prompt.of_merge_base;
            let baseline = variant(&prompt, &mut findings.warnings);
            run = Some(findings.take(baseline)?);
        }
        BaselineSource::Earlier(run) => earlier = Some(*run),
        BaselineSource::None { note: why, if_needed: error } => (note, if_needed) = (why, error),
    }
    let candidate = candidate?;
    let of_policy = of_policy.and_then(|prompt| variant(prompt, &mut Vec::new()).ok());
    // Any other commit, or a file, may hold a prompt that is not the base's.
    let at_base = run.as_ref().filter(|_| of_merge_base);
    let same_prompt = [of_policy.as_ref(), at_base].into_iter().flatten().any(|it| same(it, &candidate));
    let equal = match (&run, &earlier) {
        (Some(baseline), _) => same(baseline, &candidate),
        (None, Some(earlier)) => same_facts(&earlier.run.candidate, &candidate.facts),
        (None, None) => false,
    };
    Some(Variants { candidate, baseline: run, earlier, note, if_needed, equal, same_prompt })
}

/// Whether both send the same requests for any case.
fn same(one: &Variant, other: &Variant) -> bool {
    one.messages == other.messages
        && one.facts.model == other.facts.model
        && one.facts.parameters == other.facts.parameters
}

/// The same for a variant whose messages are not known.
fn same_facts(one: &VariantFacts, other: &VariantFacts) -> bool {
    one.prompt.digest == other.prompt.digest && one.model == other.model && one.parameters == other.parameters
}

fn variant(prompt: &ResolvedPrompt, warnings: &mut Vec<String>) -> Result<Variant, Diagnostics> {
    let Loaded { value, warnings: more } = files::parse_prompt(&prompt.prompt, &prompt.source)?;
    warnings.extend(more);
    Ok(value)
}
