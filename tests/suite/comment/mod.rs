//! `promptgate comment` against a simulated GitHub API.

mod github;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::support::{Folder, Outcome, finish};
use github::{BOT, GitHub, Response, push};

/// A token that must not appear in any output.
const TOKEN: &str = "ghs_canaryN0tToBeSeen0123456789abcdef";
const MARKER: &str = "<!-- promptgate v1 key=default -->";

/// The files that `promptgate ci` writes.
fn left(verdict: &str, body: &str) -> Folder {
    let folder = Folder::new();
    let ci = json!({
        "schema": 1, "verdict": verdict, "exit_code": 10, "event": "pull_request", "pull_request": 7,
        "base": null, "head": null, "reason": null, "comment": "comment.md",
    });
    folder.write("report/ci.json", &ci.to_string());
    folder.write("report/comment.md", body);
    folder
}

fn comment(folder: &Folder, github: &GitHub, arguments: &[&str]) -> Outcome {
    comment_with(folder, github, arguments, &[])
}

fn comment_with(folder: &Folder, github: &GitHub, arguments: &[&str], variables: &[(&str, &str)]) -> Outcome {
    let mut command = folder.command(&[&["comment", "report"], arguments].concat());
    command.env("GITHUB_API_URL", &github.api_url).env("GITHUB_REPOSITORY", "acme/support");
    command.env("GITHUB_TOKEN", TOKEN).env("GITHUB_OUTPUT", folder.path().join("outputs"));
    command.env("GITHUB_ACTIONS", "true");
    command.envs(variables.iter().copied());
    let outcome = finish(command);
    assert!(!outcome.text().contains("canaryN0t"), "{}", outcome.text());
    outcome
}

#[test]
fn comment_is_created_then_updated() {
    let github = GitHub::start();
    let folder = left("fail", "### promptgate: ❌ fail: support\n\nIt fell.\n");
    comment(&folder, &github, &[]).expect_code(0).says("the comment was written");
    let body = format!("### promptgate: ❌ fail: support\n\nIt fell.\n\n{MARKER}");
    assert_eq!(github.bodies(), [body]);
    let url = "comment-url=https://github.com/acme/support/pull/7#issuecomment-1000\n";
    assert_eq!(folder.read("outputs"), url);

    comment(&folder, &github, &[]).expect_code(0).says("the comment is up to date");
    folder.write("report/comment.md", "### promptgate: ✅ pass: support\n");
    comment(&folder, &github, &[]).expect_code(0).says("the comment was updated");
    assert_eq!(github.bodies(), [format!("### promptgate: ✅ pass: support\n\n{MARKER}")]);
    assert_eq!(folder.read("outputs"), url.repeat(3));
    for request in github.requests() {
        assert!(request.head.contains(&format!("authorization: bearer {}", TOKEN.to_lowercase())));
    }
    assert_eq!(github.asked().iter().filter(|asked| asked.starts_with("PATCH")).count(), 1);
}

#[test]
fn only_own_marked_comment_is_updated() {
    let github = GitHub::start();
    let foreign = [
        github.add("mallory", "User", &format!("not yours\n{MARKER}")),
        // No app can have this name, but nothing is taken for granted.
        github.add(BOT, "User", &format!("nor this\n{MARKER}")),
        github.add("other[bot]", "Bot", &format!("nor that\n{MARKER}")),
        github.add(BOT, "Bot", &format!("another action quotes {MARKER}\nand goes on")),
        github.add(BOT, "Bot", &format!("> {MARKER}")),
        github.add(BOT, "Bot", "<!-- promptgate v1 key=other -->"),
    ];
    let before: Vec<String> = foreign.iter().map(|id| github.body(*id)).collect();
    for number in 0..243 {
        github.add("somebody", "User", &format!("comment {number}"));
    }
    let folder = left("fail", "one");
    comment(&folder, &github, &[]).expect_code(0).says("the comment was written");
    let ours = github.bodies().len() as u64 + 999;
    assert_eq!(github.body(ours), format!("one\n\n{MARKER}"));
    github.add("somebody", "User", "later");

    folder.write("report/comment.md", "two");
    comment(&folder, &github, &[]).expect_code(0).says("the comment was updated");
    assert_eq!(github.body(ours), format!("two\n\n{MARKER}"));
    let after: Vec<String> = foreign.iter().map(|id| github.body(*id)).collect();
    assert_eq!(before, after);
    assert_eq!(github.bodies().len(), foreign.len() + 243 + 2);
    // Windows has line ends of its own, and so has what GitHub gives back of them.
    let lines = github.add(BOT, "Bot", "old\r\n\r\n<!-- promptgate v1 key=lines -->\r\n");
    comment(&folder, &github, &["--key", "lines"]).expect_code(0).says("the comment was updated");
    assert!(github.body(lines).starts_with("two\n"));
}

#[test]
fn personal_token_has_its_own_comment() {
    let github = GitHub::with_faults(|_, request, _| {
        (request.path == "/user").then(|| Response::new(200, json!({"login": "Alice", "type": "User"})))
    });
    let bots = github.add(BOT, "Bot", &format!("the workflow's\n{MARKER}"));
    let hers = github.add("alice", "User", &format!("hers\n{MARKER}"));
    comment(&left("fail", "new"), &github, &[]).expect_code(0).says("the comment was updated");
    assert!(github.body(hers).starts_with("new") && github.body(bots).starts_with("the workflow's"));
}

#[test]
fn app_login_comes_from_graphql_else_the_workflow() {
    for (status, login) in [(200, "gatekeeper[bot]"), (404, BOT)] {
        let github = GitHub::with_faults(move |_, request, _| {
            let body = json!({"data": {"viewer": {"login": login}}});
            (request.path == "/graphql").then(|| Response::new(status, body))
        });
        let ours = github.add(login, "Bot", &format!("old\n{MARKER}"));
        comment(&left("fail", "new"), &github, &[]).expect_code(0).says("the comment was updated");
        assert!(github.body(ours).starts_with("new"), "{login}");
    }
}

#[test]
fn read_only_token_warns() {
    let github = GitHub::with_faults(|_, request, _| {
        let refused = json!({"message": format!("Resource not accessible by integration\n::error::{TOKEN}")});
        (request.method == "POST" && request.path.ends_with("/comments")).then(|| Response::new(403, refused))
    });
    let folder = left("fail", "text");
    let outcome = comment(&folder, &github, &[]).expect_code(0).says("pull-requests: write");
    assert!(
        outcome.stdout.starts_with("::warning title=promptgate::the comment was not written"),
        "{}",
        outcome.stdout
    );
    assert_eq!(outcome.stdout.lines().count(), 1);
    for line in outcome.stderr.lines() {
        assert!(line.starts_with("warning: "), "{line}");
    }
    assert!(!folder.path().join("outputs").exists());
}

#[test]
fn invalid_settings_name_the_next_step() {
    for (status, said, words) in [
        (401, json!({"message": "Bad credentials"}), "the token is not accepted"),
        (404, json!({"message": "Not Found"}), "check GITHUB_REPOSITORY"),
        (
            422,
            json!({"message": "Validation Failed", "errors": [{"message": "body is too long"}]}),
            "Validation Failed; body is too long",
        ),
    ] {
        let github = GitHub::with_faults(move |_, request, _| {
            (request.method == "POST" && request.path != "/graphql")
                .then(|| Response::new(status, said.clone()))
        });
        comment(&left("fail", "text"), &github, &[])
            .expect_code(2)
            .says(words)
            .says("the comment was not written");
        let posts = github
            .asked()
            .iter()
            .filter(|asked| asked.ends_with("/comments") && asked.starts_with("POST"))
            .count();
        assert_eq!(posts, 1, "{status} does not get better");
    }
}

#[test]
fn oversized_comment_is_not_sent() {
    let github = GitHub::start();
    comment(&left("fail", &"é".repeat(65_600)), &github, &[]).expect_code(2).says("GitHub takes 65536");
    comment(&left("fail", &"e".repeat(65_400)), &github, &[]).expect_code(0);
    assert_eq!(github.bodies().len(), 1);
}

#[test]
fn server_error_is_retried() {
    for status in [500, 502, 503, 429] {
        // Every kind of request fails once.
        let seen = Mutex::new(BTreeSet::new());
        let github = GitHub::with_faults(move |_, request, _| {
            let first = seen.lock().expect("no panic").insert(request.method.clone() + &request.path);
            let refused = || Response::new(status, json!({"message": "later"})).with("retry-after", "0");
            first.then(refused)
        });
        comment(&left("fail", "one"), &github, &[]).expect_code(0).says("the comment was written");
        comment(&left("fail", "two"), &github, &[]).expect_code(0).says("the comment was updated");
        assert_eq!(github.bodies(), [format!("two\n\n{MARKER}")], "{status}");
    }
}

#[test]
fn post_without_a_response_is_not_repeated() {
    let github = GitHub::with_faults(|_, request, comments| {
        (request.method == "POST" && request.path.ends_with("/comments")).then(|| {
            push(comments, BOT, "Bot", &format!("text\n\n{MARKER}"));
            Response::new(502, json!(null)).with("retry-after", "0")
        })
    });
    comment(&left("fail", "text"), &github, &[]).expect_code(0);
    assert_eq!(github.bodies().len(), 1);
}

#[test]
fn rate_limited_token_waits_or_gives_up() {
    let once = AtomicUsize::new(0);
    let limited = || Response::new(403, json!({"message": "You have exceeded a secondary rate limit"}));
    let github = GitHub::with_faults(move |_, request, _| {
        let first = request.method == "POST"
            && request.path.ends_with("/comments")
            && once.fetch_add(1, Ordering::SeqCst) == 0;
        first.then(|| limited().with("retry-after", "0"))
    });
    comment(&left("fail", "text"), &github, &[]).expect_code(0).says("the comment was written");

    // An hour is more than a job should wait.
    let github = GitHub::with_faults(move |_, request, _| {
        request.path.ends_with("/comments").then(|| limited().with("retry-after", "3600"))
    });
    comment(&left("fail", "text"), &github, &[]).expect_code(12).says("run the step again later");
    let github =
        GitHub::with_faults(|_, _, _| Some(Response::new(500, json!(null)).with("retry-after", "0")));
    comment(&left("fail", "text"), &github, &[]).expect_code(12).says("500");
    assert_eq!(github.requests().len(), 4);
}

#[test]
fn token_stays_within_its_origin() {
    let other = GitHub::start();
    let (list, next) =
        (format!("{}/elsewhere", other.api_url), format!("<{}/page2>; rel=\"next\"", other.api_url));
    let redirecting = GitHub::with_faults(move |_, request, _| {
        let to = || Response::new(307, json!(null)).with("location", list.clone());
        request.path.contains("/comments").then(to)
    });
    let outcome = comment(&left("fail", "text"), &redirecting, &[]).expect_code(12);
    assert!(
        outcome.stderr.contains("redirected to http://") && outcome.stderr.contains("was not sent there")
    );
    let paging = GitHub::with_faults(move |_, request, _| {
        let page = || Response::new(200, json!([])).with("link", next.clone());
        (request.method == "GET" && request.path.contains("/comments")).then(page)
    });
    comment(&left("fail", "text"), &paging, &[]).expect_code(12).says("points to another address");
    assert!(paging.bodies().is_empty(), "the list was not read to its end");
    assert!(other.requests().is_empty(), "{:?}", other.requests());
}

#[test]
fn renamed_repository_is_found() {
    let github = GitHub::with_faults(|_, request, _| {
        let new = request.path.replace("/repos/acme/old/", "/repos/acme/support/");
        (new != request.path).then(|| Response::new(307, json!({"message": "Moved"})).with("location", new))
    });
    let variables = [("GITHUB_REPOSITORY", "acme/old")];
    comment_with(&left("fail", "text"), &github, &[], &variables)
        .expect_code(0)
        .says("the comment was written");
    assert_eq!(github.bodies().len(), 1);
    let circle = GitHub::with_faults(|_, request, _| {
        Some(Response::new(302, json!(null)).with("location", request.path.clone()))
    });
    comment(&left("fail", "text"), &circle, &[]).expect_code(12).says("redirected too often");
}

#[test]
fn unchanged_result_writes_no_new_comment() {
    let cases = [
        ("always", "unchanged", true),
        ("changes", "unchanged", false),
        ("changes", "pass", true),
        ("changes", "not_evaluated", true),
        ("failures", "pass", false),
        ("failures", "unchanged", false),
        ("failures", "inconclusive", true),
        ("failures", "error", true),
        ("never", "fail", false),
    ];
    for (when, verdict, written) in cases {
        let github = GitHub::start();
        let folder = left(verdict, "text");
        comment(&folder, &github, &["--when", when]).expect_code(0);
        assert_eq!(github.bodies().len(), usize::from(written), "{when} {verdict}");
        if when == "never" {
            assert!(github.requests().is_empty());
            continue;
        }
        // An outdated comment must not stay.
        let github = GitHub::start();
        github.add(BOT, "Bot", &format!("old\n{MARKER}"));
        comment_with(&folder, &github, &[], &[("PROMPTGATE_COMMENT", when)]).expect_code(0);
        assert_eq!(github.bodies(), [format!("text\n\n{MARKER}")], "{when} {verdict}");
    }
}

#[test]
fn several_gates_have_a_comment_each() {
    let github = GitHub::start();
    let folder = left("fail", "text");
    comment(&folder, &github, &["--key", "search"]).expect_code(0);
    comment_with(&folder, &github, &[], &[("PROMPTGATE_COMMENT_KEY", "support_2")]).expect_code(0);
    comment_with(&folder, &github, &[], &[("PROMPTGATE_COMMENT_KEY", ""), ("PROMPTGATE_COMMENT", "")])
        .expect_code(0);
    let ends: Vec<String> =
        github.bodies().iter().map(|body| body.lines().last().unwrap_or_default().to_owned()).collect();
    let marker = |key: &str| format!("<!-- promptgate v1 key={key} -->");
    assert_eq!(ends, [marker("search"), marker("support_2"), marker("default")]);
    let long = "x".repeat(41);
    for key in ["", "a b", "a-->", "ä", &long] {
        comment(&folder, &github, &["--key", key]).expect_code(2).says("not a valid key");
    }
}

#[test]
fn no_pull_request_no_comment() {
    let folder = Folder::new();
    for event in ["merge_group", "push", "schedule", "::error::x\n##[error]y"] {
        let ci = json!({
            "schema": 1, "verdict": "fail", "exit_code": 10, "event": event, "pull_request": null,
            "comment": "comment.md",
        });
        folder.write("report/ci.json", &ci.to_string());
        let github = GitHub::start();
        let outcome = comment(&folder, &github, &[]).expect_code(0).says("has no pull request");
        assert!(github.requests().is_empty());
        assert!(!outcome.text().contains("##[") && outcome.stderr.lines().count() == 1, "{}", outcome.stderr);
    }
}

#[test]
fn missing_gate_output_is_named() {
    let github = GitHub::start();
    let folder = Folder::new();
    comment(&folder, &github, &[]).expect_code(2).says("wrote no report");
    for (ci, words) in [
        (
            json!({"schema": 2, "verdict": "fail", "event": "x", "pull_request": 7, "comment": "comment.md"}),
            "schema 2",
        ),
        (
            json!({"schema": 1, "verdict": "great", "event": "x", "pull_request": 7, "comment": "comment.md"}),
            "great",
        ),
        (
            json!({"schema": 1, "verdict": "fail", "event": "x", "pull_request": -7, "comment": "comment.md"}),
            "-7",
        ),
        (
            json!({"schema": 1, "verdict": "fail", "event": "x", "pull_request": 7, "comment": "../secret"}),
            "not the name",
        ),
        (
            json!({"schema": 1, "verdict": "fail", "event": "x", "pull_request": 7, "comment": "missing.md"}),
            "missing.md",
        ),
    ] {
        folder.write("report/ci.json", &ci.to_string());
        comment(&folder, &github, &[]).expect_code(2).says(words);
    }
    assert!(github.requests().is_empty());
}

#[cfg(unix)]
#[test]
fn linked_comment_file_is_refused() {
    let github = GitHub::start();
    let folder = left("fail", "text");
    folder.write("secret", "hush");
    std::fs::remove_file(folder.path().join("report/comment.md")).expect("removed");
    std::os::unix::fs::symlink("../secret", folder.path().join("report/comment.md")).expect("a link");
    comment(&folder, &github, &[]).expect_code(2).says("this is a symbolic link");
    assert!(github.requests().is_empty());
}

#[test]
fn missing_environment_is_named() {
    let github = GitHub::start();
    let folder = left("fail", "text");
    for (name, value, words) in [
        ("GITHUB_TOKEN", "", "no token is set"),
        ("GITHUB_REPOSITORY", "acme", "not a valid repository name"),
        ("GITHUB_REPOSITORY", "acme/../x", "not a valid repository name"),
        ("GITHUB_REPOSITORY", "acme/..", "not a valid repository name"),
        ("GITHUB_API_URL", "http://github.example", "without encryption"),
        ("GITHUB_API_URL", "nowhere", "not a valid URL"),
        ("PROMPTGATE_COMMENT", "sometimes", "always, changes, failures, never"),
    ] {
        comment_with(&folder, &github, &[], &[(name, value)]).expect_code(2).says(words);
    }
    assert!(github.requests().is_empty());
    // The own variable comes first, and a token in the text is in no comment.
    let folder = left("fail", &format!("see {TOKEN}"));
    let variables = [("PROMPTGATE_GITHUB_TOKEN", TOKEN), ("GITHUB_TOKEN", "ghs_another0123456789")];
    comment_with(&folder, &github, &[], &variables).expect_code(0);
    assert!(github.requests().iter().all(|request| request.head.contains("bearer ghs_canary")));
    assert!(github.bodies()[0].starts_with("see [redacted]"));
}

#[test]
fn uploaded_report_is_linked_below_the_heading() {
    let github = GitHub::start();
    let folder = left("fail", "### promptgate: ❌ fail: support\n\nIt fell.\n");
    let url = "https://github.com/acme/support/actions/runs/42/artifacts/7";
    comment(&folder, &github, &["--report-url", url]).expect_code(0);
    let linked =
        format!("### promptgate: ❌ fail: support\n\n[Open the report]({url})\n\nIt fell.\n\n{MARKER}");
    assert_eq!(github.bodies(), [linked]);
    comment_with(&folder, &github, &[], &[("PROMPTGATE_REPORT_URL", url)]).expect_code(0).says("up to date");
    // Not an artifact of this repository, so not a link.
    for other in [
        "https://example.org/acme/support/actions/runs/42/artifacts/7",
        "https://github.com/acme/other/actions/runs/42/artifacts/7",
        "https://github.com/acme/support/actions/runs/42/artifacts/7)[x](https://example.org",
        "https://github.com/acme/support/actions/runs/42/artifacts/",
        "https://github.com/acme/support/actions/runs/../artifacts/7",
        "javascript:alert(1)",
        "7",
    ] {
        comment(&folder, &github, &["--report-url", other]).expect_code(0).says("no link to the report");
        assert_eq!(
            github.bodies(),
            [format!("### promptgate: ❌ fail: support\n\nIt fell.\n\n{MARKER}")],
            "{other}"
        );
    }
    let variables =
        [("PROMPTGATE_REPORT_URL", "https://git.example/acme/support/actions/runs/1/artifacts/2")];
    let variables = [&variables[..], &[("GITHUB_SERVER_URL", "https://git.example/")]].concat();
    comment_with(&folder, &github, &[], &variables).expect_code(0);
    assert!(github.bodies()[0].contains("(https://git.example/acme/"), "{:?}", github.bodies());
}
