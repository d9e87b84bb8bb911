//! `promptgate init` without `--from` and `--release`: looks around, asks, writes, and prints what to do next.

use std::io::{self, IsTerminal as _};
use std::path::Path;

use super::questions::Questions;
use super::{files, imported, suite_commands};
use crate::app::Failure;
use crate::app::init::{
    self, Choice, FoundPrompt, PreparedSuite, Request, Survey, Written, choose, look_around, quoted,
};
use crate::cli::args::InitArguments;
use crate::cli::output;
use promptgate_core::model::Diagnostic;
use promptgate_core::text::neutral;

/// Files of one kind that are listed by name.
const LISTED: usize = 6;
/// Commands that are listed.
const COMMANDS: usize = 20;
const WIDTH: usize = 80;

/// The text for standard output.
pub(super) fn around(arguments: &InitArguments, folder: &str) -> Result<String, Failure> {
    let mut request = arguments.request();
    let survey = look_around(&request.folder);
    let asks = !arguments.yes && io::stdin().is_terminal() && io::stderr().is_terminal();
    let mut choice = choose(&survey, &request)?;
    if asks {
        let mut questions = Questions { input: io::stdin().lock(), output: io::stderr().lock() };
        if matches!(choice, Choice::Open) {
            request.prompts = questions.which(&survey)?;
            request.prompts = from_here(&request.folder, &request.prompts);
            choice = choose(&survey, &request)?;
        }
        if !matches!(choice, Choice::Open) {
            output::print(&found(&survey, &choice))?;
        }
        questions.complete(&survey, &choice, &mut request)?;
    }
    if matches!(choice, Choice::Open) {
        return Err(open(&survey, &request, folder)?);
    }
    let prepared = init::prepare(&survey, &choice, &request)?;
    let written = init::write(&survey, prepared, &request)?;
    // On a terminal, the findings came before the questions.
    let findings = if asks { String::new() } else { found(&survey, &choice) };
    Ok(described(findings, &survey, &choice, &request, &written, folder))
}

/// Paths of the folder as the user would type them here.
fn from_here(folder: &Path, paths: &[String]) -> Vec<String> {
    let typed = |path: &String| match (path.as_str(), folder == Path::new(".")) {
        ("all", _) | (_, true) => path.clone(),
        (path, false) => folder.join(path).display().to_string(),
    };
    paths.iter().map(typed).collect()
}

/// Prints the commands, one of which has to be chosen.
fn open(survey: &Survey, request: &Request, folder: &str) -> Result<Failure, Failure> {
    let typed = |path: &String| from_here(&request.folder, std::slice::from_ref(path)).concat();
    let prompts = survey.prompts.iter().map(|prompt| ("--prompt", &prompt.path));
    let sources = survey.sources.iter().map(|(path, _)| ("--from", path));
    let commands: Vec<String> = prompts
        .chain(sources)
        .map(|(flag, path)| line("  ", &format!("promptgate init{folder} {flag} {}", quoted(&typed(path)))))
        .collect();
    let count = commands.len();
    let mut text = format!("found {count} prompts; run one of these:\n\n");
    text.extend(commands.into_iter().take(COMMANDS));
    if count > COMMANDS {
        text.push_str(&format!("  … and {} more\n", count - COMMANDS));
    }
    if survey.prompts.len() > 1 {
        text.push_str(&format!("  promptgate init{folder} --prompt all   # a suite for each prompt\n"));
    }
    output::print(&format!("{text}\n{}", notes(survey)))?;
    let help = "name one with --prompt, or all: the commands are above";
    Ok(Diagnostic::new("there are several prompts; nothing was written").help(help).into())
}

fn described(
    mut text: String,
    survey: &Survey,
    choice: &Choice,
    request: &Request,
    written: &Written,
    folder: &str,
) -> String {
    if !text.is_empty() {
        text.push('\n');
    }
    if let Some(import) = &written.imported {
        text.push_str(&imported(import, &pipeline_files(written, import.written.len()), folder));
    } else {
        for suite in &written.suites {
            text.push_str(&about(suite));
        }
        for line in &written.rejected {
            text.push_str(&wrapped("note: ", line));
        }
        if !written.suites.is_empty() {
            text.push('\n');
        }
        text.push_str(&files(&written.written, &written.kept));
        text.push_str(&added(written));
        if matches!(choice, Choice::Existing) && written.steps.is_empty() {
            text.push_str("\nthe workflow is there already: nothing is left to do\n");
            return text;
        }
        text.push_str("\nnext:\n");
        text.push_str(&edits(written));
        if !matches!(choice, Choice::Existing) {
            text.push_str(&commands(written, folder));
        }
    }
    let steps: String = written.steps.iter().map(|step| line("  ", step)).collect();
    text.push_str(&steps);
    if steps.is_empty()
        && request.ci.is_none()
        && survey.repository.root.is_some()
        && !written.suites.is_empty()
    {
        let has_file = !written.kept.is_empty();
        if !has_file {
            text.push_str(&format!(
                "  promptgate init{folder} --ci github   # or gitlab, …: adds the workflow\n"
            ));
        }
    }
    text
}

/// Findings that the choice makes use of.
fn found(survey: &Survey, choice: &Choice) -> String {
    let mut text = String::new();
    let chosen: Vec<&FoundPrompt> = match choice {
        Choice::Prompts(prompts) => prompts.iter().collect(),
        Choice::Starter | Choice::Import(..) | Choice::Existing | Choice::Open => Vec::new(),
    };
    for prompt in chosen.iter().take(LISTED) {
        let names: Vec<String> = prompt.placeholders.iter().map(|name| format!("{{{{{name}}}}}")).collect();
        let names = if names.is_empty() { "no placeholders".to_owned() } else { names.join(" ") };
        text.push_str(&line("", &format!("found prompt {} ({names})", prompt.path)));
    }
    if chosen.len() > LISTED {
        text.push_str(&format!("found {} more prompts\n", chosen.len() - LISTED));
    }
    if let Choice::Import(path, kind) = choice {
        text.push_str(&line("", &format!("found {path}, {kind}: importing it, as with --from")));
    }
    if matches!(choice, Choice::Starter) {
        let hint = "no prompt was found, so this is a starter suite; `--prompt FILE` names one";
        text.push_str(&wrapped("note: ", hint));
    }
    if let Some(remote) = &survey.repository.remote {
        text.push_str(&line("", &format!("found git remote {remote}")));
    }
    for (system, trace) in &survey.repository.ci {
        text.push_str(&line("", &format!("found CI system {} ({trace})", system.name())));
    }
    for path in survey.suites.iter().filter(|_| !matches!(choice, Choice::Existing)).take(LISTED) {
        text.push_str(&line("", &format!("found suite {path}, which stays as it is")));
    }
    text + &notes(survey)
}

fn notes(survey: &Survey) -> String {
    survey.notes.iter().take(LISTED).map(|note| wrapped("note: ", note)).collect()
}

/// The lines about a suite.
fn about(suite: &PreparedSuite) -> String {
    let PreparedSuite { name, prompt, dataset, cases, is_draft, fields, task, single_braces, .. } = suite;
    let mut text = line("", &format!("suite {name}: {prompt}"));
    let drafts = if *is_draft { "no dataset fits: " } else { "" };
    let kind = match (*is_draft, *cases) {
        (true, _) => "draft cases",
        (false, 1) => "case",
        (false, _) => "cases",
    };
    text.push_str(&wrapped("  ", &format!("{drafts}{cases} {kind} in {dataset}")));
    if !fields.is_empty() && !is_draft {
        let pairs: Vec<String> = fields.iter().map(|(field, column)| format!("{column} ▸ {field}")).collect();
        text.push_str(&wrapped("  ", &format!("columns {}", pairs.join(", "))));
    }
    if !suite.unused.is_empty() {
        text.push_str(&wrapped("  ", &format!("not used: {}", suite.unused.join(", "))));
    }
    if suite.is_constant {
        text.push_str(&wrapped(
            "  ",
            "no column is the question: the user message is the same for all cases, and `user:` has it",
        ));
    }
    text.push_str(&wrapped("  ", &format!("task {}: {}", task.0.name(), task.1)));
    if let Some((number, first)) = single_braces.first() {
        let names: Vec<String> = single_braces.iter().map(|(_, name)| format!("{{{{{name}}}}}")).collect();
        text.push_str(&wrapped(
            "  ",
            &format!(
                "{prompt}:{number}: {{{first}}} in single braces is sent as it is; to insert values write {}",
                names.join(", ")
            ),
        ));
    }
    text
}

fn added(written: &Written) -> String {
    let added = written.added.as_ref();
    added
        .map(|(path, lines)| format!("added to {}: {}\n", path.display(), lines.join(", ")))
        .unwrap_or_default()
}

fn pipeline_files(written: &Written, imported: usize) -> String {
    let paths = written.written.get(imported..).unwrap_or_default();
    format!("{}{}", files(paths, &written.kept), added(written))
}

/// Edits that are needed before a run means something.
fn edits(written: &Written) -> String {
    let drafts: Vec<&PreparedSuite> = written.suites.iter().filter(|suite| suite.is_draft).collect();
    match drafts.as_slice() {
        [] => String::new(),
        [one] => line("  ", &format!("replace the drafts in {} with real inputs", one.dataset)),
        several => format!("  replace the drafts of {} suites with real inputs\n", several.len()),
    }
}

fn commands(written: &Written, folder: &str) -> String {
    let mut keys: Vec<&str> = written.suites.iter().flat_map(|suite| suite.keys.clone()).collect();
    keys.sort_unstable();
    keys.dedup();
    let key = if keys.is_empty() { "OPENAI_API_KEY".to_owned() } else { keys.join(" and ") };
    let mut text = suite_commands(folder, &key);
    let cannot =
        |suite: &&PreparedSuite| ["classify", "extract"].contains(&suite.task.0.name()) && !suite.is_draft;
    if written.suites.iter().any(|suite| cannot(&suite)) {
        text.push_str("  the simulated model cannot classify or extract: expect FAIL with --offline\n");
    }
    text
}

/// A line that names files and commands: not wrapped, so that it can be copied.
fn line(indent: &str, text: &str) -> String {
    format!("{indent}{}\n", neutral::source_line(text))
}

/// Prose, wrapped at 80 columns.
fn wrapped(indent: &str, text: &str) -> String {
    let text = neutral::source_line(text);
    let (mut lines, mut current) = (Vec::new(), String::new());
    for word in text.split(' ') {
        let used = indent.chars().count() + current.chars().count() + 1 + word.chars().count();
        if !current.is_empty() && used > WIDTH {
            lines.push(std::mem::take(&mut current));
        }
        if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(word);
    }
    lines.push(current);
    let pad = " ".repeat(if indent.trim().is_empty() { indent.len() + 2 } else { indent.len() });
    let mut lines = lines.into_iter();
    let first = format!("{indent}{}\n", lines.next().unwrap_or_default());
    lines.fold(first, |text, line| format!("{text}{pad}{line}\n"))
}
