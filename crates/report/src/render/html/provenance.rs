//! Provenance: variants, dataset, judge, policy, cost and run.

use serde::Serialize;

use crate::v1::{EndedKind, Report, UsageShare, Variant};
use crate::view::{self, Sanitizer, judge_summary, number, policy_notice};

/// Characters of a text.
const MAX_TEXT: usize = 500;
/// Entries of an unbounded list.
const MAX_ENTRIES: usize = 50;

/// Facts under a heading.
#[derive(Serialize)]
pub(super) struct FactGroup {
    pub(super) title: &'static str,
    pub(super) facts: Vec<(String, String)>,
}

/// Returns the groups that are not empty.
pub(super) fn groups(report: &Report, sanitizer: &Sanitizer<'_>) -> Vec<FactGroup> {
    let mut groups =
        vec![FactGroup { title: "Candidate", facts: variant(&report.variants.candidate, sanitizer) }];
    let mut baseline = report.variants.baseline.as_ref().map(|of| variant(of, sanitizer)).unwrap_or_default();
    let note = report.baseline_note.as_deref().map(view::baseline_note);
    baseline.extend(note.map(|note| ("note".to_owned(), sanitizer.clip(note, MAX_TEXT))));
    if report.baseline_reused {
        let repeats = report.baseline_repeats.map_or_else(|| "unknown".to_owned(), |of| of.to_string());
        baseline.push(("reused from an earlier session, repeats".to_owned(), repeats));
    }
    groups.push(FactGroup { title: "Baseline", facts: baseline });
    groups.push(FactGroup { title: "Dataset", facts: dataset(report, sanitizer) });
    groups.push(FactGroup { title: "Judge", facts: judging(report, sanitizer) });
    groups.push(FactGroup { title: "Policy", facts: policy(report, sanitizer) });
    groups.push(FactGroup { title: "Cost", facts: cost(report, sanitizer) });
    groups.push(FactGroup { title: "Run", facts: run(report, sanitizer) });
    groups.retain(|group| !group.facts.is_empty());
    groups
}

fn fact(label: &str, text: impl Into<String>) -> (String, String) {
    (label.to_owned(), text.into())
}

fn variant(variant: &Variant, sanitizer: &Sanitizer<'_>) -> Vec<(String, String)> {
    let prompt = &variant.prompt;
    let mut facts = vec![
        fact("prompt", sanitizer.clip(&prompt.name, MAX_TEXT)),
        fact("version", sanitizer.clip(&prompt.version, MAX_TEXT)),
        fact("read from", sanitizer.clip(&prompt.source, MAX_TEXT)),
    ];
    facts.extend(prompt.commit.as_deref().map(|commit| fact("commit", sanitizer.clip(commit, MAX_TEXT))));
    facts.push(fact("digest", sanitizer.clip(&prompt.digest, MAX_TEXT)));
    facts.push(fact("model", sanitizer.clip(&variant.model, MAX_TEXT)));
    let parameters = variant.parameters.iter().take(MAX_ENTRIES);
    facts.extend(
        parameters
            .map(|(name, value)| (sanitizer.clip(name, 120), sanitizer.clip(&value.to_string(), MAX_TEXT))),
    );
    facts
}

fn dataset(report: &Report, sanitizer: &Sanitizer<'_>) -> Vec<(String, String)> {
    let dataset = &report.dataset;
    let mut facts = vec![
        fact("file", sanitizer.clip(&dataset.path, MAX_TEXT)),
        fact("format", sanitizer.clip(&dataset.format, MAX_TEXT)),
        fact("cases", number::count(dataset.cases as u64)),
        fact("digest", sanitizer.clip(&dataset.digest, MAX_TEXT)),
    ];
    let share = view::undetected_failure_rate(report.cases.len());
    facts.extend(share.map(|share| fact("not ruled out even if every case passes", share)));
    facts
}

fn judging(report: &Report, sanitizer: &Sanitizer<'_>) -> Vec<(String, String)> {
    let Some(judge) = &report.judge else { return Vec::new() };
    let listed = |names: &mut dyn Iterator<Item = &String>| {
        names.take(MAX_ENTRIES).map(|name| sanitizer.clip(name, 120)).collect::<Vec<_>>().join(", ")
    };
    let mut facts = vec![fact("model", sanitizer.clip(&judge.model, MAX_TEXT))];
    if judge.panel.len() > 1 {
        facts.push(fact("panel", listed(&mut judge.panel.iter())));
    }
    facts.push(fact("votes", judge.votes.to_string()));
    facts.push(fact("fingerprint", sanitizer.clip(&judge.fingerprint, MAX_TEXT)));
    for (label, names) in [
        ("model reported", &judge.answered.models),
        ("system fingerprint", &judge.answered.system_fingerprints),
        ("output mode", &judge.answered.output_modes),
        ("parameters refused", &judge.answered.refused_parameters),
    ] {
        if !names.is_empty() {
            facts.push(fact(label, listed(&mut names.iter())));
        }
    }
    let summary = judge_summary::facts(report, sanitizer.redactor());
    let others =
        summary.iter().filter(|text| !text.starts_with("output mode") && !text.ends_with("votes each"));
    facts.extend(others.take(MAX_ENTRIES).map(|text| fact("", sanitizer.clip(text, MAX_TEXT))));
    if let Some(calibration) = &judge.calibration {
        facts.push(fact("calibration", sanitizer.clip(&calibration.file, MAX_TEXT)));
        facts.push(fact("calibrated judge", sanitizer.clip(&calibration.fingerprint, MAX_TEXT)));
    } else {
        facts.push(fact("calibration", "none"));
    }
    facts
}

fn policy(report: &Report, sanitizer: &Sanitizer<'_>) -> Vec<(String, String)> {
    let policy = &report.policy;
    let from = policy_notice::place(report).map(|place| fact("from", sanitizer.clip(&place, MAX_TEXT)));
    let facts = [
        fact("criteria", number::count(policy.criteria.len() as u64)),
        fact("rule", policy.rule.as_str()),
        fact("scope", policy.scope.as_str()),
        fact("confidence, one-sided", number::percent(policy.confidence)),
        fact("resolution", policy.resolution.to_string()),
        fact("maximum share of missing grades", number::percent(policy.max_missing)),
        fact("repeats at the first look", policy.repeats.to_string()),
        fact("maximum repeats", policy.max_repeats.to_string()),
        fact("seed", policy.seed.to_string()),
    ];
    from.into_iter().chain(facts).collect()
}

fn cost(report: &Report, sanitizer: &Sanitizer<'_>) -> Vec<(String, String)> {
    let usage = &report.usage;
    let share = |share: &UsageShare| {
        let tokens = crate::v1::Tokens::new(share.prompt_tokens, share.completion_tokens);
        format!("{}, {}", number::tokens(tokens), view::money(report, share.cost_usd))
    };
    let mut facts = vec![
        fact("total", view::money(report, usage.cost_usd)),
        fact("calls", number::count(usage.calls)),
        fact("answers", share(&usage.completions)),
    ];
    facts.extend(view::contested(report).map(|contested| fact("contested attempts", contested)));
    if report.judge.is_some() {
        facts.push(fact("judgements", share(&usage.judgements)));
    }
    let cached = match (usage.cached, usage.cached_judgements) {
        (0, 0) => "nothing".to_owned(),
        (answers, judgements) => {
            let since = usage.cached_since.as_deref();
            let since =
                since.map_or_else(String::new, |at| format!(", oldest from {}", sanitizer.clip(at, 40)));
            format!(
                "{} and {}{since}",
                number::counted(answers, "answer"),
                number::counted(judgements, "judgement")
            )
        }
    };
    facts.push(fact("from the cache", cached));
    facts.extend(report.prices.iter().take(MAX_ENTRIES).map(|price| {
        let cached =
            price.cached_input_per_million.map(|cached| format!(" ({} cached)", number::dollars(cached)));
        let as_of = price.as_of.map(|day| format!(", as of {day}"));
        let text = format!(
            "{} in{}, {} out per million tokens{}",
            number::dollars(price.input_per_million),
            cached.unwrap_or_default(),
            number::dollars(price.output_per_million),
            as_of.unwrap_or_default()
        );
        (format!("price of {}", sanitizer.clip(&price.model, 120)), text)
    }));
    facts
}

fn run(report: &Report, sanitizer: &Sanitizer<'_>) -> Vec<(String, String)> {
    let ended = match report.ended.kind {
        EndedKind::Completed => "completed",
        EndedKind::Stopped => "stopped",
        EndedKind::FailedFast => "early, since it could only fail",
        EndedKind::Interrupted => "interrupted",
    };
    let drops = view::smallest_drops(report, MAX_ENTRIES, |name| sanitizer.clip(name, 120));
    let mut facts = vec![
        fact("suite", sanitizer.clip(&report.name, MAX_TEXT)),
        fact("started", sanitizer.clip(&report.started_at, MAX_TEXT)),
        fact("duration", number::duration(report.duration_ms)),
        fact("ended", ended),
        fact("repeats", report.repeats.to_string()),
        fact("exit code", report.exit_code.to_string()),
        fact(
            "endpoint",
            if report.simulated { "simulated: the scores do not measure a model" } else { "real" },
        ),
        fact("promptgate", sanitizer.clip(&report.tool_version, MAX_TEXT)),
    ];
    if let Some(drops) = drops {
        facts.insert(5, fact("smallest drops this suite detects", drops));
    }
    facts
}
