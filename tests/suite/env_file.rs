//! `--env-file`: variables for one process, from a file that the command line names.

use crate::support::{Folder, KEY, MockServer, finish};

fn suite(variables: &str) -> Folder {
    let folder = Folder::small(1).without_self_test();
    folder.write("keys.env", variables);
    folder
}

#[test]
fn key_comes_from_the_file_and_is_redacted() {
    let server = MockServer::start(&["--require-key", KEY]);
    let folder = suite(&format!("OPENAI_API_KEY={KEY}\nOPENAI_BASE_URL={}\n", server.base_url));
    let outcome = folder.promptgate(&["run", "--env-file", "keys.env"]).expect_code(0);
    assert!(!outcome.text().contains(KEY), "{}", outcome.text());
    // The text of a server that repeats the key.
    let other = MockServer::start(&["--require-key", "another"]);
    let folder = suite(&format!("export OPENAI_API_KEY='{KEY}'\nOPENAI_BASE_URL={}\n", other.base_url));
    let outcome = folder.promptgate(&["--env-file", "keys.env", "run", "--no-cache"]).expect_code(12);
    assert!(!outcome.text().contains(KEY), "{}", outcome.text());
}

#[test]
fn variables_that_are_set_keep_their_value() {
    let server = MockServer::start(&["--require-key", KEY]);
    let folder = suite("OPENAI_API_KEY=wrong-key-of-the-file\nOPENAI_BASE_URL=http://127.0.0.1:9/v1\n");
    folder.against(&server.base_url, &["run", "--env-file", "keys.env"]).expect_code(0);
}

#[test]
fn malformed_line_is_an_error_with_its_number_and_without_its_text() {
    for (text, line) in [("A=1\nsk-hush-0123456789\n", 2), ("OPENAI_API_KEY='sk-hush-0123456789\n", 1)] {
        let outcome = suite(text).promptgate(&["check", "--env-file", "keys.env"]).expect_code(2);
        assert!(!outcome.text().contains("hush"), "{}", outcome.text());
        outcome.says(&format!("keys.env:{line}")).says("expected NAME=VALUE");
    }
    Folder::small(1).promptgate(&["check", "--env-file", "none.env"]).expect_code(2).says("none.env");
    let flag = suite("PROMPTGATE_OFFLINE=true\n").promptgate(&["run", "--env-file", "keys.env"]);
    flag.expect_code(2).says("PROMPTGATE_OFFLINE sets a flag").says("keys.env:1");
}

#[test]
fn ci_refuses_a_file_that_the_change_could_bring() {
    let folder = suite("OPENAI_BASE_URL=http://127.0.0.1:9/v1\n");
    folder.git(&["init", "-q"]);
    folder.git(&["add", "."]);
    folder.git(&["commit", "-qm", "one"]);
    let outcome = folder.promptgate(&["ci", "--env-file", "keys.env"]).expect_code(2);
    outcome.says("this file of variables is part of the repository");
    // Outside CI it is the user's own.
    folder.promptgate(&["check", "--env-file", "keys.env"]).expect_code(0);
    #[cfg(unix)]
    {
        let other = Folder::new();
        other.write("hidden.env", "OPENAI_BASE_URL=http://127.0.0.1:9/v1\n");
        std::os::unix::fs::symlink(other.path().join("hidden.env"), folder.path().join("link.env")).unwrap();
        std::os::unix::fs::symlink(other.path(), folder.path().join("linked")).unwrap();
        for path in ["link.env", "linked/hidden.env"] {
            folder
                .promptgate(&["ci", "--env-file", path])
                .expect_code(2)
                .says("through a link of the repository");
        }
    }
    // A file that a step of the workflow wrote.
    folder.write("written.env", "OPENAI_API_KEY=sk-0123456789abcdef\n");
    let mut command = folder.command(&["ci", "--env-file", "written.env", "--offline"]);
    command.env("GITHUB_ACTIONS", "false");
    let outcome = finish(command);
    assert!(!outcome.text().contains("written.env"), "{}", outcome.text());
}
