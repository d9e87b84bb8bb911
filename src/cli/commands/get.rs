//! `promptgate get`: a prompt with its variables inserted.

use std::io::{self, IsTerminal as _, Write};

use super::ledger::print;
use crate::app::Failure;
use crate::app::release::{get as compile, open_ledger_for_reading};
use crate::cli::args::GetArguments;
use crate::cli::exit::ExitStatus;
use promptgate_core::text::neutral;
use promptgate_report::Style;
use promptgate_report::release::compiled::Compiled;

/// Prints the prompt: the text of a text prompt, the messages of a chat prompt as JSON.
pub(super) async fn get(arguments: &GetArguments) -> Result<ExitStatus, Failure> {
    let options = arguments.options()?;
    let ledger = open_ledger_for_reading(&arguments.ledger.options(Some(&options.reference.name))).await?;
    print(&compile(&*ledger, &options).await?, arguments.ledger.format, write)?;
    Ok(ExitStatus::Pass)
}

fn write(compiled: &Compiled, out: &mut dyn Write, _: &Style) -> io::Result<()> {
    if compiled.kind == "chat" {
        return promptgate_report::write_json(&compiled.messages, out);
    }
    let texts: Vec<&str> = compiled.messages.iter().map(|message| message.content.as_str()).collect();
    write_text(&texts.join("\n\n"), io::stdout().is_terminal(), out)
}

/// Writes the text as it is, for a program. A terminal gets it without control sequences, and with a last line break.
fn write_text(text: &str, is_terminal: bool, out: &mut dyn Write) -> io::Result<()> {
    if !is_terminal {
        return out.write_all(text.as_bytes());
    }
    text.lines().try_for_each(|line| writeln!(out, "{}", neutral::source_line(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_get_the_exact_text() {
        let text = "one\r\n\u{1b}[31mtwo";
        let written = |is_terminal| {
            let mut out = Vec::new();
            write_text(text, is_terminal, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(false), text);
        assert_eq!(written(true), "one\n\u{FFFD}[31mtwo\n");
    }
}
