//! Prompts and messages for the report: the prompts as written, and the messages of every case.

use std::collections::HashMap;
use std::sync::Arc;

use super::Failure;
use promptgate_core::model::{
    CaseRequests, Message, PromptMessage, RequestLocation, RequestTexts, Role, Run, VariantFacts,
};
use promptgate_core::text::Redactor;
use promptgate_engine::execute::Plan;
use promptgate_report::{FileSpool, RequestWriter};

/// Maximum length of a message of a prompt in a report, in characters.
const MAX_MESSAGE: usize = 100_000;

/// Writes the messages of all cases to the spool of a run. `earlier` is the run whose candidate is the baseline.
///
/// # Errors
/// A message that is too long for the spool.
pub(super) fn spill(plan: &Plan, earlier: Option<&Run>, spool: &FileSpool) -> Result<RequestTexts, Failure> {
    let baselines: HashMap<&str, &RequestLocation> = earlier
        .iter()
        .flat_map(|run| run.cases.iter().map(|case| (case.id.as_str(), &case.requests)))
        .collect();
    let mut writer = RequestWriter::new(spool);
    for message in earlier.iter().flat_map(|run| run.messages.values()) {
        writer.share(message);
    }
    let mut cases = Vec::with_capacity(plan.dataset().cases.len());
    for (index, case) in plan.dataset().cases.iter().enumerate() {
        let mut sent = |role: Role| -> Result<Vec<Arc<Message>>, Failure> {
            let messages = plan.messages(index, role)?.unwrap_or_default();
            let mut share = |(mut message, is_fixed): (Message, bool)| {
                // The bytes of an image would be a large part of the report.
                for image in &mut message.images {
                    image.url = image.describe().into_owned();
                }
                let message = Arc::new(message);
                if is_fixed {
                    writer.share(&message);
                }
                message
            };
            Ok(messages.into_iter().map(&mut share).collect())
        };
        let candidate = sent(Role::Candidate)?;
        let baseline = match baselines.get(case.id.as_str()) {
            Some(RequestLocation::InMemory(requests)) => requests.candidate.clone(),
            _ => sent(Role::Baseline)?,
        };
        let baseline = if baseline == candidate { Vec::new() } else { baseline };
        let requests = CaseRequests { candidate, baseline };
        let location = writer
            .put(&requests)
            .map_err(|error| Failure::writing("a temporary file beside the report", &error))?;
        cases.push(location);
    }
    Ok(RequestTexts { messages: writer.finish(), cases })
}

/// Makes what the candidate of an earlier run sent that of the baseline. Cases are matched by id.
pub(super) fn adopt_baseline(run: &mut Run, earlier: &Run) {
    let sent: HashMap<&str, &RequestLocation> =
        earlier.cases.iter().map(|case| (case.id.as_str(), &case.requests)).collect();
    for case in Arc::make_mut(&mut run.cases) {
        let RequestLocation::InMemory(ours) = &case.requests else { continue };
        let baseline = match sent.get(case.id.as_str()) {
            Some(RequestLocation::InMemory(theirs)) if theirs.candidate != ours.candidate => {
                theirs.candidate.clone()
            }
            _ => Vec::new(),
        };
        let requests = CaseRequests { candidate: ours.candidate.clone(), baseline };
        case.requests = RequestLocation::InMemory(Arc::new(requests));
    }
}

/// Redacts the prompts of a run and shortens very long ones. A difference of texts that are not redacted yet could tear a
/// secret apart.
pub(super) fn redact_prompts(run: &mut Run, redactor: &Redactor) {
    let variants = [Some(&mut run.candidate), run.baseline.as_mut()];
    for VariantFacts { messages, .. } in variants.into_iter().flatten() {
        for message in messages {
            *message = shown(message, redactor);
        }
    }
}

fn shown(message: &PromptMessage, redactor: &Redactor) -> PromptMessage {
    let mut content = redactor.redact(&message.content).into_owned();
    let mut omitted = message.omitted;
    if let Some((end, _)) = content.char_indices().nth(MAX_MESSAGE) {
        // Between two words, so that a reader can tell that one is whole.
        let end = content[..end].rfind(char::is_whitespace).unwrap_or(end);
        omitted += content[end..].chars().count();
        content.truncate(end);
    }
    PromptMessage { role: message.role, content, omitted }
}

#[cfg(test)]
mod tests {
    use super::*;
    use promptgate_core::model::MessageRole;
    use promptgate_core::text::Secret;

    #[test]
    fn prompts_are_redacted_before_they_are_cut() {
        let redactor = Redactor::new(&[Secret::new("sk-0123456789".to_owned())]);
        let content = format!("key sk-0123456789 {}", "word ".repeat(MAX_MESSAGE));
        let length = content.chars().count();
        let message = PromptMessage { role: MessageRole::System, content, omitted: 0 };
        let cut = shown(&message, &redactor);
        assert!(cut.content.starts_with("key [redacted] word"), "{:?}", cut.content.get(..40));
        assert!(cut.content.ends_with("word") && cut.content.chars().count() <= MAX_MESSAGE);
        let redacted = "sk-0123456789".len() - "[redacted]".len();
        assert_eq!(cut.content.chars().count() + cut.omitted + redacted, length);
        assert_eq!(shown(&cut, &redactor), cut);
    }
}
