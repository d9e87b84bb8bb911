//! The data of the template `report.md`.

use minijinja::value::Serde;
use minijinja::{Value, context};

use super::case_groups::case_lists;
use super::environment::is_plain_url;
use super::run_facts::run_facts;
use super::worst_cases;
use super::{MarkdownOptions, Tier};
use crate::render::comment::Disclose;
use crate::v1::{CriterionVerdict, Fault, Reason, ReasonCode, Report, Verdict};
use crate::view::number::minus;
use crate::view::{self, Headline, PageLimits, Sanitizer, number, policy_notice};

/// Returns the data of the template.
pub(super) fn report_context(
    report: &Report,
    tier: Tier,
    options: &MarkdownOptions<'_>,
    sanitizer: &Sanitizer<'_>,
) -> Value {
    let text = |text: &str| sanitizer.clip(text, tier.text);
    let shows_text = options.disclose != Disclose::Numbers;
    let headline = view::headline(report);
    let lists = case_lists(report, tier, sanitizer);
    let view::Criteria { listed, folded } = view::criteria(report);
    let criterion = |id: &str, row: &view::CriterionRow<'_>| {
        context! {
            id => text(id),
            estimate => minus(row.estimate.clone()),
            interval => minus(row.interval.clone()),
            required => minus(row.required.clone()),
            verdict => criterion_verdict(row.verdict),
        }
    };
    let reasons = reasons(report, shows_text, sanitizer);
    let limits = PageLimits { rows: tier.rows, text: tier.text, changes: tier.text * 4, name: tier.text };
    let fault = report.ended.fault.as_ref();
    let warnings = if shows_text { &*report.warnings } else { &[] };
    context! {
        symbol => symbol(headline),
        verdict => headline.as_str(),
        has_baseline => report.variants.baseline.is_some(),
        policy => Serde(policy_notice::notice(report, tier.rows.min(12)).map(|notice| notice.map_text(text))),
        measured => !view::nothing_measured(report),
        stopped => fault
            .filter(|_| report.reasons.is_empty())
            .map(|fault| if shows_text { text(&fault.message) } else { withheld(fault) }),
        help => fault.filter(|_| shows_text).and_then(|fault| fault.help.as_deref()).map(text),
        criteria_left_out => listed.len().saturating_sub(tier.rows),
        criteria => listed.iter().take(tier.rows).map(|row| criterion(row.id, row)).collect::<Value>(),
        folded => folded
            .iter()
            .filter_map(|of| {
                let names: Value = of.rows.iter().take(tier.rows).map(|row| text(row.id)).collect();
                let left_out = of.rows.len().saturating_sub(tier.rows);
                let row = criterion(&of.label, of.rows.first()?);
                Some(context! { label => of.label.clone(), row, names, left_out })
            })
            .collect::<Value>(),
        worst_title => lists.worst_title,
        worst => lists.worst.iter().map(|row| {
            worst_cases::worst_case(row, tier, options.disclose, sanitizer)
        }).collect::<Value>(),
        others_title => lists.others_title,
        others => lists.others,
        cases_left_out => (lists.left_out > 0).then(|| cases(lists.left_out)),
        legend => view::legend(report),
        details_title => match report.warnings.len() {
            0 => "Statistics and run details".to_owned(),
            count => format!("Statistics and run details, {}", number::counted(count as u64, "warning")),
        },
        tally => view::tally(report),
        scope => report.policy.scope.as_str(),
        scope_words => view::scope_question(report.policy.scope),
        commits => Serde(&options.commits),
        facts => Serde(run_facts(report, tier.text, sanitizer)),
        warnings_title => number::counted(report.warnings.len() as u64, "warning"),
        warnings => warnings.iter().take(tier.rows).map(|warning| text(warning)).collect::<Value>(),
        warnings_left_out => report.warnings.len().saturating_sub(tier.rows.min(warnings.len())),
        shows_answers => options.disclose == Disclose::Full,
        prompt_changes => prompt_changes(report, limits, options.disclose, sanitizer),
        shows_text,
        address => options.address.filter(|address| is_plain_url(address)),
        ..view::shared_context(report, &reasons, limits, sanitizer)
    }
}

/// The messages of the prompt that differ. A prompt may be as private as a dataset.
fn prompt_changes(
    report: &Report,
    limits: PageLimits,
    disclose: Disclose,
    sanitizer: &Sanitizer<'_>,
) -> Value {
    let changes =
        (disclose != Disclose::Numbers).then(|| view::changes(report, limits.changes, sanitizer)).flatten();
    let messages = changes.map(|changes| changes.messages).unwrap_or_default();
    let message = |message: view::MessageView| {
        context! {
            role => message.role,
            number => message.number,
            change => Serde(message.change),
            text => worst_cases::word_diff(&message.segments),
        }
    };
    messages.into_iter().take(limits.rows).map(message).collect()
}

fn cases(count: usize) -> String {
    number::counted(count as u64, "case")
}

fn symbol(headline: Headline) -> &'static str {
    match headline {
        Headline::Interrupted => "⏸",
        Headline::Verdict(Verdict::Pass | Verdict::Unchanged) => "✅",
        Headline::Verdict(Verdict::Fail) => "❌",
        Headline::Verdict(Verdict::Inconclusive) => "⚠️",
        Headline::Verdict(Verdict::Incomplete) => "💥",
    }
}

/// The reasons; without `shows_text`, those that quote a server or a judge are replaced by the kind of the fault.
fn reasons(report: &Report, shows_text: bool, sanitizer: &Sanitizer<'_>) -> Vec<String> {
    let why = view::why(report, sanitizer.redactor());
    let mut reasons = view::further_reasons(report, why.as_ref(), sanitizer.redactor());
    let quotes_text = |reason: &&Reason| {
        reason.criterion.is_none() && matches!(reason.code, ReasonCode::Endpoint | ReasonCode::UnfitJudge)
    };
    let Some(fault) = report.ended.fault.as_ref().filter(|_| !shows_text) else { return reasons };
    for quoting in report.reasons.iter().filter(quotes_text) {
        for reason in reasons.iter_mut().filter(|reason| **reason == quoting.message) {
            *reason = withheld(fault);
        }
    }
    reasons
}

/// Describes a fault without its message.
fn withheld(fault: &Fault) -> String {
    format!("the run was stopped: {}; the message is in report.json", fault.kind.as_str().replace('_', " "))
}

fn criterion_verdict(verdict: CriterionVerdict) -> &'static str {
    match verdict {
        CriterionVerdict::Pass => "✅ pass",
        CriterionVerdict::Fail => "❌ fail",
        CriterionVerdict::Inconclusive => "⚠️ inconclusive",
        CriterionVerdict::Incomplete => "💥 incomplete",
    }
}
