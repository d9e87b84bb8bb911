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
    let candidate = candidate.and_then(|prompt| variant(&prompt, &mut findings.warnings));
    let candidate = findings.take(candidate);
    let (mut run, mut earlier, mut note) = (None, None, None);
    match findings.take(baseline)? {
        BaselineSource::Prompt(prompt) => {
            let mut warnings = Vec::new();
            let baseline = variant(&prompt, &mut warnings);
            let baseline = findings.take(baseline)?;
            if candidate.as_ref().is_none_or(|it| it.facts.prompt.digest != baseline.facts.prompt.digest) {
                findings.warnings.extend(warnings);
            }
            run = Some(baseline);
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
