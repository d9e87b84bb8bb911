//! `promptgate init`: writes a starter suite.

use std::path::Path;

use crate::app::{Failure, init as starter};
use crate::cli::args::InitArguments;
use crate::cli::exit::ExitStatus;
use crate::cli::output;

/// Writes the starter suite, and names the next commands.
pub(super) fn init(arguments: &InitArguments) -> Result<ExitStatus, Failure> {
    let written = starter::init(&arguments.folder)?;
    let mut text: String = written.iter().map(|path| format!("wrote {}\n", path.display())).collect();
    let folder = match arguments.folder.as_path() {
        here if here == Path::new(".") => String::new(),
        folder => format!(" {}", folder.display()),
    };
    text.push_str(&format!(
        "\nnext:\n  promptgate check{folder}\n  promptgate run --offline{folder}   # a simulated model: no key, \
         no cost\n  promptgate run{folder}             # with OPENAI_API_KEY set\n"
    ));
    output::print(&text)?;
    Ok(ExitStatus::Pass)
}
