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
}

/// Parses both; `None` where their errors are among the findings.
pub(super) fn parse(
    candidate: Result<ResolvedPrompt, Diagnostics>,
    baseline: Result<BaselineSource, Diagnostics>,
    findings: &mut Findings,
) -> Option<Variants> {
    let candidate = candidate.and_then(|prompt| variant(&prompt, &mut findings.warnings));
    let candidate = findings.take(candidate);
    let (mut run, mut earlier, mut note) = (None, None, None);
    match findings.take(baseline)? {
        BaselineSource::Prompt(prompt) => {
            let baseline = variant(&prompt, &mut findings.warnings);
            run = Some(findings.take(baseline)?);
        }
        BaselineSource::Earlier(run) => earlier = Some(*run),
        BaselineSource::None(why) => note = why,
    }
    Some(Variants { candidate: candidate?, baseline: run, earlier, note })
}

fn variant(prompt: &ResolvedPrompt, warnings: &mut Vec<String>) -> Result<Variant, Diagnostics> {
    let Loaded { value, warnings: more } = files::parse_prompt(&prompt.prompt, &prompt.source)?;
    warnings.extend(more);
    Ok(value)
}
