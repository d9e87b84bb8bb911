use serde_json::json;

use super::super::approval_world::{CONFIG, PROMPT, World};
use super::*;

fn digest() -> Digest {
    format!("sha256:{}", "a".repeat(64)).parse().unwrap()
}

async fn collect_from(
    world: &World,
    since: Option<&str>,
    commit: &str,
    approvers: &[&str],
    environment: &Environment,
) -> CollectedApprovals {
    let repository = world.repository();
    let paths = [PROMPT.to_owned(), CONFIG.to_owned()];
    let approvers: Vec<String> = approvers.iter().map(|approver| (*approver).to_owned()).collect();
    let change = ChangeOptions { repository: &repository, commit, since, paths: &paths };
    let options = CollectOptions { change, digest: &digest(), approvers: &approvers };
    collect(&options, &world.identity(environment), environment).await.unwrap()
}

async fn collected(world: &World, commit: &str, approvers: &[&str]) -> CollectedApprovals {
    collect_from(world, None, commit, approvers, &world.environment("push", "ann", &[])).await
}

fn logins(collected: &CollectedApprovals) -> Vec<&str> {
    collected.approvals.iter().map(|approval| approval.login.as_str()).collect()
}

#[track_caller]
fn reason<'a>(collected: &'a CollectedApprovals, login: &str) -> &'a str {
    let found = collected.rejected.iter().find(|rejected| rejected.login == login);
    &found.unwrap_or_else(|| panic!("{login} is not rejected: {collected:?}")).reason
}

#[tokio::test]
async fn reviews_of_the_last_head_by_approvers_count() {
    let world = World::new();
    let base = world.head();
    world.git(&["checkout", "--quiet", "-b", "change"]);
    let early = world.commit("ann", PROMPT, "second");
    let head = world.commit("hal", PROMPT, "third\n\nCo-authored-by: Cy Co <cy@example.com>");
    world.git(&["checkout", "--quiet", "main"]);
    // Other files of the main branch moved on.
    world.commit("owner", "other.txt", "two");
    let merged = world.merge_as(7, "ann", PROMPT, "third\n\nCo-authored-by: Cy Co <cy@example.com>");
    world.add(7, "opener", &base, &head, &merged);
    for (login, state, commit) in [
        ("Bob", "APPROVED", &head),
        ("ann", "APPROVED", &head),
        ("CY", "APPROVED", &head),
        ("hal", "APPROVED", &head),
        ("opener", "APPROVED", &head),
        ("early", "APPROVED", &early),
        ("changed", "APPROVED", &head),
        ("dismissed", "APPROVED", &head),
        ("Changed", "CHANGES_REQUESTED", &head),
        ("dismissed", "DISMISSED", &head),
        ("bob", "COMMENTED", &early),
        ("mallory", "APPROVED", &head),
        ("frank", "APPROVED", &head),
        ("grace", "APPROVED", &head),
        ("silent", "COMMENTED", &head),
    ] {
        world.github.review(7, login, state, commit);
    }
    world.github.member("acme/prompt-owners", "frank", "active");
    world.github.member("acme/prompt-owners", "grace", "pending");
    let approvers =
        ["bob", "ann", "cy", "hal", "opener", "early", "changed", "dismissed", "@acme/Prompt-Owners"];
    let found = collected(&world, &merged, &approvers).await;
    assert_eq!(logins(&found), ["Bob", "frank"], "{found:?}");
    assert!(found.approvals.iter().all(|approval| approval.digest == digest()));
    assert_eq!(found.approvals[1].teams, ["@acme/Prompt-Owners"]);
    assert_eq!(found.approvals[0].source, ApprovalSource::Review);
    assert_eq!(found.pull_request, Some(7));
    assert_eq!(found.authors, ["ann", "cy", "hal", "opener"]);
    for author in ["ann", "CY", "hal", "opener"] {
        assert_eq!(reason(&found, author), "an author of the change");
    }
    assert!(reason(&found, "early").contains("not of the last head"));
    assert!(reason(&found, "Changed").contains("requests changes"));
    assert!(reason(&found, "dismissed").contains("dismissed"));
    assert!(reason(&found, "mallory").starts_with("not in `approvers`; GitHub answers 404"));
    assert!(reason(&found, "grace").contains("has not joined"));
    assert_eq!(found.rejected.len(), 9);
    assert_eq!(found.warnings, Vec::<String>::new());
    let requests = world.github.requests();
    assert!(requests.iter().any(|request| request.contains("reviews?page=8")), "{requests:?}");
}

#[tokio::test]
async fn approval_is_for_the_bytes_that_were_reviewed() {
    for path in [PROMPT, CONFIG] {
        let world = World::new();
        let (head, _) = world.squash(7, "ann", PROMPT, "second");
        world.github.review(7, "bob", "APPROVED", &head);
        // The merged bytes differ from the reviewed ones by one.
        let text = std::fs::read_to_string(world.path().join(path)).unwrap();
        world.write(path, &format!("{text} "));
        world.git(&["commit", "--quiet", "--all", "--amend", "--no-edit"]);
        let merged = world.head();
        let base = world.git(&["rev-parse", "HEAD~1"]);
        world.add(7, "ann", &base, &head, &merged);
        world.github.review(7, "bob", "APPROVED", &head);
        let found = collected(&world, &merged, &["bob"]).await;
        assert_eq!(logins(&found), Vec::<&str>::new());
        let expected = format!("{path} differs between the reviewed head and the published commit");
        assert_eq!(reason(&found, "bob"), expected);
    }
}

#[tokio::test]
async fn authors_of_unpublished_changes_in_between_may_not_approve() {
    let world = World::new();
    let published = world.head();
    world.squash(7, "ann", PROMPT, "second");
    let (head, merged) = world.squash(8, "dan", PROMPT, "third");
    world.github.review(8, "ann", "APPROVED", &head);
    world.github.review(8, "bob", "APPROVED", &head);
    let environment = world.environment("push", "dan", &[]);
    let found = collect_from(&world, Some(&published), &merged, &["ann", "bob"], &environment).await;
    assert_eq!(found.authors, ["ann", "dan"]);
    assert_eq!((logins(&found), found.pull_request), (vec!["bob"], Some(8)));
    assert_eq!(reason(&found, "ann"), "an author of the change");
    // As a first version, only the last change is its own.
    assert_eq!(collected(&world, &merged, &["ann", "bob"]).await.authors, ["dan"]);
}

#[tokio::test]
async fn direct_push_has_authors_and_no_approval() {
    let world = World::new();
    let pushed = world.commit("ann", PROMPT, "second");
    let found = collected(&world, &pushed, &["ann", "bob"]).await;
    assert_eq!(found.authors, ["ann"]);
    assert_eq!((found.pull_request, found.approvals.len(), found.warnings.len()), (None, 0, 0));
}

#[tokio::test]
async fn whatever_github_cannot_answer_is_no_approval() {
    let places = [
        "/graphql",
        "/pulls",
        "/pulls/7/reviews",
        "/git/trees/",
        "/memberships/",
        "/actions/runs/17/approvals",
    ];
    for place in places {
        let statuses: &[u16] = match place {
            "/pulls/7/reviews" | "/memberships/" => &[500, 403, 404, 401, 429],
            _ => &[500, 403],
        };
        for status in statuses.iter().copied() {
            let world = World::new();
            let (head, merged) = world.squash(7, "ann", PROMPT, "second");
            world.github.review(7, "bob", "APPROVED", &head);
            world.github.review(7, "tom", "APPROVED", &head);
            world.github.member("acme/owners", "tom", "active");
            let end = if place.ends_with('/') { "" } else { "?" };
            let part = format!("{place}{end}");
            world.github.set_fault(move |request| {
                let is_place = format!("{request}?").contains(&part);
                let headers = if status == 429 { "retry-after: 3600\r\n" } else { "retry-after: 0\r\n" };
                // A 403 with Retry-After is a rate limit.
                let headers = if status == 403 { "" } else { headers };
                is_place.then(|| (status, json!({"message": "no"}), headers.to_owned()))
            });
            let found = collected(&world, &merged, &["bob", "@acme/owners"]).await;
            if place == "/memberships/" && matches!(status, 403 | 404) {
                // Not being able to read a team is said of the one who may be in it.
                assert_eq!((logins(&found), found.pull_request), (vec!["bob"], Some(7)));
                assert!(reason(&found, "tom").contains(&format!("GitHub answers {status}")));
                continue;
            }
            assert_eq!(logins(&found), Vec::<&str>::new(), "{place} {status}");
            assert_eq!(found.pull_request, None, "{place} {status}");
            assert!(found.authors.contains(&"ann <ann@example.com>".to_owned()));
            assert!(found.warnings[0].starts_with("no approvals were collected: "), "{:?}", found.warnings);
        }
    }
}

#[tokio::test]
async fn missing_token_or_history_is_no_approval() {
    let world = World::new();
    let (head, merged) = world.squash(7, "ann", PROMPT, "second");
    world.github.review(7, "bob", "APPROVED", &head);
    for (name, words) in
        [("GITHUB_TOKEN", "no token is set"), ("GITHUB_REPOSITORY", "not a valid repository name")]
    {
        let environment = world.environment("push", "ann", &[(name, "")]);
        let found = collect_from(&world, None, &merged, &["bob"], &environment).await;
        assert_eq!((found.approvals.len(), found.pull_request), (0, None));
        assert!(found.warnings[0].contains(words), "{:?}", found.warnings);
    }
    let clone = tempfile::tempdir().unwrap();
    let url = format!("file://{}", world.path().display());
    world.git(&["clone", "--quiet", "--depth=1", &url, &clone.path().display().to_string()]);
    let repository = promptgate_adapters::git::Repository::discover(clone.path()).unwrap();
    let paths = [PROMPT.to_owned()];
    let change = ChangeOptions { repository: &repository, commit: &merged, since: None, paths: &paths };
    let options = CollectOptions { change, digest: &digest(), approvers: &["bob".to_owned()] };
    let environment = world.environment("push", "ann", &[]);
    let found = collect(&options, &world.identity(&environment), &environment).await.unwrap();
    assert!(found.warnings[0].contains("fetch-depth: 0"), "{:?}", found.warnings);
    assert_eq!((found.approvals.len(), found.authors), (0, vec!["ann <ann@example.com>".to_owned()]));
    assert_eq!(world.github.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn outside_github_authors_come_from_git() {
    let world = World::new();
    world.write(PROMPT, "second");
    world.git(&[
        "commit",
        "--quiet",
        "--all",
        "--author",
        "Ann <1+ann@users.noreply.github.com>",
        "-m",
        "second\n\nCo-authored-by: Cy <cy@example.com>",
    ]);
    let environment = Environment::of([("USER".to_owned(), "dan".to_owned())]);
    let found = collect_from(&world, None, &world.head(), &["bob"], &environment).await;
    let authors =
        ["ann", "Ann <1+ann@users.noreply.github.com>", "Cy <cy@example.com>", "owner <owner@example.com>"];
    assert_eq!(found.authors, authors);
    assert_eq!((found.approvals.len(), found.warnings.len()), (0, 0));
    assert_eq!(world.github.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn required_reviewers_of_this_run_count_for_its_commit() {
    let world = World::new();
    let (_, merged) = world.squash(7, "ann", PROMPT, "second");
    for (login, environment, state) in [
        ("bob", "prompt-production", "approved"),
        ("ann", "prompt-production", "approved"),
        ("mallory", "prompt-production", "approved"),
        ("cy", "preview", "approved"),
        ("dan", "prompt-production", "approved"),
        ("Dan", "prompt-production", "rejected"),
    ] {
        world.github.deployment(login, environment, state);
    }
    let approvers = ["bob", "ann", "cy", "dan"];
    let found = collected(&world, &merged, &approvers).await;
    assert_eq!(logins(&found), ["bob"]);
    assert_eq!(found.approvals[0].source, ApprovalSource::Environment);
    assert_eq!(reason(&found, "ann"), "an author of the change");
    assert_eq!(reason(&found, "dan"), "the deployment was rejected");
    assert!(reason(&found, "mallory").starts_with("not in `approvers`"));
    // A run of another commit, and a job of a pull request, decide nothing.
    let other = world.environment("push", "ann", &[("GITHUB_SHA", &"1".repeat(40))]);
    assert_eq!(logins(&collect_from(&world, None, &merged, &approvers, &other).await), Vec::<&str>::new());
    let change = world.environment("pull_request", "ann", &[]);
    assert_eq!(logins(&collect_from(&world, None, &merged, &approvers, &change).await), Vec::<&str>::new());
}
