use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::http::test_server::{Reaction, Server, response};
use promptgate_core::text::Secret;
use promptgate_testing::github::{GitHub, PullRequest, REPOSITORY};

async fn client(script: impl IntoIterator<Item = Reaction>) -> (Client, Server) {
    let server = Server::start(script).await;
    let api_url = format!("http://127.0.0.1:{}", server.port());
    (Client::new(&Settings { api_url, token: Secret::new("ghs_hush") }).unwrap(), server)
}

fn ok(body: &Value) -> Reaction {
    response(200, "", &body.to_string())
}

fn requested(server: &Server) -> Vec<String> {
    let target = |head: &str| head.split(' ').nth(1).unwrap_or_default().to_owned();
    server.received().iter().map(|received| target(&received.head)).collect()
}

fn pull_request(number: u64) -> Value {
    json!({
        "number": number, "merged_at": "2026-11-01T10:00:00Z", "user": {"login": "ann"}, "head": {"sha": "c0ffee"},
        "base": {"ref": "main", "repo": {"full_name": "Acme/Support", "default_branch": "main"}},
    })
}

#[tokio::test]
async fn only_pull_requests_merged_into_the_default_branch_are_found() {
    let with = |pointer: &str, value: Value| {
        let mut changed = pull_request(1);
        *changed.pointer_mut(pointer).unwrap() = value;
        changed
    };
    let all = json!([
        with("/merged_at", Value::Null),
        with("/base/ref", json!("release")),
        with("/base/repo/full_name", json!("mallory/support")),
        with("/base/repo/default_branch", Value::Null),
        with("/user", Value::Null),
        pull_request(9),
    ]);
    let (client, server) = client([ok(&all)]).await;
    let found = merged_pull_requests(&client, REPOSITORY, "abc").await.unwrap();
    let expected = |number, opened_by: Option<&str>| MergedPullRequest {
        number,
        head: "c0ffee".to_owned(),
        opened_by: opened_by.map(str::to_owned),
    };
    assert_eq!(found, [expected(1, None), expected(9, Some("ann"))]);
    assert_eq!(requested(&server), ["/repos/acme/support/commits/abc/pulls?per_page=100"]);
}

#[tokio::test]
async fn failed_reads_are_errors_with_the_next_step() {
    let limited = || response(403, "retry-after: 3600\r\n", r#"{"message": "rate limit"}"#);
    let cases = [
        (vec![response(401, "", "{}")], ApiErrorKind::Usage, "the token is not accepted"),
        (vec![response(403, "", "{}")], ApiErrorKind::Forbidden, "pull-requests: read"),
        (vec![response(404, "", "{}")], ApiErrorKind::Usage, "contents: read"),
        (vec![response(422, "", "{}")], ApiErrorKind::Usage, "actions: read"),
        (vec![limited()], ApiErrorKind::Unavailable, "rate limit"),
        (vec![ok(&json!({"message": "a page"}))], ApiErrorKind::Unavailable, "GITHUB_API_URL"),
    ];
    for (script, kind, help) in cases {
        let (client, _server) = client(script).await;
        let error = merged_pull_requests(&client, REPOSITORY, "abc").await.unwrap_err();
        assert_eq!(error.kind, kind, "{error:?}");
        assert!(error.help.as_deref().unwrap_or_default().contains(help), "{error:?}");
    }
    let mut broken = pull_request(1);
    broken["head"] = json!({});
    let (client, _server) = client([ok(&json!([broken]))]).await;
    assert!(merged_pull_requests(&client, REPOSITORY, "abc").await.is_err());
}

#[tokio::test]
async fn later_pages_withdraw_approvals_of_earlier_ones() {
    let github = GitHub::start(Path::new("."));
    let pull_request = PullRequest {
        number: 7,
        opened_by: "ann".to_owned(),
        base: String::new(),
        head: "c0ffee".to_owned(),
        merged_as: Vec::new(),
        merged_at: None,
        base_branch: "main",
    };
    github.add(pull_request);
    for (login, state) in [
        ("bob", "APPROVED"),
        ("cy", "APPROVED"),
        ("dan", "COMMENTED"),
        ("eve", "APPROVED"),
        ("BOB", "CHANGES_REQUESTED"),
    ] {
        github.review(7, login, state, "c0ffee");
    }
    let settings = Settings { api_url: github.api_url.clone(), token: Secret::new("ghs_hush") };
    let found = reviews(&Client::new(&settings).unwrap(), REPOSITORY, 7).await.unwrap();
    let approved: Vec<&str> = found
        .iter()
        .filter(|review| review.state == ReviewState::Approved)
        .map(|review| review.login.as_str())
        .collect();
    assert_eq!(approved, ["cy", "eve"]);
    assert_eq!(github.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn unresponsive_server_is_unavailable() {
    let (client, server) = client([Reaction::Hang, Reaction::Hang, Reaction::Hang, Reaction::Hang]).await;
    let error = reviews(&client, REPOSITORY, 7).await.unwrap_err();
    assert_eq!(error.kind, ApiErrorKind::Unavailable, "{error:?}");
    assert_eq!(server.received().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn server_errors_are_retried() {
    let failed = || response(502, "retry-after: 0\r\n", "{}");
    let (client, _server) = client([failed(), failed(), ok(&json!([]))]).await;
    assert_eq!(reviews(&client, REPOSITORY, 7).await.unwrap(), []);
    let (client, server) = self::client([failed(), failed(), failed(), failed(), ok(&json!([]))]).await;
    assert_eq!(reviews(&client, REPOSITORY, 7).await.unwrap_err().status, Some(502));
    assert_eq!(server.received().len(), 4);
    // A query is a POST, and changes nothing.
    let people = json!({"data": {"repository": {"object": {
        "oid": "abc", "authors": {"pageInfo": {"hasNextPage": false}, "nodes": []}, "committer": null,
    }}}});
    let (client, _server) = self::client([failed(), ok(&people)]).await;
    assert_eq!(people_of_commit(&client, REPOSITORY, "abc").await.unwrap().commit, "abc");
}

#[tokio::test]
async fn membership_that_cannot_be_read_is_not_one() {
    for (reaction, expected) in [
        (ok(&json!({"state": "active"})), Membership::Active),
        (ok(&json!({"state": "pending"})), Membership::Pending),
        (ok(&json!({})), Membership::Pending),
        (response(404, "", "{}"), Membership::Unknown(404)),
        (response(403, "", "{}"), Membership::Unknown(403)),
    ] {
        let (client, server) = client([reaction]).await;
        assert_eq!(team_membership(&client, "acme", "Owners", "Bob").await.unwrap(), expected);
        assert_eq!(requested(&server), ["/orgs/acme/teams/owners/memberships/Bob"]);
    }
    let (client, _server) = client([response(403, "retry-after: 3600\r\n", "{}")]).await;
    assert!(team_membership(&client, "acme", "owners", "bob").await.is_err(), "a rate limit says nothing");
}

fn commits(total: u64, next: Option<&str>, ids: &[&str]) -> Value {
    let commit = |id: &&str| {
        json!({"commit": {
            "oid": id,
            "authors": {"pageInfo": {"hasNextPage": false}, "nodes": [
                {"name": "Ann", "email": "ann@example.com", "user": {"login": "ann"}},
                {"name": "Co", "email": "co@example.com", "user": null},
            ]},
            "committer": {"name": "GitHub", "email": "noreply@github.com", "user": null},
        }})
    };
    let page = json!({"hasNextPage": next.is_some(), "endCursor": next});
    let nodes: Vec<Value> = ids.iter().map(commit).collect();
    json!({"data": {"repository": {"pullRequest": {"commits": {
        "totalCount": total, "pageInfo": page, "nodes": nodes,
    }}}}})
}

#[tokio::test]
async fn authors_are_those_of_all_commits_or_an_error() {
    let (client, server) = client([ok(&commits(2, Some("x"), &["1"])), ok(&commits(2, None, &["2"]))]).await;
    let people = pull_request_people(&client, REPOSITORY, 7).await.unwrap();
    assert_eq!(people.iter().map(|people| people.commit.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(people[0].authors[0].login.as_deref(), Some("ann"));
    assert_eq!(
        (people[0].authors[1].login.as_deref(), people[0].authors[1].email.as_str()),
        (None, "co@example.com")
    );
    assert_eq!(people[0].committer, None);
    let bodies: Vec<Value> =
        server.received().iter().map(|received| serde_json::from_slice(&received.body).unwrap()).collect();
    assert_eq!(
        bodies[1]["variables"],
        json!({"owner": "acme", "name": "support", "number": 7, "after": "x"})
    );

    let mut many = commits(1, None, &["1"]);
    *many
        .pointer_mut("/data/repository/pullRequest/commits/nodes/0/commit/authors/pageInfo/hasNextPage")
        .unwrap() = Value::Bool(true);
    for broken in [
        // GitHub lists the first commits alone.
        commits(3, None, &["1", "2"]),
        commits(2, Some(""), &["1"]),
        many,
        json!({"data": null, "errors": [{"message": "Could not resolve ghs_hush"}]}),
        json!({"data": {"repository": null}}),
        json!({}),
    ] {
        let (client, _server) = self::client([ok(&broken)]).await;
        let error = pull_request_people(&client, REPOSITORY, 7).await.unwrap_err();
        assert_eq!(error.kind, ApiErrorKind::Unavailable);
        assert!(!error.message.contains("hush"), "{}", error.message);
    }
}

#[tokio::test]
async fn only_regular_files_have_a_name_in_a_tree() {
    let tree = |entries: Value| ok(&json!({"tree": entries, "truncated": false}));
    let root = json!([
        {"path": "a", "mode": "040000", "sha": "t1"},
        {"path": "link.md", "mode": "120000", "sha": "b2"},
        {"path": "module", "mode": "160000", "sha": "c3"},
    ]);
    let folder = json!([{"path": "one.md", "mode": "100644", "sha": "b1"}, {"path": "run", "mode": "100755", "sha": "b4"}]);
    let paths = ["a/one.md", "a/run", "a", "a/none.md", "link.md", "module", "link.md/x", "b/one.md", ""];
    let paths = paths.map(str::to_owned);
    let (client, server) = client([tree(root), tree(folder)]).await;
    let names = blob_names(&client, REPOSITORY, "c0ffee", &paths).await.unwrap();
    let found: Vec<Option<&str>> = names.iter().map(Option::as_deref).collect();
    assert_eq!(found, [Some("b1"), Some("b4"), None, None, None, None, None, None, None]);
    let trees = ["/repos/acme/support/git/trees/c0ffee", "/repos/acme/support/git/trees/t1"];
    assert_eq!(requested(&server), trees);
    let (client, _server) = self::client([ok(&json!({"tree": [], "truncated": true}))]).await;
    assert!(blob_names(&client, REPOSITORY, "c0ffee", &paths).await.is_err());
}

#[tokio::test]
async fn deployment_reviews_name_environments() {
    let all = json!([
        {"state": "approved", "user": {"login": "bob"}, "environments": [{"name": "prompt-production"}, {"name": "x"}]},
        {"state": "rejected", "user": {"login": "cy"}, "environments": [{"name": "prompt-production"}]},
        {"state": "approved", "user": null, "environments": []},
    ]);
    let (client, server) = client([ok(&all)]).await;
    let found = deployment_reviews(&client, REPOSITORY, 17).await.unwrap();
    assert_eq!(found.len(), 2);
    assert!(
        found[0].is_approved && found[0].environments == ["prompt-production", "x"] && !found[1].is_approved
    );
    assert_eq!(requested(&server), ["/repos/acme/support/actions/runs/17/approvals?per_page=100"]);
}

#[tokio::test]
async fn permission_to_comment_is_found_without_a_comment() {
    let read = || ok(&json!([]));
    for (script, expected) in [
        (vec![read(), response(422, "", r#"{"message": "Validation Failed"}"#)], Permission::Write),
        (vec![read(), response(403, "", r#"{"message": "Resource not accessible"}"#)], Permission::Read),
        (vec![response(404, "", "{}")], Permission::Nothing),
        (vec![response(403, "", "{}")], Permission::Nothing),
    ] {
        let (client, server) = client(script).await;
        assert_eq!(comment_permission(&client, REPOSITORY, 7).await.unwrap(), expected);
        let bodies: Vec<String> = server
            .received()
            .iter()
            .skip(1)
            .map(|it| String::from_utf8_lossy(&it.body).into_owned())
            .collect();
        assert!(bodies.iter().all(|body| body == "{}"), "nothing to write is sent: {bodies:?}");
    }
    let (client, _server) = client([response(401, "", "{}")]).await;
    assert!(comment_permission(&client, REPOSITORY, 7).await.is_err());
}
