//! Facts about the run: variants, judge, dataset, policy and cost.

use super::table_lines::RunFact;
use crate::v1::{Report, Variant};
use crate::view::{self, Sanitizer, judge_summary, number, policy_notice};

pub(super) fn run_facts(report: &Report, limit: usize, sanitizer: &Sanitizer<'_>) -> Vec<RunFact> {
    let text = |text: &str| sanitizer.clip(text, limit);
    let mut facts = Vec::new();
    facts.push(RunFact { label: "Candidate", text: variant(&report.variants.candidate, limit, sanitizer) });
    if let Some(baseline) = &report.variants.baseline {
        let note = report.baseline_note.as_deref().map(view::baseline_note);
        let note = note.map_or_else(String::new, |note| format!(" ({})", text(note)));
        facts.push(RunFact {
            label: "Baseline",
            text: format!("{}{note}", variant(baseline, limit, sanitizer)),
        });
    }
    if let Some(judge) = &report.judge {
        facts.push(RunFact { label: "Judge", text: text(&judge.model) });
        let judging: Vec<String> =
            judge_summary::facts(report, sanitizer.redactor()).iter().map(|fact| text(fact)).collect();
        facts.push(RunFact { label: "Judging", text: judging.join("; ") });
    }
    let digest = sanitizer.clip(&report.dataset.digest, 20).replace('…', "");
    let repeats = number::counted(u64::from(report.repeats), "repeat");
    let path = text(&report.dataset.path);
    let dataset =
        format!("{path}, {}, {repeats} each, {digest}", number::counted(report.cases.len() as u64, "case"));
    facts.push(RunFact { label: "Dataset", text: dataset });
    let policy = format!(
        "{}, rule {}, scope {}, confidence {}, resolution {}",
        match report.policy.criteria.len() {
            1 => "1 criterion".to_owned(),
            count => format!("{} criteria", number::count(count as u64)),
        },
        report.policy.rule.as_str(),
        report.policy.scope.as_str(),
        number::percent(report.policy.confidence),
        report.policy.resolution
    );
    let policy = match policy_notice::place(report) {
        Some(place) => format!("{policy}, from {}", text(&place)),
        None => policy,
    };
    facts.push(RunFact { label: "Policy", text: policy });
    facts.push(RunFact { label: "Cost", text: view::cost(report) });
    facts.extend(view::cached(report).map(|cached| RunFact { label: "From the cache", text: text(&cached) }));
    let drops = view::smallest_drops(report, 8, text);
    facts.extend(drops.map(|text| RunFact { label: "Smallest drop this suite detects", text }));
    let share = view::undetected_failure_rate(report.cases.len());
    facts.extend(share.map(|text| RunFact { label: "Not ruled out even if every case passes", text }));
    facts.push(RunFact { label: "Started", text: text(&report.started_at) });
    facts.push(RunFact { label: "promptgate", text: text(&report.tool_version) });
    facts
}

/// A variant with its source.
fn variant(variant: &Variant, limit: usize, sanitizer: &Sanitizer<'_>) -> String {
    let text = |text: &str| sanitizer.clip(text, limit);
    let commit = variant.prompt.commit.as_deref().map_or_else(String::new, |commit| {
        format!(" at commit {}", sanitizer.clip(commit, 13).replace('…', ""))
    });
    let name = text(&view::variant_name(variant));
    format!("{name} from {}{commit}, model {}", text(&variant.prompt.source), text(&variant.model))
}
