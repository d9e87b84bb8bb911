//! The help of the program: its commands in groups.

use std::fmt::Write as _;

use clap::Command;
use clap::builder::StyledStr;

/// The groups and their commands, in the order of the help. A group without commands is not shown.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Gate", &["run", "ci", "check", "dataset", "doctor", "plan", "merge", "calibrate"]),
    ("Reports", &["report", "case", "history", "compare", "comment", "explain"]),
    (
        "Registry",
        &[
            "publish",
            "approve",
            "promote",
            "rollback",
            "status",
            "log",
            "show",
            "diff",
            "get",
            "assign",
            "pull",
            "reconcile",
            "export",
            "serve",
        ],
    ),
    ("Rollout", &["rollout"]),
    ("Tools", &["init", "schema", "cache", "prices", "mock-server", "completions", "man"]),
];

/// The command, with a help text that shows its sub-commands in groups.
pub(super) fn grouped(command: Command) -> Command {
    let mut template = StyledStr::new();
    let header = command.get_styles().get_header();
    // Writing to text cannot fail.
    let _ = template.write_str("{about-with-newline}\n{usage-heading} {usage}\n\n");
    for (title, names) in GROUPS {
        let found = names.iter().filter_map(|name| command.find_subcommand(name)).cloned();
        let members: Vec<Command> =
            found.enumerate().map(|(index, member)| member.display_order(index)).collect();
        if members.is_empty() {
            continue;
        }
        let listed = listed(&command, members);
        let _ = write!(template, "{header}{title}:{header:#}\n{}\n\n", listed.trim_end());
    }
    let _ = write!(template, "{header}Options:{header:#}\n{{options}}{{after-help}}");
    command.after_help(examples(&EXAMPLES)).help_template(template)
}

/// The examples of the whole program.
const EXAMPLES: [Example; 3] = [
    ("promptgate run --offline", "try the suite on the simulated model"),
    ("promptgate run --only-failed", "rerun the failed cases"),
    ("promptgate case refund-002", "see why a case fails"),
];

/// The examples of single commands.
const EXAMPLES_OF: [(&str, [Example; 3]); 7] = [
    (
        "run",
        [
            ("promptgate run", "the suite of the nearest promptgate.yaml"),
            ("promptgate run --only-failed", "only the failed cases of the last run"),
            ("promptgate run --tag refunds --repeats 12", "one tag, more evidence, in one look"),
        ],
    ),
    (
        "ci",
        [
            ("promptgate ci --mode advisory", "report, but never fail the job"),
            ("promptgate ci --shard auto", "one shard in each parallel job"),
            ("promptgate ci --merge shards", "join the shards, and decide"),
        ],
    ),
    (
        "plan",
        [
            ("promptgate plan", "calls, cost and the smallest detectable drop"),
            ("promptgate plan --repeats 12", "with more repeats"),
            ("promptgate plan --format json | jq .", "for scripts"),
        ],
    ),
    (
        "calibrate",
        [
            ("promptgate calibrate labels.jsonl", "how often judge and people agree"),
            ("promptgate calibrate labels.jsonl --metric faithfulness", "one of several metrics"),
            ("promptgate calibrate labels.jsonl --offline", "try it without a key"),
        ],
    ),
    (
        "case",
        [
            ("promptgate case refund-002", "of the last run"),
            ("promptgate case refund-002 gate-report", "of the report in a folder"),
            ("promptgate case refund-002 --format json | jq .marks", "which repeats passed"),
        ],
    ),
    (
        "history",
        [
            ("promptgate history reports", "every report below a folder"),
            (
                "promptgate history reports --format html --out history.html",
                "a page with a plot for each metric",
            ),
            ("promptgate history reports --format json | jq .trends", "what drifted"),
        ],
    ),
    (
        "rollout",
        [
            ("promptgate rollout plan support/reply", "its duration, and what each step catches"),
            ("promptgate rollout start support/reply", "give the first share of the units"),
            ("promptgate rollout status support/reply", "where it is, and what it waits for"),
        ],
    ),
];

/// The command with its examples, if it has any.
pub(super) fn with_examples(command: Command) -> Command {
    match EXAMPLES_OF.iter().find(|(name, _)| *name == command.get_name()) {
        Some((_, of)) => command.after_help(examples(of)),
        None => command,
    }
}

/// A command line, and what it is for.
type Example = (&'static str, &'static str);

/// A section of examples below the options.
fn examples(examples: &[Example]) -> StyledStr {
    let header = clap::builder::Styles::styled();
    let header = header.get_header();
    let width = examples.iter().map(|(line, _)| line.chars().count()).max().unwrap_or_default();
    let mut text = StyledStr::new();
    // Writing to text cannot fail.
    let _ = write!(text, "{header}Examples:{header:#}");
    for (line, purpose) in examples {
        let _ = write!(text, "\n  {line:<width$}  {purpose}");
    }
    text
}

/// The lines of some sub-commands, wrapped as those of the whole program.
fn listed(program: &Command, members: Vec<Command>) -> String {
    let group = Command::new("promptgate")
        .disable_help_subcommand(true)
        .max_term_width(MAX_WIDTH)
        .styles(program.get_styles().clone())
        .help_template("{subcommands}")
        .subcommands(members);
    group.clone().render_help().ansi().to_string()
}

/// Maximum width of help texts in columns.
pub(super) const MAX_WIDTH: usize = 100;

#[cfg(test)]
mod tests {
    use super::super::Arguments;
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn every_command_is_in_one_group() {
        for command in Arguments::command().get_subcommands() {
            let name = command.get_name();
            let groups = GROUPS.iter().filter(|(_, names)| names.contains(&name)).count();
            assert_eq!(groups, 1, "{name}");
        }
    }

    #[test]
    fn arguments_have_unique_names() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn help_shows_groups_that_have_commands() {
        let help = grouped(Arguments::command()).render_long_help().to_string();
        let headings: Vec<&str> =
            help.lines().filter(|line| line.ends_with(':') && !line.starts_with(' ')).collect();
        let has_rollout = Arguments::command().find_subcommand("rollout").is_some();
        let expected = ["Gate:", "Reports:", "Registry:", "Rollout:", "Tools:", "Options:", "Examples:"];
        let expected: Vec<&str> =
            expected.into_iter().filter(|it| has_rollout || *it != "Rollout:").collect();
        assert_eq!(headings, expected, "{help}");
        for command in Arguments::command().get_subcommands() {
            let line = format!("  {} ", command.get_name());
            assert_eq!(help.lines().filter(|it| it.starts_with(&line)).count(), 1, "{line}");
        }
        assert!(help.lines().all(|line| line.chars().count() <= MAX_WIDTH), "{help}");
        let position = |name: &str| help.find(&format!("\n  {name} ")).unwrap();
        for (_, names) in GROUPS {
            let shown: Vec<&&str> =
                names.iter().filter(|name| Arguments::command().find_subcommand(name).is_some()).collect();
            assert!(shown.is_sorted_by_key(|name| position(name)), "{shown:?}");
        }
    }
}
