//! Facts about the run: variants, judge, dataset, policy and cost.

use crate::v1::{Report, Variant};
use crate::view::{self, Sanitizer, judge_summary, number, policy_notice};

/// Returns labels with their texts; `request` are the parameters or their changes as they are shown.
pub(super) fn run_facts(
    report: &Report,
    request: &[String],
    limit: usize,
    sanitizer: &Sanitizer<'_>,
) -> Vec<(&'static str, String)> {
    let text = |text: &str| sanitizer.clip(text, limit);
    let mut facts = vec![("Candidate", variant(&report.variants.candidate, limit, sanitizer))];
    if let Some(baseline) = &report.variants.baseline {
        let note = report.baseline_note.as_deref().map(view::baseline_note);
        let note = note.map_or_else(String::new, |note| format!(" ({})", text(note)));
        facts.push(("Baseline", format!("{}{note}", variant(baseline, limit, sanitizer))));
    }
    if report.variants.baseline.is_none() && !request.is_empty() {
        facts.push(("Parameters", text(&request.join("; "))));
    }
    if let Some(judge) = &report.judge {
        facts.push(("Judge", text(&judge.model)));
        let judging: Vec<String> =
            judge_summary::facts(report, sanitizer.redactor()).iter().map(|fact| text(fact)).collect();
        facts.push(("Judging", judging.join("; ")));
    }
    let digest = sanitizer.clip(&report.dataset.digest, 20).replace('…', "");
    let repeats = number::counted(u64::from(report.repeats), "repeat");
    let path = text(&report.dataset.path);
    let dataset =
        format!("{path}, {}, {repeats} each, {digest}", number::counted(report.cases.len() as u64, "case"));
    facts.push(("Dataset", dataset));
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
    facts.push(("Policy", policy));
    facts.push(("Cost", view::cost(report)));
    facts.extend(view::cached(report).map(|cached| ("From the cache", text(&cached))));
    facts.extend(view::contested(report).map(|contested| ("Contested attempts", text(&contested))));
    let drops = view::smallest_drops(report, 8, text);
    facts.extend(drops.map(|text| ("Smallest drop this suite detects", text)));
    let share = view::undetected_failure_rate(report.cases.len());
    facts.extend(share.map(|text| ("Not ruled out even if every case passes", text)));
    facts.push(("Started", text(&report.started_at)));
    facts.push(("promptgate", text(&report.tool_version)));
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
