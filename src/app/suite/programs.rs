//! Programs of scorers and of `transform` that are not there.

use std::path::Path;

use crate::config::Settings;
use promptgate_adapters::files::{FILE_LIMIT, Tree};
use promptgate_core::model::{Diagnostic, Diagnostics, Place};

/// Endings of scripts.
const SCRIPTS: [&str; 11] = ["cjs", "js", "lua", "mjs", "php", "pl", "ps1", "py", "rb", "sh", "ts"];

/// A program that a run would start.
struct Program<'a> {
    /// Its owner in messages.
    owner: String,
    run: &'a [String],
    place: Place,
}

/// The programs of the settings.
fn programs(settings: &Settings) -> Vec<Program<'_>> {
    let scorer = settings.scorers.iter().map(|scorer| Program {
        owner: format!("scorer `{}`", scorer.name),
        run: &scorer.run,
        place: scorer.place.clone(),
    });
    let transform = settings.transform.command.iter().map(|command| Program {
        owner: "`transform.command`".to_owned(),
        run: &command.run,
        place: Place::file(&settings.file),
    });
    scorer.chain(transform).collect()
}

/// The file that a command names: the program itself where it is a path, else the script of an interpreter.
fn named_file(run: &[String]) -> Option<&str> {
    let (program, arguments) = run.split_first()?;
    if program.contains('/') {
        return Some(program);
    }
    // Options may come with a program text or a module in place of a script.
    let is_inline = |argument: &&String| matches!(argument.as_str(), "-c" | "-e" | "-m");
    if arguments.iter().any(|argument| is_inline(&argument)) {
        return None;
    }
    let script = arguments.iter().find(|argument| !argument.starts_with('-'))?;
    let ending = Path::new(script).extension().and_then(|ending| ending.to_str());
    ending.filter(|ending| SCRIPTS.contains(ending)).map(|_| script.as_str())
}

/// Reports the programs and scripts that are not in the files that they are run from.
pub(super) fn review(settings: &Settings, tree: &Tree, errors: &mut Diagnostics) {
    for program in programs(settings) {
        let Some(file) = named_file(program.run) else { continue };
        let is_missing = match Path::new(file).is_absolute() {
            true => !Path::new(file).exists(),
            // A file that cannot be read is reported by the run, with its reason.
            false => matches!(tree.find(file, FILE_LIMIT), Ok(None)),
        };
        if !is_missing {
            continue;
        }
        let from = tree.commit().and_then(|commit| commit.get(..12));
        let from =
            from.map_or_else(String::new, |commit| format!(" in commit {commit}, from which it is run"));
        let message = format!("the file `{file}` of {} does not exist{from}", program.owner);
        let help = "write its path relative to the folder of the configuration, and commit the file";
        errors.0.push(Diagnostic::new(message).at(program.place).help(help));
    }
}

/// The first program by name alone that is in no folder of `path`, as an error.
pub(in crate::app) fn not_on_path(settings: &Settings, path: Option<&str>) -> Option<Diagnostic> {
    if cfg!(windows) {
        return None;
    }
    let folders: Vec<_> = std::env::split_paths(path?).collect();
    programs(settings).into_iter().find_map(|program| {
        let name = program.run.first().filter(|name| !name.contains('/'))?;
        let is_found = folders.iter().any(|folder| folder.join(name).is_file());
        (!is_found).then(|| {
            Diagnostic::new(format!("the program `{name}` of {} is not on the PATH", program.owner))
                .at(program.place)
                .help("install it, or write its path")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_commands_are_recognized() {
        let file = |run: &str| {
            let run: Vec<String> = run.split(' ').map(str::to_owned).collect();
            named_file(&run).map(str::to_owned)
        };
        for (run, expected) in [
            ("./score", Some("./score")),
            ("bin/score a.py", Some("bin/score")),
            ("python3 scorers/x.py data.json", Some("scorers/x.py")),
            ("python3 -u x.py", Some("x.py")),
            ("python3 -m x.py", None),
            ("sh -c x.sh", None),
            ("uv run x.py", None),
            ("jq .output", None),
            ("node x.mjs", Some("x.mjs")),
            ("cat", None),
        ] {
            assert_eq!(file(run).as_deref(), expected, "{run}");
        }
    }
}
