//! `promptgate init`: writes a starter suite.

use std::path::Path;

use crate::app::Failure;
use crate::app::init::{self as starter, Initialized};
use crate::cli::args::InitArguments;
use crate::cli::exit::ExitStatus;
use crate::cli::output;

/// Writes the starter suite or the files of a release, and names the next commands.
pub(super) fn init(arguments: &InitArguments) -> Result<ExitStatus, Failure> {
    let folder = match arguments.folder.as_path() {
        here if here == Path::new(".") => String::new(),
        folder => format!(" {}", folder.display()),
    };
    let text = if arguments.release {
        released(&starter::init_release(&arguments.folder)?, &folder)
    } else {
        let written = starter::init(&arguments.folder)?;
        format!("{}\nnext:\n{}", files(&written), suite_commands(&folder))
    };
    output::print(&text)?;
    Ok(ExitStatus::Pass)
}

fn files(result: &Initialized) -> String {
    let written = result.written.iter().map(|path| format!("wrote {}\n", path.display()));
    let kept = result.kept.iter().map(|path| format!("kept {}, which exists already\n", path.display()));
    written.chain(kept).collect()
}

fn suite_commands(folder: &str) -> String {
    format!(
        "  promptgate check{folder}\n  promptgate run --offline{folder}   # a simulated model: no key, no cost\n  \
         promptgate run{folder}             # with OPENAI_API_KEY set\n"
    )
}

fn released(result: &Initialized, folder: &str) -> String {
    let mut text = files(result);
    let mut steps = String::new();
    if let Some((path, lines)) = &result.missing {
        text.push_str(&format!("\nadd to {}, which was not changed:\n\n{lines}", path.display()));
        steps.push_str("  add these lines, and remove `baseline:`: the default is what production serves\n  say why the prompt was \
             changed: `reason: …` in its front matter\n");
    }
    text.push_str(&format!(
        "\nnext:\n{steps}  promptgate check{folder}\n  promptgate run --offline{folder}   # a simulated model: no key, \
         no cost\n  name the `approvers` before you merge: a first version needs one\n  replace \
         OWNER/promptgate@COMMIT in the workflows: a copy of promptgate and the commit of a release\n  create the environments and \
         secrets that their first lines name, and a ruleset for the branch `promptgate`\n"
    ));
    text
}
