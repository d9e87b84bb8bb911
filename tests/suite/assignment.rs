//! The assignment of units: the snippets of examples/assignment against the vectors and against the executable.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::served::Released;
use crate::support::{Folder, finish, repository};

const EXAMPLE: &str = "examples/assignment";
const VECTORS: &str = "tests/fixtures/oracles/assignment.json";
const SALT: &str = "support/reply:r-20261120-1";

/// The files of the example and the vectors, in a folder of their own: some tools write beside what they read.
fn example() -> Folder {
    let folder = Folder::new();
    let root = repository();
    for entry in std::fs::read_dir(root.join(EXAMPLE)).expect("the example") {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        let text = std::fs::read_to_string(root.join(EXAMPLE).join(&name)).expect("a text");
        folder.write(&format!("{EXAMPLE}/{name}"), &text);
    }
    folder.write(VECTORS, &std::fs::read_to_string(root.join(VECTORS)).expect("the vectors"));
    folder
}

/// A command in the folder of the example; `None` with a message where the tool is not installed.
fn tool(folder: &Folder, name: &str, version: &str, arguments: &[&str]) -> Option<Command> {
    let mut probe = Command::new(name);
    probe.arg(version).stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
    if !probe.status().is_ok_and(|status| status.success()) {
        // Go and .NET are not among the tools that all checks need.
        let is_required = ["python3", "node"].contains(&name)
            && std::env::var("PROMPTGATE_REQUIRE_ALL").as_deref() == Ok("1");
        assert!(!is_required, "{name} not found");
        let message = format!("skipped {EXAMPLE} with {name}: it is not installed\n");
        let _ = std::io::stderr().write_all(message.as_bytes());
        return None;
    }
    let mut command = Command::new(name);
    command.args(arguments).current_dir(folder.path().join(EXAMPLE));
    Some(command)
}

#[test]
fn snippets_agree_with_the_vectors() {
    let folder = example();
    let vectors = format!("../../{VECTORS}");
    for (name, version, arguments, said) in [
        ("python3", "--version", &["vectors.py", &vectors][..], "122 vectors agree"),
        ("node", "--version", &["vectors.mjs", &vectors], "122 vectors agree"),
        ("go", "version", &["test", "./..."], "ok"),
        ("dotnet", "--version", &["run"], "122 vectors agree"),
    ] {
        let Some(mut command) = tool(&folder, name, version, arguments) else { continue };
        command
            .env("GOCACHE", folder.path().join("go-cache"))
            .env("GOTOOLCHAIN", "local")
            .env("GOFLAGS", "-mod=mod");
        finish(command).expect_code(0).says(said);
    }
}

#[test]
fn snippets_that_are_wrong_do_not_agree() {
    let folder = example();
    for (name, script, file, from, to) in [
        (
            "python3",
            "vectors.py",
            "assign.py",
            "utf-16-le\", \"surrogatepass",
            "utf-16-be\", \"surrogatepass",
        ),
        ("node", "vectors.mjs", "assign.ts", "% 10_000", "% 10_001"),
    ] {
        folder.edit(&format!("{EXAMPLE}/{file}"), from, to);
        let vectors = format!("../../{VECTORS}");
        let Some(command) = tool(&folder, name, "--version", &[script, &vectors]) else { continue };
        assert_ne!(finish(command).code, 0, "{file} is wrong");
    }
}

/// An application that reads only releases.json gives every unit the version that the command does.
#[test]
fn snippet_over_releases_json_agrees_with_the_command() {
    let released = Released::new();
    released.begin_rollout(SALT, &[2_500]);
    let releases = released.folder.read("ledger/releases.json");
    let folder = example();
    folder.write(&format!("{EXAMPLE}/releases.json"), &releases);
    let script = "import json, sys\nfrom assign import version\n\
                  entry = json.load(open('releases.json'))['prompts']['support/reply']\n\
                  print(json.dumps([version(entry, unit) for unit in sys.argv[1:]]))\n";
    folder.write(&format!("{EXAMPLE}/application.py"), script);
    let units = ["alice@example.com", "user-1", "ünï-码", "🙂", "", "two words"];
    let arguments = [&["application.py"][..], &units].concat();
    let Some(command) = tool(&folder, "python3", "--version", &arguments) else { return };
    let found: Vec<String> =
        serde_json::from_str(finish(command).expect_code(0).stdout.trim()).expect("a list of versions");
    for (unit, found) in units.iter().zip(&found) {
        let arguments = ["assign", "support/reply", "--unit", unit, "--format", "json"];
        let assigned: Value =
            serde_json::from_str(&released.folder.promptgate(&arguments).expect_code(0).stdout)
                .expect("JSON");
        assert_eq!(assigned["version"], found.as_str(), "{unit}");
    }
    assert!(found.contains(&"2.3.1".to_owned()) && found.contains(&"2.4.0".to_owned()), "{found:?}");
}
