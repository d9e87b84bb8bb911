//! `promptgate init`: writes a suite about what a folder has, the files of a release, or an imported suite.

mod around;
mod questions;

use std::path::{Path, PathBuf};

use crate::app::Failure;
use crate::app::init::from::{self, Imported};
use crate::app::init::{self as starter, Initialized};
use crate::cli::args::InitArguments;
use crate::cli::exit::ExitStatus;
use crate::cli::output;
use promptgate_core::model::Diagnostic;
use promptgate_core::text::neutral;

/// Writes a suite or the files of a release, and names the next commands.
pub(super) fn init(arguments: &InitArguments) -> Result<ExitStatus, Failure> {
    let folder = match arguments.folder.as_path() {
        here if here == Path::new(".") => String::new(),
        folder => format!(" {}", starter::quoted(&folder.display().to_string())),
    };
    let text = if let Some(source) = &arguments.from {
        imported(&from::import(source, &arguments.folder, arguments.strict)?, "", &folder)
    } else if arguments.release {
        released(&starter::init_release(&arguments.folder)?, &folder)
    } else {
        around::around(arguments, &folder)?
    };
    output::print(&text)?;
    Ok(ExitStatus::Pass)
}

fn files(written: &[PathBuf], kept: &[PathBuf]) -> String {
    let shown = |path: &Path| neutral::source_line(&path.display().to_string());
    let written = written.iter().map(|path| format!("wrote {}\n", shown(path)));
    let kept = kept.iter().map(|path| format!("kept {}, which exists already\n", shown(path)));
    written.chain(kept).collect()
}

/// The files and `more` lines about files, what could not be carried line by line, and the next commands.
fn imported(result: &Imported, more: &str, folder: &str) -> String {
    let counted =
        |count: usize, one: &str| if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") };
    let mut text: String = result.written.iter().map(|path| format!("wrote {}\n", path.display())).collect();
    text.push_str(more);
    text.extend(result.copies.iter().map(|line| format!("{line}\n")));
    let (cases, assertions) = (counted(result.cases, "case"), counted(result.carried, "assertion"));
    text.push_str(&format!("\nimported {}: {cases}, {assertions} carried\n", result.kind));
    match result.notes.len() {
        0 => text.push_str("not carried: nothing\n"),
        count => text.push_str(&format!(
            "not carried: {}; promptgate.yaml lists them, too\n\n",
            counted(count, "line")
        )),
    }
    text.extend(result.notes.iter().map(note));
    let keys = result.keys.join(" and ");
    let tip = match (result.is_application, keys.as_str()) {
        (true, "") => "with the application".to_owned(),
        (true, keys) => format!("with the application, and {keys} set"),
        (false, "") => "the endpoint needs no key".to_owned(),
        (false, keys) => format!("with {keys} set"),
    };
    text.push_str(&format!(
        "\nnext:\n  promptgate check{folder}\n  promptgate run --offline{folder}   # a simulated model: no key, no cost\n  \
         promptgate run{folder}             # {tip}\n"
    ));
    if !result.is_application && result.carried > 0 {
        text.push_str(
            "  the simulated model does not know your answers, and every case has to pass: expect FAIL\n  with --offline, before \
             any change\n",
        );
    }
    text
}

/// A line `FILE:LINE: MESSAGE`, and below it what to do.
fn note(note: &Diagnostic) -> String {
    let place = note.place.as_ref().map(|place| match place.line {
        Some(line) => format!("{}:{line}: ", place.file),
        None => format!("{}: ", place.file),
    });
    let line = neutral::terminal(&format!("{}{}", place.unwrap_or_default(), note.message));
    let help = note.help.as_deref().map(|help| format!("    {}\n", neutral::terminal(help)));
    format!("{line}\n{}", help.unwrap_or_default())
}

fn suite_commands(folder: &str, key: &str) -> String {
    format!(
        "  promptgate check{folder}\n  promptgate run --offline{folder}   # a simulated model: no key, no cost\n  \
         promptgate run{folder}             # with {key} set\n"
    )
}

fn released(result: &Initialized, folder: &str) -> String {
    let mut text = files(&result.written, &result.kept);
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
