use tempfile::TempDir;

use super::fixture::Fixture;
use super::*;

fn no_variables(_: &str) -> Option<String> {
    None
}

fn repository(fixture: &Fixture) -> Repository {
    Repository::discover(&fixture.path()).unwrap()
}

fn out_of_reach(reason: GitError) -> String {
    match reason {
        GitError::Unreadable(diagnostic) => diagnostic.to_string(),
        other => panic!("not out of reach: {other:?}"),
    }
}

#[test]
fn discover_returns_root_and_prefix() {
    let fixture = Fixture::new();
    fixture.write("a/b/c.txt", "x");
    let below = Repository::discover(&fixture.path().join("a/b")).unwrap();
    assert_eq!(below.prefix(), "a/b");
    assert_eq!(below.top().canonicalize().unwrap(), fixture.path().canonicalize().unwrap());
    assert!(!below.shallow);
    assert_eq!(repository(&fixture).prefix(), "");
}

#[test]
fn missing_repository_is_absent_and_bare_one_unreadable() {
    let folder = TempDir::new().unwrap();
    let Err(GitError::Absent(diagnostic)) = Repository::discover(folder.path()) else { panic!() };
    assert!(diagnostic.message.contains("not in a git repository"), "{diagnostic}");
    fixture::run(folder.path(), &["init", "--quiet", "--bare"]);
    let Err(GitError::Unreadable(diagnostic)) = Repository::discover(folder.path()) else { panic!() };
    assert!(diagnostic.message.contains("no work tree"), "{diagnostic}");
    assert!(matches!(Repository::discover(&folder.path().join("gone")), Err(GitError::Unreadable(_))));
}

#[test]
fn files_that_look_like_a_repository_are_rejected() {
    // A commit can contain such files, and git would use them instead of the real repository.
    let folder = Fixture::new();
    folder.commit("one");
    let inner = folder.path().join("suite");
    std::fs::create_dir_all(inner.join("objects")).unwrap();
    std::fs::create_dir_all(inner.join("refs")).unwrap();
    std::fs::write(inner.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    std::fs::write(inner.join("config"), "[core]\nrepositoryformatversion = 0\nbare = false\nworktree = .\n")
        .unwrap();
    let Err(GitError::Unreadable(diagnostic)) = Repository::discover(&inner) else { panic!() };
    assert!(diagnostic.message.contains("no work tree"), "{diagnostic}");
}

#[test]
fn resolve_finds_branches_tags_commits_and_remote_branches() {
    let origin = Fixture::new();
    let first = origin.commit("one");
    origin.git(&["tag", "-a", "v1", "-m", "annotated"]);
    let second = origin.commit("two");
    origin.git(&["branch", "release"]);
    let clone = Fixture::clone_of(&origin, &[]);
    let repository = repository(&clone);
    assert_eq!(repository.resolve("v1").unwrap().commit, first);
    assert_eq!(repository.resolve("HEAD~1").unwrap().commit, first);
    assert_eq!(repository.resolve(&second[..10]).unwrap().commit, second);
    let release = repository.resolve("release").unwrap();
    assert_eq!((release.name.as_str(), release.commit.as_str()), ("origin/release", second.as_str()));
}

#[test]
fn malformed_references_never_reach_git_as_options() {
    let fixture = Fixture::new();
    fixture.commit("one");
    let repository = repository(&fixture);
    for bad in ["", "--output=x", "-h", "a b", "a:b", "main..HEAD", "a\nb", "\u{1b}[31m"] {
        let diagnostic = repository.resolve(bad).unwrap_err();
        assert!(diagnostic.message.starts_with("the git reference"), "{bad}: {diagnostic}");
        assert!(!diagnostic.to_string().contains(['\n', '\u{1b}']));
    }
    let diagnostic = repository.resolve("gone").unwrap_err();
    assert_eq!(diagnostic.message, "no commit `gone` in this git repository");
    assert!(!fixture.path().join("x").exists());
}

#[test]
fn repository_without_commits_is_reported() {
    let fixture = Fixture::new();
    let repository = repository(&fixture);
    assert!(repository.resolve("HEAD").unwrap_err().message.contains("no commits yet"));
    assert!(matches!(repository.merge_base(&no_variables), Err(GitError::Unborn(_))));
}

#[test]
fn missing_commit_in_shallow_clone_suggests_fetch_depth() {
    let origin = Fixture::new();
    let first = origin.commit("one");
    origin.commit("two");
    let clone = Fixture::clone_of(&origin, &["--depth", "1"]);
    let repository = repository(&clone);
    assert!(repository.shallow);
    let diagnostic = repository.resolve(&first).unwrap_err();
    assert!(diagnostic.help.as_deref().unwrap().contains("fetch-depth"), "{diagnostic}");
}

#[test]
fn merge_base_of_branch_is_its_fork_point() {
    let (fixture, _, _) = Fixture::pull_request();
    fixture.git(&["checkout", "--quiet", "change"]);
    let start = fixture.git(&["rev-parse", "change~1"]);
    let base = repository(&fixture).merge_base(&no_variables).unwrap();
    assert_eq!((base.commit, base.how.as_str()), (start, "merge base with main"));
}

#[test]
fn merge_base_on_main_is_head() {
    let (fixture, main, _) = Fixture::pull_request();
    assert_eq!(repository(&fixture).merge_base(&no_variables).unwrap().commit, main);
}

#[test]
fn branch_that_merged_main_is_not_a_pull_request() {
    let (fixture, main, _) = Fixture::pull_request();
    fixture.git(&["checkout", "--quiet", "change"]);
    fixture.git(&["merge", "--quiet", "--no-ff", "-m", "catch up", "main"]);
    let base = repository(&fixture).merge_base(&no_variables).unwrap();
    assert_eq!(base.commit, main, "the first parent is the branch itself, not the base");
    // `actions/checkout` with the head's commit: GITHUB_SHA is the test merge, not HEAD.
    let github = |name: &str| match name {
        "GITHUB_REF" => Some("refs/pull/1/merge".to_owned()),
        "GITHUB_SHA" => Some("0".repeat(40)),
        "GITHUB_BASE_REF" => Some("main".to_owned()),
        _ => None,
    };
    assert_eq!(repository(&fixture).merge_base(&github).unwrap().commit, main);
}

#[test]
fn pull_request_at_depth_two_uses_the_first_parent() {
    let (origin, main, merge) = Fixture::pull_request();
    // Once with the ref that the checkout action creates, once detached without any ref.
    for reference in ["refs/remotes/pull/1/merge", "refs/heads/tmp"] {
        let checkout = Fixture::checkout_of_pull_request(&origin, "2", reference);
        if reference == "refs/heads/tmp" {
            checkout.git(&["update-ref", "-d", reference]);
        }
        assert_eq!(checkout.git(&["rev-parse", "HEAD"]), merge);
        let repository = repository(&checkout);
        assert!(repository.shallow);
        assert_eq!(repository.merge_base(&no_variables).unwrap().commit, main, "{reference}");
    }
}

#[test]
fn pull_request_is_detected_from_the_environment() {
    let (origin, main, merge) = Fixture::pull_request();
    let checkout = Fixture::checkout_of_pull_request(&origin, "2", "refs/heads/trial");
    checkout.git(&["checkout", "--quiet", "trial"]);
    let github = move |name: &str| match name {
        "GITHUB_REF" => Some("refs/pull/1/merge".to_owned()),
        "GITHUB_SHA" => Some(merge.clone()),
        "GITHUB_BASE_REF" => Some("main".to_owned()),
        _ => None,
    };
    let base = repository(&checkout).merge_base(&github).unwrap();
    assert_eq!(
        (base.commit, base.how.as_str()),
        (main, "first parent of the merge commit of refs/pull/1/merge")
    );
}

#[test]
fn pull_request_at_depth_one_is_an_error() {
    let (origin, _, _) = Fixture::pull_request();
    let checkout = Fixture::checkout_of_pull_request(&origin, "1", "refs/remotes/pull/1/merge");
    let shown = out_of_reach(repository(&checkout).merge_base(&no_variables).unwrap_err());
    assert!(shown.contains("fetch-depth: 2"), "{shown}");
}

#[test]
fn truncated_histories_are_an_error() {
    let (origin, _, _) = Fixture::pull_request();
    let clone = Fixture::clone_of(&origin, &["--depth", "1", "--no-single-branch", "--branch", "change"]);
    let shown = out_of_reach(repository(&clone).merge_base(&no_variables).unwrap_err());
    assert!(shown.contains("no common commit") && shown.contains("fetch-depth"), "{shown}");
    let clone = Fixture::clone_of(&origin, &["--depth", "1", "--branch", "change"]);
    let target = |name: &str| (name == "GITHUB_BASE_REF").then(|| "main".to_owned());
    let shown = out_of_reach(repository(&clone).merge_base(&target).unwrap_err());
    assert!(shown.contains("branch `main` from GITHUB_BASE_REF"), "{shown}");
}

#[test]
fn ci_variables_take_precedence_over_main() {
    let fixture = Fixture::new();
    let first = fixture.commit("one");
    fixture.git(&["branch", "release"]);
    let second = fixture.commit("two");
    fixture.git(&["checkout", "--quiet", "-b", "change"]);
    fixture.commit("three");
    let repository = repository(&fixture);
    let base = |name: &'static str, value: &str| {
        let value = value.to_owned();
        repository.merge_base(&move |requested: &str| (requested == name).then(|| value.clone()))
    };
    assert_eq!(base("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "release").unwrap().commit, first);
    assert_eq!(base("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/release").unwrap().commit, first);
    assert_eq!(base("CI_MERGE_REQUEST_DIFF_BASE_SHA", &first).unwrap().commit, first);
    assert_eq!(base("GITHUB_BASE_REF", "").unwrap().commit, second, "empty outside pull requests");
    let queue = format!("refs/heads/gh-readonly-queue/main/pr-7-{first}");
    assert_eq!(base("GITHUB_REF", &queue).unwrap().commit, first);
    out_of_reach(base("CI_MERGE_REQUEST_DIFF_BASE_SHA", "--help").unwrap_err());
    out_of_reach(base("CI_MERGE_REQUEST_DIFF_BASE_SHA", &"1".repeat(40)).unwrap_err());
    out_of_reach(base("GITHUB_BASE_REF", "--upload-pack=x").unwrap_err());
}

#[test]
fn only_branch_with_other_name_has_nothing_to_compare() {
    let fixture = Fixture::new();
    fixture.commit("one");
    fixture.git(&["branch", "-m", "trunk"]);
    assert!(matches!(repository(&fixture).merge_base(&no_variables), Err(GitError::NoTrunk(_))));
}

#[test]
fn reading_does_not_change_the_repository() {
    let (fixture, _, _) = Fixture::pull_request();
    fixture.write("prompts/a.md", "dirty");
    let before = (fixture.git(&["status", "--porcelain"]), fixture.git(&["for-each-ref"]));
    let repository = repository(&fixture);
    let base = repository.merge_base(&no_variables).unwrap();
    let entry = repository.entry(&base.commit, "prompts/a.md").unwrap().unwrap();
    assert_eq!(repository.blob(&base.commit, &entry, 100).unwrap().unwrap(), b"old {{query}}\n");
    assert_eq!(repository.blob(&base.commit, &entry, 3).unwrap(), None);
    assert_eq!((fixture.git(&["status", "--porcelain"]), fixture.git(&["for-each-ref"])), before);
}

#[test]
fn merge_base_from_head_alone_is_guessed_until_confirmed() {
    let (fixture, main, merge) = Fixture::pull_request();
    fixture.git(&["checkout", "--quiet", "--detach", &merge]);
    let base = repository(&fixture).merge_base(&no_variables).unwrap();
    assert_eq!((base.commit.as_str(), base.guessed), (main.as_str(), false), "a merge ref exists");
    fixture.git(&["update-ref", "-d", "refs/pull/1/merge"]);
    let base = repository(&fixture).merge_base(&no_variables).unwrap();
    assert_eq!((base.commit.as_str(), base.guessed), (main.as_str(), true), "not on any branch");
    let repository = repository(&fixture);
    assert!(repository.is_merged(&main, &no_variables).unwrap());
    assert!(!repository.is_merged(&merge, &no_variables).unwrap());
    // The target branch of the CI system takes precedence over main.
    let change = |name: &str| (name == "GITHUB_BASE_REF").then(|| "change".to_owned());
    assert!(!repository.is_merged(&main, &change).unwrap());
    let gone = |name: &str| (name == "GITHUB_BASE_REF").then(|| "gone".to_owned());
    assert!(!repository.is_merged(&main, &gone).unwrap());
}
