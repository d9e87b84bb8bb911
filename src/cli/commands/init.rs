//! `promptgate init`: a starter suite that checks and runs at once.

use std::path::Path;

use crate::cli::args::InitArguments;
use crate::cli::error::Failure;
use crate::cli::exit::ExitStatus;
use crate::cli::files::write_whole;
use crate::cli::output::print;
use promptgate_core::model::Diagnostic;

const FILES: [(&str, &str); 3] = [
    ("promptgate.yaml", include_str!("../starter/promptgate.yaml")),
    ("cases.jsonl", include_str!("../starter/cases.jsonl")),
    ("prompts/assistant.md", include_str!("../starter/assistant.md")),
];

/// Writes the starter suite; writes nothing where one of its files is there already.
pub(crate) fn init(arguments: &InitArguments) -> Result<ExitStatus, Failure> {
    let path = |name: &str| match arguments.folder.as_path() {
        here if here == Path::new(".") => name.into(),
        folder => folder.join(name),
    };
    let taken: Vec<String> = FILES
        .iter()
        .map(|(name, _)| path(name))
        .filter(|path| path.symlink_metadata().is_ok())
        .map(|path| path.display().to_string())
        .collect();
    if !taken.is_empty() {
        let message = match taken.as_slice() {
            [one] => format!("{one} exists already; nothing was written"),
            many => format!("{} exist already; nothing was written", many.join(", ")),
        };
        return Err(Diagnostic::new(message)
            .help("`promptgate init FOLDER` writes elsewhere; no file is ever overwritten")
            .into());
    }
    let mut text = String::new();
    for (name, content) in FILES {
        let path = path(name);
        write_whole(&path, |file| file.write_all(content.as_bytes()))?;
        text.push_str(&format!("wrote {}\n", path.display()));
    }
    let folder = match arguments.folder.as_path() {
        here if here == Path::new(".") => String::new(),
        folder => format!(" {}", folder.display()),
    };
    text.push_str(&format!(
        "\nnext:\n  promptgate check{folder}\n  promptgate run --offline{folder}   # a simulated model: no key, \
         no cost\n  promptgate run{folder}             # with OPENAI_API_KEY set\n"
    ));
    print(&text)?;
    Ok(ExitStatus::Pass)
}
