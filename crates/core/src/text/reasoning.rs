//! Reasoning that a model writes into its answer, in front of it.
//!
//! Reasoning models whose server does not separate the two start with a block in tags (`<think>…</think>`), or with the
//! channels of gpt-oss. A tag in the middle of an answer is text.

/// Open and close tags of blocks, in lower case.
const TAGS: [(&str, &str); 6] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("[think]", "[/think]"),
    ("<seed:think>", "</seed:think>"),
    ("<|start_thinking|>", "<|end_thinking|>"),
];
/// Marks of gpt-oss.
const CHANNEL: &str = "<|channel|>";
const MESSAGE: &str = "<|message|>";
const START: &str = "<|start|>assistant";
const ENDS: [&str; 4] = ["<|end|>", "<|return|>", "<|call|>", "<|start|>"];
/// The same channels where the server dropped the marks.
const BARE_CHANNEL: &str = "analysis";
const BARE_FINAL: &str = "assistantfinal";

/// A text taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The reasoning, without its tags.
    pub reasoning: String,
    /// The answer behind it; `None` where the reasoning does not end.
    pub answer: Option<String>,
}

/// Separates reasoning from the answer that follows; `None` where the text has none in front.
pub fn split(text: &str) -> Option<Split> {
    channels(text).or_else(|| blocks(text))
}

fn blocks(text: &str) -> Option<Split> {
    let mut reasoning: Vec<&str> = Vec::new();
    let mut rest = text;
    loop {
        let start = rest.trim_start();
        if let Some((open, close)) = TAGS.iter().find(|(open, _)| starts_with(start, open)) {
            let inner = start.get(open.len()..).unwrap_or_default();
            let Some(end) = find(inner, close) else {
                reasoning.push(inner.trim());
                return Some(Split { reasoning: reasoning.join("\n\n"), answer: None });
            };
            reasoning.push(inner.get(..end).unwrap_or_default().trim());
            rest = inner.get(end + close.len()..).unwrap_or_default();
        } else if let Some((end, close)) = unopened(rest) {
            reasoning.push(rest.get(..end).unwrap_or_default().trim());
            rest = rest.get(end + close.len()..).unwrap_or_default();
        } else {
            break;
        }
    }
    let answer = || Some(rest.trim_start().to_owned());
    (!reasoning.is_empty()).then(|| Split { reasoning: reasoning.join("\n\n"), answer: answer() })
}

/// Returns the first close tag if there is no open one before it: the server put that into the prompt.
fn unopened(text: &str) -> Option<(usize, &'static str)> {
    let (end, open, close) = brackets(text).find_map(|(start, rest)| {
        let (open, close) = TAGS.iter().find(|(_, close)| starts_with(rest, close))?;
        Some((start, *open, *close))
    })?;
    let is_opened = find(text.get(..end)?, open).is_some();
    (!is_opened).then_some((end, close))
}

/// Reads the channels of gpt-oss: `final` is the answer, all others are reasoning.
fn channels(text: &str) -> Option<Split> {
    let start = text.trim_start();
    let start = start.strip_prefix(START).unwrap_or(start);
    if !start.starts_with(CHANNEL) {
        let body = start.strip_prefix(BARE_CHANNEL)?;
        let (reasoning, answer) = body.split_once(BARE_FINAL)?;
        return Some(Split {
            reasoning: reasoning.trim().to_owned(),
            answer: Some(answer.trim().to_owned()),
        });
    }
    let mut reasoning: Vec<&str> = Vec::new();
    let mut answer = None;
    for part in start.split(CHANNEL).skip(1) {
        let Some((header, body)) = part.split_once(MESSAGE) else {
            reasoning.push(part.trim());
            continue;
        };
        let end = ENDS.iter().filter_map(|end| body.find(end)).min().unwrap_or(body.len());
        let body = body.get(..end).unwrap_or_default().trim();
        if header.trim_start().starts_with("final") {
            answer = Some(body.to_owned());
        } else {
            reasoning.push(body);
        }
    }
    Some(Split { reasoning: reasoning.join("\n\n"), answer })
}

fn starts_with(text: &str, tag: &str) -> bool {
    text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag))
}

/// Finds a tag in any case of letters.
fn find(text: &str, tag: &str) -> Option<usize> {
    brackets(text).find(|(_, rest)| starts_with(rest, tag)).map(|(start, _)| start)
}

/// The places where a tag may start, with the text from there. Most answers have none.
fn brackets(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices(['<', '[']).map(|(start, _)| (start, text.get(start..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(text: &str) -> Option<(String, Option<String>)> {
        split(text).map(|split| (split.reasoning, split.answer))
    }

    #[test]
    fn block_in_front_is_separated() {
        for text in [
            "<think>30 days</think>\n\nI cannot help",
            "\n<THINK>\n30 days\n</Think> I cannot help",
            "<thinking>30 days</thinking>I cannot help",
            "[THINK]30 days[/THINK]I cannot help",
            "<|START_THINKING|>30 days<|END_THINKING|>I cannot help",
            "30 days</think>\nI cannot help",
            "<|channel|>analysis<|message|>30 days<|end|><|start|>assistant<|channel|>final<|message|>I cannot \
             help<|return|>",
            "<|start|>assistant<|channel|>analysis<|message|>30 days<|end|><|start|>assistant<|channel|>final \
             <|constrain|>json<|message|>I cannot help",
            "analysis30 daysassistantfinalI cannot help",
        ] {
            assert_eq!(parts(text), Some(("30 days".into(), Some("I cannot help".into()))), "{text}");
        }
        let two = "<think>a</think>\n<think>b</think>c";
        assert_eq!(parts(two), Some(("a\n\nb".into(), Some("c".into()))));
        // The reasoning mentions its own tag.
        let nested = "<think>a <think>b</think> c</think>d";
        assert_eq!(parts(nested), Some(("a <think>b\n\nc".into(), Some("d".into()))));
        assert_eq!(parts("<think>\n\n</think>\n\nhi"), Some((String::new(), Some("hi".into()))));
    }

    #[test]
    fn reasoning_without_end_has_no_answer() {
        for text in
            ["<think>30 days", "<think>", "<|channel|>analysis<|message|>30 days", "<|channel|>analysis"]
        {
            assert_eq!(split(text).unwrap().answer, None, "{text}");
        }
        assert_eq!(parts("a</think>"), Some(("a".into(), Some(String::new()))));
    }

    #[test]
    fn tag_in_the_middle_is_text() {
        for text in [
            "",
            "30 days",
            "Write <think>your steps</think> first.",
            "Use <think> to start.",
            "analysis of the contract",
            "the channel <|channel|>final",
            "<thinker>x</thinker>",
        ] {
            assert_eq!(split(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_split_without_a_panic(text in "[<>/a-z|\\[\\]é ]{0,40}(<think>|</think>|<\\|channel\\|>|é)*") {
            let _ = split(&text);
        }
    }
}
