//! Lines that start a message: `system:` and `user:` in `.prompty` files.

use promptgate_core::model::{Diagnostic, Diagnostics, Message, MessageRole, Place};

/// Keys of the front matter of `.prompty` files that change no request.
pub(super) const IGNORED: [&str; 6] = ["authors", "inputs", "outputs", "sample", "tags", "template"];

/// The role that a line starts, as in `system:` or `# user:`.
fn role(line: &str) -> Option<MessageRole> {
    let name = line.trim().trim_start_matches('#').trim_start().strip_suffix(':')?.trim_end();
    match name.to_ascii_lowercase().as_str() {
        "system" => Some(MessageRole::System),
        "developer" => Some(MessageRole::Developer),
        "user" => Some(MessageRole::User),
        "assistant" => Some(MessageRole::Assistant),
        _ => None,
    }
}

/// The number of the first line that starts a message, counted from 1, and the line.
pub(super) fn first_marker(body: &str) -> Option<(usize, &str)> {
    let marker = |line: &&str| matches!(role(line), Some(MessageRole::System | MessageRole::User));
    let (index, line) = body.lines().enumerate().find(|(_, line)| marker(line))?;
    Some((index + 1, line.trim()))
}

/// Splits the body of a `.prompty` file, whose first line is `first_line`, into messages with the lines of their contents.
/// Without any marker it is one system message.
pub(super) fn split(
    file: &str,
    body: &str,
    first_line: usize,
) -> Result<(Vec<Message>, Vec<usize>), Diagnostics> {
    let mut diagnostics = Vec::new();
    let mut messages: Vec<Message> = Vec::new();
    let mut lines: Vec<usize> = Vec::new();
    let mut open = None;
    let mut content: Vec<&str> = Vec::new();
    let mut finish = |open: Option<(MessageRole, usize)>, content: &mut Vec<&str>, start: usize| {
        let blank = content.iter().take_while(|line| line.trim().is_empty()).count();
        let text = content.get(blank..).unwrap_or_default().join("\n").trim_end().to_owned();
        content.clear();
        match open {
            None if text.is_empty() => {}
            Some((_, marker)) if text.is_empty() => diagnostics.push(
                Diagnostic::new("this message is empty")
                    .at(Place::line(file, marker))
                    .help("write its text below"),
            ),
            _ => {
                messages.push(Message::new(open.map_or(MessageRole::System, |(role, _)| role), text));
                lines.push(start + blank);
            }
        }
    };
    let mut start = first_line;
    for (index, line) in body.lines().enumerate() {
        let number = first_line + index;
        if let Some(role) = role(line) {
            finish(open, &mut content, start);
            open = Some((role, number));
            start = number + 1;
        } else {
            content.push(line);
        }
    }
    finish(open, &mut content, start);
    if diagnostics.is_empty() { Ok((messages, lines)) } else { Err(Diagnostics(diagnostics)) }
}
