//! Facts of a run in words: variants, baseline, cache, cost.

use super::number;
use crate::v1::{Report, Scope, Tokens, Variant, Variants};

/// The question that a scope answers.
pub(crate) fn scope_question(scope: Scope) -> &'static str {
    match scope {
        Scope::Suite => "would the same suite give the same result if run again?",
        Scope::Population => "would new cases of the same kind give the same result?",
    }
}

/// Name and version of the prompt of a variant.
pub(crate) fn variant_name(variant: &Variant) -> String {
    format!("{} {}", variant.prompt.name, variant.prompt.version)
}

/// Names of the candidate and its baseline. Where they are equal, as after an edit that keeps the version, the candidate is
/// marked as changed, and the baseline has its commit or its source.
pub(crate) fn variant_names(variants: &Variants) -> (String, Option<String>) {
    let candidate = variant_name(&variants.candidate);
    let Some(baseline) = &variants.baseline else { return (candidate, None) };
    let name = variant_name(baseline);
    if name != candidate {
        return (candidate, Some(name));
    }
    let changed = if is_changed(&variants.candidate, baseline) { " (changed)" } else { "" };
    let (prompt, ours) = (&baseline.prompt, &variants.candidate.prompt);
    let place = match &prompt.commit {
        // Only a hash is shortened: part of anything else could be part of a secret.
        Some(commit) if commit.chars().all(|c| c.is_ascii_hexdigit()) => {
            format!(" at {}", commit.get(..7).unwrap_or(commit))
        }
        Some(commit) => format!(" at {commit}"),
        None if prompt.source != ours.source => format!(" from {}", prompt.source),
        None => String::new(),
    };
    (format!("{candidate}{changed}"), Some(format!("{name}{place}")))
}

/// Whether a candidate sends something else than its baseline.
fn is_changed(candidate: &Variant, baseline: &Variant) -> bool {
    match (&candidate.content_digest, &baseline.content_digest) {
        (Some(candidate), Some(baseline)) => candidate != baseline,
        _ => {
            candidate.prompt.digest != baseline.prompt.digest
                || candidate.model != baseline.model
                || candidate.parameters != baseline.parameters
        }
    }
}

/// Prefix of a note that gives the reason for a missing baseline.
pub(crate) const NO_BASELINE: &str = "no baseline: ";

/// Why there is no baseline, or where its answers come from.
pub(crate) fn baseline_note(note: &str) -> &str {
    match note {
        "new" => "new: the base has nothing to compare with",
        "none" => "none, as configured",
        note if note.starts_with(NO_BASELINE) => note.trim_start_matches(NO_BASELINE),
        // The code is meant for scripts.
        other => other.strip_prefix("baseline_reused: ").unwrap_or(other),
    }
}

/// Calls, tokens, cost and time in one line.
pub(crate) fn cost(report: &Report) -> String {
    let usage = &report.usage;
    let money = money(report, usage.cost_usd);
    let tokens = Tokens::new(usage.prompt_tokens, usage.completion_tokens);
    let cached = match usage.cached {
        0 => String::new(),
        cached => format!(" ({} from the cache)", number::count(cached)),
    };
    format!(
        "{}{cached}, {}, {money}, {}",
        number::counted(usage.calls, "call"),
        number::tokens(tokens),
        number::duration(report.duration_ms)
    )
}

/// Share of answers and number of judgements from the cache, with the age of the oldest at the start of the run; `None`
/// where the cache was not used.
pub(crate) fn cached(report: &Report) -> Option<String> {
    let usage = &report.usage;
    if usage.cached == 0 && usage.cached_judgements == 0 {
        return None;
    }
    let mut text = number::counted(usage.cached, "answer");
    let all = report.trials() as u64;
    if usage.cached <= all {
        text = format!("{} of {}", number::count(usage.cached), number::counted(all, "answer"));
    }
    if usage.cached_judgements > 0 {
        text.push_str(&format!(" and {}", number::counted(usage.cached_judgements, "judgement")));
    }
    let time = |timestamp: &str| timestamp.parse::<jiff::Timestamp>().ok();
    let age = usage.cached_since.as_deref().and_then(time).zip(time(&report.started_at));
    if let Some((since, started)) = age {
        let hours = (started.as_second() - since.as_second()).max(0) / 3600;
        text.push_str(&match hours {
            0 => ", less than an hour old".to_owned(),
            1..48 => format!(", up to {} old", number::counted(hours.unsigned_abs(), "hour")),
            _ => format!(", up to {} old", number::counted(hours.unsigned_abs() / 24, "day")),
        });
    }
    Some(text)
}

/// The answers and judgements that a retry may have selected; `None` without any.
pub(crate) fn contested(report: &Report) -> Option<String> {
    let contested = report.contested.as_ref()?;
    let of = |count: usize, all: usize| {
        format!("{} of {}", number::count(count as u64), number::count(all as u64))
    };
    let mut text =
        format!("{} answers of the candidate", of(contested.candidate, contested.candidate_trials));
    if contested.baseline_trials > 0 {
        let baseline = of(contested.baseline, contested.baseline_trials);
        text.push_str(&format!(" and {baseline} of the baseline"));
    }
    if contested.judgements > 0 {
        text.push_str(&format!(", and {}", number::counted(contested.judgements as u64, "judgement")));
    }
    text.push_str(" had a timeout, a 5xx or a cut reply first");
    Some(text)
}

/// The cost in words; a simulated run spends nothing.
pub(crate) fn money(report: &Report, usd: Option<f64>) -> String {
    let day = report.prices.iter().find_map(|price| price.as_of);
    let as_of = day.map_or_else(String::new, |day| format!(" at prices as of {day}"));
    match usd {
        Some(usd) if report.simulated => {
            format!("nothing spent (would be {}{as_of})", number::dollars(usd))
        }
        Some(usd) => format!("{}{as_of}", number::dollars(usd)),
        None if report.simulated => "nothing spent".to_owned(),
        None => "price not known".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn equal_names_are_told_apart_by_change_and_commit() {
        let mut variants = fixtures::fail().variants;
        let different = variant_names(&variants);
        assert_eq!(different, ("friendly v3".to_owned(), Some("baseline v1".to_owned())));
        let baseline = variants.baseline.as_mut().unwrap();
        (baseline.prompt.name, baseline.prompt.version) = ("friendly".to_owned(), "v3".to_owned());
        baseline.prompt.commit = Some("71d58d9bda00b8d28e16e8deef713b13c9776db9".to_owned());
        let names = |variants: &Variants| {
            let (candidate, baseline) = variant_names(variants);
            format!("{candidate} against {}", baseline.unwrap_or_default())
        };
        assert_eq!(names(&variants), "friendly v3 (changed) against friendly v3 at 71d58d9");
        let baseline = variants.baseline.as_mut().unwrap();
        (baseline.prompt.commit, baseline.prompt.source) = (None, "old.md".to_owned());
        assert_eq!(names(&variants), "friendly v3 (changed) against friendly v3 from old.md");
        // Reports of earlier versions have no digest of the content.
        let candidate = variants.candidate.clone();
        let baseline = variants.baseline.as_mut().unwrap();
        baseline.content_digest = None;
        baseline.prompt.digest = candidate.prompt.digest;
        assert_eq!(names(&variants), "friendly v3 against friendly v3 from old.md");
        "another-model".clone_into(&mut variants.candidate.model);
        assert_eq!(names(&variants), "friendly v3 (changed) against friendly v3 from old.md");
        variants.baseline = None;
        assert_eq!(variant_names(&variants), ("friendly v3".to_owned(), None));
    }
}
