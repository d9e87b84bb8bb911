//! `promptgate explain`: what a code means, why it happens, and what to do.

#[cfg(test)]
mod tests;

use crate::app::Failure;
use crate::app::explain::{self, Explanation};
use crate::cli::args::ExplainArguments;
use crate::cli::exit::ExitStatus;
use crate::cli::output;

/// Columns of the labels.
const LABEL: usize = 6;

/// Prints the explanation of a code, or all codes.
pub(super) fn explain(arguments: &ExplainArguments) -> Result<ExitStatus, Failure> {
    match &arguments.code {
        Some(code) => output::print(&text(explain::explain(code)?, output::width()))?,
        None => output::print(&list())?,
    }
    Ok(ExitStatus::Pass)
}

fn text(entry: &Explanation, width: usize) -> String {
    let mut text = format!("{} ({})\n\n", entry.code, entry.kinds.join(", "));
    for (label, part) in [("", &entry.meaning), ("why", &entry.why), ("next", &entry.next)] {
        let indent = if label.is_empty() { 0 } else { LABEL };
        for (index, line) in wrapped(part, width.saturating_sub(indent)).into_iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            text.push_str(&format!("{label:<indent$}{line}\n"));
        }
        if label.is_empty() {
            text.push('\n');
        }
    }
    text
}

/// A text in lines of at most `width` characters, broken at spaces.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let length = |text: &str| text.chars().count();
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if length(line) + 1 + length(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn list() -> String {
    let all = explain::all();
    let column = |of: &dyn Fn(&Explanation) -> usize| all.iter().map(of).max().unwrap_or_default();
    let kinds = |entry: &Explanation| entry.kinds.join(", ");
    let (code, kind) = (column(&|entry| entry.code.len()), column(&|entry| kinds(entry).len()));
    let line =
        |entry: &Explanation| format!("{:<code$}  {:<kind$}  {}\n", entry.code, kinds(entry), entry.meaning);
    all.iter().map(line).collect()
}
