//! `promptgate serve` over a ledger in a folder.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use promptgate_core::model::MessageRole;

use crate::served::{LEDGER, Released, Serving};
use crate::support::{Folder, finish};

/// Asks until the response is the expected one: the server reads the ledger at its own pace.
#[track_caller]
fn until(
    serving: &Serving,
    path: &str,
    is_expected: impl Fn(u16, &serde_json::Value) -> bool,
) -> serde_json::Value {
    for _ in 0..2000 {
        let (status, body) = serving.get(path);
        if is_expected(status, &body) {
            return body;
        }
        std::thread::yield_now();
    }
    panic!("{path}: {:?}", serving.get(path));
}

/// Ends a server with a signal; returns its exit code and its standard error.
fn end(serving: &mut Serving, signal: &str) -> (Option<i32>, String) {
    let status = Command::new("kill").args([signal, &serving.child.id().to_string()]).status().expect("kill");
    assert!(status.success());
    let mut text = String::new();
    serving.child.stderr.take().expect("its output").read_to_string(&mut text).expect("text");
    (serving.child.wait().expect("an end").code(), text)
}

#[test]
fn serve_reads_both_routes_and_ends_on_a_signal() {
    let released = Released::new();
    for signal in ["-TERM", "-INT"] {
        let mut serving = released.serve(&[], &[]);
        let (status, body) = serving.get("/v1/prompts/support/reply");
        assert_eq!((status, &body["version"], &body["variant"]), (200, &"2.3.1".into(), &"control".into()));
        let (status, body) = serving.get("/api/public/v2/prompts/support%2Freply?label=staging");
        assert_eq!((status, &body["version"]), (200, &2.into()));
        assert_eq!(body["config"]["promptgate"]["version"], "2.4.0");
        let (head, _) = serving.send("/v1/prompts/triage", "");
        let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a tag").to_owned();
        let (head, body) = serving.send("/v1/prompts/triage", &format!("if-none-match: {tag}\r\n"));
        assert!(head.starts_with("HTTP/1.1 304 ") && body.is_empty(), "{head}");
        let (code, stderr) = end(&mut serving, signal);
        assert_eq!(code, Some(0), "{stderr}");
        assert!(stderr.contains("serves 2 prompts of"), "{stderr}");
    }
}

/// The handlers are there before the address is printed. Standard error is full at first, so that the signal finds the
/// server between the two.
#[test]
fn signal_right_after_the_address_ends_servers_in_order() {
    let released = Released::new();
    let mock_server = || {
        let mut command = released.folder.command(&[]);
        command.args(["mock-server", "--listen", "127.0.0.1:0"]);
        command
    };
    let serve = || released.command(&[]);
    let servers: [(&dyn Fn() -> Command, &str); 2] =
        [(&serve, "serves 2 prompts of"), (&mock_server, "served 0 requests")];
    for (command, said) in servers {
        for signal in ["-TERM", "-INT"] {
            let (mut reader, mut writer) = std::io::pipe().expect("a pipe");
            let mut command = command();
            command.stdout(Stdio::piped()).stderr(writer.try_clone().expect("a pipe"));
            let filling = std::thread::spawn(move || writer.write_all(&[b'\n'; 1 << 20]));
            let mut child = command.spawn().expect("the server starts");
            drop(command);
            let mut line = String::new();
            let stdout = child.stdout.take().expect("its output");
            BufReader::new(stdout).read_line(&mut line).expect("its first line");
            assert!(line.starts_with("http://127.0.0.1:"), "{line}");
            let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
            assert!(sent.success());
            let mut text = String::new();
            reader.read_to_string(&mut text).expect("text");
            filling.join().expect("a thread").expect("a pipe");
            assert_eq!(child.wait().expect("an end").code(), Some(0), "{signal}");
            assert!(text.contains(said), "{signal}: {}", text.trim());
        }
    }
}

#[test]
fn rollout_by_another_process_is_followed() {
    let released = Released::new();
    let serving = released.serve(&["--refresh", "1ms"], &[]);
    let alice = "/v1/prompts/support/reply?unit=alice%40example.com";
    assert_eq!(serving.get(alice).1["version"], "2.3.1");
    released.begin_rollout("support/reply:r-20261120-1", &[2_500]);
    let treated = until(&serving, alice, |_, body| body["variant"] == "treatment");
    assert_eq!(treated["version"], "2.4.0");
    let (head, body) = serving.send("/v1/prompts/support/reply?unit=user-1", "");
    assert!(head.contains("promptgate-variant: control\r\npromptgate-rollout: 1/1"), "{head}");
    assert!(body.contains("\"version\":\"2.3.1\""), "{body}");
    assert_eq!(serving.get("/v1/releases").1["prompts"]["support/reply"]["basis_points"], 2_500);
}

#[test]
fn promotion_by_another_process_is_followed() {
    let released = Released::new();
    let serving = released.serve(&["--refresh", "1ms"], &[]);
    let path = "/v1/prompts/support/reply";
    released.set_label("support/reply", "production", "2.4.0");
    until(&serving, path, |_, body| body["version"] == "2.4.0");
    released.publish("support/reply", "3.0.0", &[(MessageRole::System, "New.".to_owned())]);
    let body = until(&serving, "/v1/prompts/support/reply?ref=3.0.0", |status, _| status == 200);
    assert_eq!(body["messages"][0]["content"], "New.");
    // Back again.
    released.set_label("support/reply", "production", "2.3.1");
    until(&serving, path, |_, body| body["version"] == "2.3.1");
}

#[test]
fn mutated_version_is_an_error_and_the_verified_one_is_kept() {
    let released = Released::new();
    let mut serving = released.serve(&["--refresh", "1ms"], &[]);
    let path = "/v1/prompts/support/reply";
    let (_, before) = serving.get(path);
    let file = format!("{LEDGER}/versions/support/reply/2.3.1.json");
    released.folder.edit(&file, "agent", "enemy");
    let health = until(&serving, "/healthz", |_, health| health["status"] == "degraded");
    assert_eq!(health["problems"][0]["subject"], "support/reply@2.3.1");
    assert_eq!(serving.get(path), (200, before));
    let (_, stderr) = end(&mut serving, "-TERM");
    assert_eq!(stderr.matches("warning: support/reply@2.3.1: ").count(), 1, "{stderr}");

    // Without a verified copy there is nothing to serve.
    let serving = released.serve(&[], &[]);
    let (status, body) = serving.get(path);
    assert_eq!((status, &body["error"]), (500, &"damaged".into()));
    assert!(!body.to_string().contains("enemy"));
    assert_eq!(serving.get("/v1/prompts/support/reply?ref=staging").0, 200);
    assert_eq!(serving.get("/api/public/v2/prompts/support%2Freply").0, 500);
}

#[test]
fn removed_ledger_is_served_from_memory() {
    let released = Released::new();
    let mut serving = released.serve(&["--refresh", "1ms"], &[]);
    std::fs::remove_dir_all(released.folder.path().join(LEDGER)).expect("a folder");
    until(&serving, "/healthz", |_, health| health["status"] == "degraded");
    assert_eq!(serving.get("/v1/prompts/support/reply").1["version"], "2.3.1");
    let (code, stderr) = end(&mut serving, "-TERM");
    assert_eq!(code, Some(0));
    assert!(stderr.contains("the last good state is served"), "{stderr}");
}

#[test]
fn token_protects_prompts_on_every_address() {
    let released = Released::new();
    let token = "sk-lf-local-0123456789";
    let mut serving =
        released.serve(&["--listen", "0.0.0.0:0", "--token-env", "SERVE_TOKEN"], &[("SERVE_TOKEN", token)]);
    serving.address = serving.address.replace("0.0.0.0", "127.0.0.1");
    let (status, body) = serving.get("/v1/prompts/triage");
    assert_eq!((status, &body["error"]), (401, &"unauthorized".into()));
    let (head, _) = serving.send("/v1/prompts/triage", &format!("authorization: Bearer {token}\r\n"));
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert_eq!(serving.get("/healthz").1, serde_json::json!({"status": "ok"}));
    let (_, stderr) = end(&mut serving, "-TERM");
    assert!(!stderr.contains(token), "{stderr}");
}

#[test]
fn invalid_options_are_refused() {
    let released = Released::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    for (arguments, words) in [
        (&["--listen", "0.0.0.0:0"][..], "0.0.0.0:0 is not a loopback address"),
        (&["--listen", "[::]:0"], "[::]:0 is not a loopback address"),
        (&["--listen", "[::ffff:10.0.0.1]:0"], "is not a loopback address"),
        (&["--token-env", "UNSET"], "the environment variable UNSET is not set or empty"),
        (&["--token-env", "BLANK"], "the environment variable BLANK is not set or empty"),
        (&["--token-env", "SPACED"], "the token in SPACED must have visible ASCII characters only"),
        (&["--refresh", "0s"], "`--refresh` must be more than 0"),
        (&["--refresh", "soon"], "expected a time such as"),
        (&["--listen", "localhost"], "invalid value 'localhost'"),
        (&["--listen", &address], "cannot listen on"),
    ] {
        let mut command = released.command(arguments);
        command.env("BLANK", " ").env("SPACED", "a b-0123456789");
        let outcome = finish(command).expect_code(2).says(words);
        assert!(!outcome.stderr.contains("a b-0123456789"), "{}", outcome.stderr);
    }
}

#[test]
fn configuration_without_release_is_refused() {
    let folder = Folder::small(1);
    folder.promptgate(&["serve", "--listen", "127.0.0.1:0"]).expect_code(2).says("release");
}
