//! The data of the template `report.md`.

use minijinja::value::Serde;
use minijinja::{Value, context};

use super::case_groups::groups;
use super::environment::is_plain_url;
use super::open_cases::{marked, open_cases};
use super::run_facts::run_facts;
use super::worst_answers;
use super::{MarkdownOptions, Tier};
use crate::render::comment::Disclose;
use crate::v1::{CriterionVerdict, Fault, MessageChange, Reason, ReasonCode, Report, Verdict};
use crate::view::changes::MessageView;
use crate::view::number::minus;
use crate::view::{self, Headline, PageLimits, Sanitizer, number, policy_notice};

/// Characters of the whole difference of a message, which full disclosure shows in a fold.
const MAX_WHOLE: usize = 20_000;

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
    let (groups, left_out) = groups(report, tier, sanitizer);
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
    let limits = PageLimits { rows: tier.rows, text: tier.text, name: tier.text };
    let changes = view::changes::changes(report, tier.text * 4, sanitizer);
    let is_whole_shown = options.disclose == Disclose::Full && tier.answer > 0;
    let whole = is_whole_shown.then(|| view::changes::changes(report, MAX_WHOLE, sanitizer)).flatten();
    let whole = whole.map_or_else(Vec::new, |whole| whole.messages);
    let fault = report.ended.fault.as_ref();
    let rows = tier.rows.min(12);
    let policy = match shows_text {
        true => policy_notice::notice(report, rows),
        false => policy_notice::notice_without_text(report, rows),
    };
    let request = match shows_text {
        true => view::request_changes(report),
        false => view::request_changes_without_text(report),
    };
    let request: Vec<String> = request.iter().take(tier.rows).map(|change| text(change)).collect();
    let has_baseline = report.variants.baseline.is_some();
    let warnings = if shows_text { &*report.warnings } else { &[] };
    context! {
        symbol => symbol(headline),
        verdict => headline.as_str(),
        has_baseline,
        request_changes => Serde(if has_baseline { request.as_slice() } else { &[] }),
        policy => Serde(policy.map(|notice| notice.map_text(text))),
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
        open => if shows_text && report.verdict != Verdict::Pass {
            open_cases(report, tier, sanitizer)
        } else {
            Vec::new()
        },
        sends_the_same => changes.as_ref().is_some_and(|changes| changes.equal),
        prompt_changes => changes
            .filter(|_| shows_text)
            .map_or_else(Vec::new, |changes| prompt_changes(changes.messages, tier.rows, &whole)),
        groups,
        cases_left_out => (left_out > 0).then(|| cases(left_out)),
        tally => view::tally(report),
        scope => report.policy.scope.as_str(),
        scope_words => view::scope_question(report.policy.scope),
        commits => Serde(&options.commits),
        facts => Serde(run_facts(report, &request, tier.text, sanitizer)),
        fold_title => fold_title(report),
        warnings_title => number::counted(report.warnings.len() as u64, "warning"),
        warnings => warnings.iter().take(tier.rows).map(|warning| text(warning)).collect::<Value>(),
        warnings_left_out => report.warnings.len().saturating_sub(tier.rows.min(warnings.len())),
        answers => if options.disclose == Disclose::Full {
            worst_answers::worst(report, tier.worst, tier.answer, sanitizer)
        } else {
            Vec::new()
        },
        reviewer_steps => options.reviewer_steps.iter().map(|step| text(step)).collect::<Value>(),
        shows_text,
        address => options.address.filter(|address| is_plain_url(address)),
        ..view::shared_context(report, &reasons, limits, sanitizer)
    }
}

/// The messages of the prompt that differ, with marks; `whole` has the whole difference of each, where it is shown.
fn prompt_changes(messages: Vec<MessageView>, max: usize, whole: &[MessageView]) -> Vec<Value> {
    let message = |(index, message): (usize, MessageView)| {
        let change = match message.change {
            MessageChange::Added => Some("added"),
            MessageChange::Removed => Some("removed"),
            MessageChange::Equal | MessageChange::Changed => None,
        };
        let whole = whole.get(index).filter(|_| message.left_out.is_some());
        let missing = match whole {
            Some(whole) => whole.left_out.as_deref(),
            None => message.left_out.as_deref(),
        };
        context! {
            role => message.role,
            number => message.number,
            change,
            only_white_space => message.only_white_space,
            whole => whole.map(|whole| marked(whole.segments.clone())),
            left_out => message.left_out.clone(),
            is_missing => missing.is_some(),
            text => marked(message.segments),
        }
    };
    messages.into_iter().take(max).enumerate().map(message).collect()
}

/// The summary of the fold: warnings first.
fn fold_title(report: &Report) -> String {
    let content = "cases, statistics and run details";
    match report.warnings.len() {
        0 => format!("All {content}"),
        warnings => format!("{}; all {content}", number::counted(warnings as u64, "warning")),
    }
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
