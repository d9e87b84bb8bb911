//! `promptgate history`: the runs of a suite over time.

use crate::app::{Failure, history, pretty_json};
use crate::cli::args::{HistoryArguments, HistoryFormat};
use crate::cli::exit::ExitStatus;
use crate::cli::output;
use promptgate_report::Style;
use promptgate_report::history::History;

/// Prints the history, or writes it to a file; exits 0 whatever it shows.
pub(super) fn history(arguments: &HistoryArguments) -> Result<ExitStatus, Failure> {
    let found = history::find(&arguments.options())?;
    output::warn(&found.warnings);
    let style = match arguments.out {
        None => output::terminal_style(),
        Some(_) => Style::default(),
    };
    let text = render(&found.history, arguments.format, &style)?;
    match &arguments.out {
        None => output::stream(|out| out.write_all(&text))?,
        Some(path) => {
            history::write(path, &text)?;
            output::info(&format!("wrote {}", path.display()));
        }
    }
    Ok(ExitStatus::Pass)
}

fn render(history: &History, format: HistoryFormat, style: &Style) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    let written = match format {
        HistoryFormat::Json => return Ok(pretty_json(history, "the history")?.into_bytes()),
        HistoryFormat::Terminal => promptgate_report::write_history(history, &mut text, style),
        HistoryFormat::Html => promptgate_report::write_history_page(history, &mut text, style),
    };
    written.map_err(|error| Failure::Internal(format!("could not write the history: {error}")))?;
    Ok(text)
}
