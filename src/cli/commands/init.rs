//! `promptgate init`: a starter suite that checks and runs at once.

use std::path::Path;

use crate::cli::args::InitArguments;
use crate::cli::error::Failure;
use crate::cli::exit::ExitStatus;
use crate::cli::files::write_whole;
use crate::cli::output::print;
use crate::model::{Mistake, Mistakes, Place};

const FILES: [(&str, &str); 3] = [
    ("promptgate.yaml", include_str!("../starter/promptgate.yaml")),
    ("cases.jsonl", include_str!("../starter/cases.jsonl")),
    ("prompts/assistant.md", include_str!("../starter/assistant.md")),
];

/// Writes the starter suite; writes nothing where one of its files is there already.
pub(crate) fn init(arguments: &InitArguments) -> Result<ExitStatus, Failure> {
    let taken: Vec<Mistake> = FILES
        .iter()
        .map(|(name, _)| arguments.folder.join(name))
        .filter(|path| path.symlink_metadata().is_ok())
        .map(|path| {
            Mistake::new("this file exists already")
                .at(Place::file(path.display().to_string()))
                .help("`promptgate init FOLDER` writes elsewhere; no file is ever overwritten")
        })
        .collect();
    if !taken.is_empty() {
        return Err(Mistakes(taken).into());
    }
    let mut text = String::new();
    for (name, content) in FILES {
        let path = arguments.folder.join(name);
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
