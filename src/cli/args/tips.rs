//! Tips below errors of the argument parser: only those that help.
//!
//! clap takes quite different words for similar, and offers `-- --flag`, which no command of promptgate understands.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue};
use clap::{Command, Error};

use promptgate_core::document::suggest;

/// Words of other tools and what they are here. A flag may come with its value.
const SYNONYMS: [(&str, &str); 17] = [
    ("--csv", "--format csv"),
    ("--html", "--format html"),
    ("--json", "--format json"),
    ("--last-failed", "--only-failed"),
    ("--lf", "--only-failed"),
    ("--filter-failing", "--only-failed"),
    ("--output", "--out"),
    ("--threads", "--concurrency"),
    ("--jobs", "--concurrency"),
    ("--threshold", "--min"),
    ("--dry-run", "--offline"),
    ("eval", "run"),
    ("evaluate", "run"),
    ("test", "run"),
    ("lint", "check"),
    ("validate", "check"),
    ("view", "report"),
];

/// The error with tips that name what is really alike; `arguments` are those of the process.
pub(super) fn corrected(mut error: Error, program: &Command, arguments: &[String]) -> Error {
    let text = |error: &Error, kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    if let Some(unknown) =
        text(&error, ContextKind::InvalidArg).filter(|_| error.get(ContextKind::InvalidValue).is_none())
    {
        let command = invoked(program, arguments);
        let flags: Vec<String> = flags(command);
        replace(&mut error, ContextKind::SuggestedArg, &unknown, &flags);
    }
    if let Some(unknown) = text(&error, ContextKind::InvalidSubcommand) {
        let command = invoked(program, arguments);
        let names: Vec<String> = command.get_subcommands().map(|it| it.get_name().to_owned()).collect();
        replace(&mut error, ContextKind::SuggestedSubcommand, &unknown, &names);
    }
    if let (Some(unknown), Some(ContextValue::Strings(valid))) =
        (text(&error, ContextKind::InvalidValue), error.get(ContextKind::ValidValue).cloned())
    {
        replace(&mut error, ContextKind::SuggestedValue, &unknown, &valid);
    }
    if let Some(ContextValue::StyledStrs(tips)) = error.remove(ContextKind::Suggested) {
        let kept: Vec<StyledStr> =
            tips.into_iter().filter(|tip| !tip.to_string().starts_with("to pass ")).collect();
        if !kept.is_empty() {
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(kept));
        }
    }
    error
}

/// Replaces a suggestion by one of the known words that is near or means the same.
fn replace(error: &mut Error, kind: ContextKind, unknown: &str, known: &[String]) {
    error.remove(kind);
    let word = unknown.split('=').next().unwrap_or_default();
    let synonym = SYNONYMS.iter().find(|(theirs, _)| *theirs == word).map(|(_, ours)| *ours);
    let is_known = |ours: &&str| known.iter().any(|known| Some(known.as_str()) == ours.split(' ').next());
    let near = || suggest(word, known.iter().map(String::as_str));
    if let Some(tip) = synonym.filter(is_known).map(str::to_owned).or_else(near) {
        error.insert(kind, ContextValue::String(tip));
    }
}

/// The command that the arguments name.
fn invoked<'a>(program: &'a Command, arguments: &[String]) -> &'a Command {
    arguments.iter().fold(program, |command, argument| command.find_subcommand(argument).unwrap_or(command))
}

fn flags(command: &Command) -> Vec<String> {
    let visible = command.get_arguments().filter(|argument| !argument.is_hide_set());
    visible.filter_map(|argument| argument.get_long()).map(|long| format!("--{long}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::parse::program;

    fn tip(arguments: &[&str]) -> String {
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        let whole = std::iter::once("promptgate".to_owned()).chain(arguments.iter().cloned());
        let error = program().try_get_matches_from(whole).unwrap_err();
        corrected(error, &program(), &arguments).render().to_string()
    }

    #[test]
    fn tips_name_what_is_alike() {
        for (arguments, expected) in [
            (&["run", "--only-fialed"][..], "'--only-failed'"),
            (&["run", "--json"], "'--format json'"),
            (&["run", "--lf"], "'--only-failed'"),
            (&["run", "--threshold=0.8"], "'--min'"),
            (&["run", "--repeat", "3"], "'--repeats'"),
            (&["eval"], "'run'"),
            (&["rnu"], "'run'"),
            (&["rollout", "strat"], "'start'"),
            (&["run", "--format", "mardown"], "'markdown'"),
        ] {
            let text = tip(arguments);
            assert!(text.contains("tip:") && text.contains(expected), "{arguments:?}: {text}");
        }
    }

    #[test]
    fn misleading_tips_are_left_out() {
        for arguments in [
            &["run", "--verbose"][..],
            &["run", "--model", "x"],
            &["ci", "--case", "a"],
            &["ci", "--only-failed"],
            &["deploy-it"],
            &["run", "--format", "xml"],
            &["run", "-x"],
        ] {
            let text = tip(arguments);
            assert!(!text.contains("tip:"), "{arguments:?}: {text}");
        }
    }
}
