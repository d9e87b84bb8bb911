//! What was compared: commits, prompts, models, dataset, judge, policy, and what it took.

use super::Sanitizer;
use super::table_lines::Fact;
use crate::v1::{Report, Variant};
use crate::view::{self, judge_summary, number, policy_notice};

/// What was compared, label by label.
pub(super) fn compared(report: &Report, limit: usize, sanitizer: &Sanitizer<'_>) -> Vec<Fact> {
    let text = |text: &str| sanitizer.clip(text, limit);
    let mut facts = Vec::new();
    facts.push(Fact { label: "Candidate", text: variant(&report.variants.candidate, limit, sanitizer) });
    if let Some(baseline) = &report.variants.baseline {
        let note = report.baseline_note.as_deref().map(view::baseline_note);
        let note = note.map_or_else(String::new, |note| format!(" ({})", text(note)));
        facts
            .push(Fact { label: "Baseline", text: format!("{}{note}", variant(baseline, limit, sanitizer)) });
    }
    if let Some(judge) = &report.judge {
        facts.push(Fact { label: "Judge", text: text(&judge.model) });
        let words: Vec<String> =
            judge_summary::facts(report, sanitizer.redactor()).iter().map(|word| text(word)).collect();
        facts.push(Fact { label: "Judging", text: words.join("; ") });
    }
    let digest = sanitizer.clip(&report.dataset.digest, 20).replace('…', "");
    let repeats = number::counted(u64::from(report.repeats), "repeat");
    let path = text(&report.dataset.path);
    let dataset = format!("{path}, {}, {repeats} each, {digest}", super::cases(report.cases.len()));
    facts.push(Fact { label: "Dataset", text: dataset });
    let policy = format!(
        "{}, rule {}, scope {}, confidence {}, resolution {}",
        match report.policy.criteria.len() {
            1 => "1 criterion".to_owned(),
            many => format!("{} criteria", number::count(many as u64)),
        },
        report.policy.rule.as_str(),
        report.policy.scope.as_str(),
        number::percent(report.policy.confidence),
        report.policy.resolution
    );
    let policy = match policy_notice::place(report) {
        Some(place) => format!("{policy}, of {}", text(&place)),
        None => policy,
    };
    facts.push(Fact { label: "Policy", text: policy });
    facts.push(Fact { label: "Cost", text: view::cost(report) });
    facts.extend(view::cached(report).map(|cached| Fact { label: "From the cache", text: text(&cached) }));
    let drops = view::smallest_drops(report, 8, text);
    facts.extend(drops.map(|text| Fact { label: "Smallest drop this suite detects", text }));
    let share = view::undetected_failure_rate(report.cases.len());
    facts.extend(share.map(|text| Fact { label: "Not excluded even if every case is clean", text }));
    facts.push(Fact { label: "Started", text: text(&report.started_at) });
    facts.push(Fact { label: "promptgate", text: text(&report.tool_version) });
    facts
}

/// A variant with where it is from.
fn variant(variant: &Variant, limit: usize, sanitizer: &Sanitizer<'_>) -> String {
    let text = |text: &str| sanitizer.clip(text, limit);
    let commit = variant.prompt.commit.as_deref().map_or_else(String::new, |commit| {
        format!(" at commit {}", sanitizer.clip(commit, 13).replace('…', ""))
    });
    let name = text(&view::variant_name(variant));
    format!("{name} from {}{commit}, model {}", text(&variant.prompt.source), text(&variant.model))
}
