//! Output for a developer at a terminal, and not for a pipe; help and tips.

use crate::support::Folder;

const WORSE: [&str; 6] = [
    "run",
    "--offline",
    "--candidate",
    "file:prompts/quiet-regression.md",
    "--baseline",
    "file:prompts/baseline.md",
];

#[test]
fn answers_are_for_developers_or_by_a_flag() {
    let folder = Folder::golden();
    let piped = folder.promptgate(&WORSE).expect_code(10).stdout;
    assert!(!piped.contains("  question  "), "{piped}");
    let shown = folder.promptgate(&[&WORSE[..], &["--answers"]].concat()).expect_code(10).stdout;
    assert_eq!(shown.matches("  question  ").count(), 3, "{shown}");
    let report = ["report", "promptgate-report/report.json"];
    let plain = folder.promptgate(&report).expect_code(0).stdout;
    let with_answers = folder.promptgate(&[&report[..], &["--answers"]].concat()).expect_code(0).stdout;
    assert!(!plain.contains("  question  ") && with_answers.contains("  question  "), "{with_answers}");
}

/// A terminal by util-linux's script(1); the output, or `None` where it is not installed.
#[cfg(target_os = "linux")]
fn at_terminal(folder: &Folder, variables: &[(&str, &str)], arguments: &[&str]) -> Option<String> {
    use std::process::Command;
    let line = format!("stty cols 80 rows 40; {} {}", env!("CARGO_BIN_EXE_promptgate"), arguments.join(" "));
    let mut command = Command::new("script");
    command
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .current_dir(folder.path())
        .env_clear();
    command.env("PATH", std::env::var_os("PATH")?).env("HOME", folder.path()).env("TERM", "xterm");
    command.envs(variables.iter().copied()).stdin(std::process::Stdio::null());
    match command.output() {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n")),
        Err(error) => {
            let required = std::env::var("PROMPTGATE_REQUIRE_ALL").as_deref() == Ok("1");
            assert!(!required, "script: {error}");
            // Written directly: the test harness hides the output of passing tests.
            let _ = std::io::Write::write_all(&mut std::io::stderr(), b"skipped: script is not installed\n");
            None
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn terminal_shows_answers_unless_a_ci_system_runs_or_quiet() {
    let folder = Folder::golden();
    let Some(shown) = at_terminal(&folder, &[], &WORSE) else { return };
    assert_eq!(shown.matches("question  ").count(), 3, "{shown}");
    assert!(shown.contains("\u{1b}[31m"), "colors: {shown}");
    let opening: Vec<&str> = shown.lines().take(2).collect();
    assert!(opening[0].starts_with("requesting 360 answers to 60 cases"), "{opening:?}");
    assert!(
        opening[1].ends_with("Ctrl-C writes a report") && opening[1].chars().count() <= 80,
        "{opening:?}"
    );
    let plain = at_terminal(&folder, &[("NO_COLOR", "1")], &["report", "promptgate-report/report.json"])
        .expect("script");
    assert!(plain.contains("question  ") && !plain.contains("\u{1b}[3"), "{plain}");
    assert!(plain.contains("[-") && plain.contains("{+"), "{plain}");
    assert!(plain.lines().all(|line| line.chars().count() <= 80), "{plain}");
    let ci = at_terminal(&folder, &[("CI", "true")], &["report", "promptgate-report/report.json"])
        .expect("script");
    assert!(!ci.contains("question  "), "{ci}");
    let quiet = at_terminal(&folder, &[], &[&WORSE[..], &["-q"]].concat()).expect("script");
    assert!(!quiet.contains("question  ") && !quiet.contains("warning") && quiet.contains("FAIL"), "{quiet}");
}

#[test]
fn quiet_silences_warnings_and_keeps_errors() {
    let folder = Folder::small(3);
    folder.edit("promptgate.yaml", "  - length: {min_chars: 1}\n", "  - regex: \".*\"\n");
    let outcome = folder.promptgate(&["run", "--offline", "-q"]).expect_code(0);
    assert!(!outcome.text().contains("warning"), "{}", outcome.text());
    assert!(folder.report()["warnings"].to_string().contains("matches every"));
    for arguments in [&["--format", "json"][..], &["--shard", "1/1"]] {
        let outcome = folder.promptgate(&[&["run", "--offline", "-q"], arguments].concat()).expect_code(0);
        assert_eq!(outcome.stderr, "", "{arguments:?}");
    }
    folder.edit("promptgate.yaml", "model: tiny\n", "modle: tiny\n");
    folder.promptgate(&["run", "--offline", "-q"]).expect_code(2).says("unknown key `modle`");
}

#[test]
fn metrics_without_noise_share_a_warning() {
    let folder = Folder::small(20);
    let text = folder.promptgate(&["run", "--offline"]).expect_code(0).stdout;
    assert_eq!(text.matches("did not vary").count(), 1, "{text}");
    assert!(text.contains("faithfulness and relevance did not vary"), "{text}");
}

#[test]
fn run_that_is_all_cached_says_so() {
    let folder = Folder::small(2);
    let server = crate::support::MockServer::start(&[]);
    let first = folder.against(&server.base_url, &["run", "--repeats", "2"]);
    assert!(!first.stderr.contains("everything came from the cache"), "{}", first.stderr);
    let second = folder.against(&server.base_url, &["run", "--repeats", "2"]);
    assert!(second.stderr.contains("everything came from the cache: no call was made"), "{}", second.stderr);
}

#[test]
fn help_has_groups_and_examples() {
    let folder = Folder::new();
    for (command, headings) in [
        (&["run", "--help"][..], &["Suite:", "Calls:", "Cache:", "Report:", "Telemetry:"][..]),
        (&["ci", "--help"], &["Suite:", "Calls:", "Cache:", "Report:", "Gate:", "Telemetry:"]),
        (&["calibrate", "--help"], &["Labels:", "Calls:", "Cache:", "Report:"]),
        (&["rollout", "--help"], &["Commands:"]),
        (&["--help"], &["Gate:", "Reports:", "Registry:", "Rollout:", "Tools:"]),
    ] {
        let help = folder.promptgate(command).expect_code(0).stdout;
        for heading in headings {
            assert_eq!(
                help.lines().filter(|line| line == heading).count(),
                1,
                "{heading} in {command:?}:\n{help}"
            );
        }
        let examples =
            help.split("Examples:\n").nth(1).unwrap_or_else(|| panic!("no examples in {command:?}"));
        assert_eq!(
            examples.lines().filter(|line| line.starts_with("  promptgate ")).count(),
            3,
            "{examples}"
        );
    }
    let help = folder.promptgate(&["run", "--help"]).expect_code(0).stdout;
    let section =
        |name: &str| help.split(name).nth(1).and_then(|rest| rest.split("\n\n\n").next()).unwrap_or_default();
    let calls = section("\nCalls:\n").split("\nCache:\n").next().unwrap_or_default();
    assert!(
        calls.contains("--offline") && calls.contains("--budget-usd") && !calls.contains("--tag"),
        "{calls}"
    );
}

#[test]
fn examples_of_the_help_are_valid_commands() {
    let folder = Folder::new();
    for command in ["run", "ci", "plan", "calibrate", "case", "history", "rollout"] {
        let help = folder.promptgate(&[command, "--help"]).expect_code(0).stdout;
        let examples = help.split("Examples:\n").nth(1).expect("examples");
        for line in examples.lines().filter_map(|line| line.strip_prefix("  promptgate ")) {
            let line = line.split("  ").next().unwrap_or_default().split(" | ").next().unwrap_or_default();
            let arguments: Vec<&str> = line.split(' ').collect();
            let outcome = folder.promptgate(&arguments);
            // There is nothing to run here, but every flag exists.
            assert!(!outcome.stderr.contains("Usage:"), "promptgate {line}:\n{}", outcome.stderr);
        }
    }
}

#[test]
fn tips_are_about_what_exists() {
    let folder = Folder::new();
    let tip = |arguments: &[&str]| folder.promptgate(arguments).expect_code(2).stderr;
    assert!(tip(&["run", "--only-fialed"]).contains("'--only-failed'"));
    assert!(tip(&["run", "--json"]).contains("'--format json'"));
    for arguments in [&["run", "--verbose"][..], &["deploy-it"], &["run", "--format", "xml"]] {
        let text = tip(arguments);
        assert!(!text.contains("tip:"), "{text}");
    }
}
