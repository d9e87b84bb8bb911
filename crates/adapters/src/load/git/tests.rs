use tempfile::TempDir;

use super::fixture::Fixture;
use super::*;

fn nothing(_: &str) -> Option<String> {
    None
}

fn repository(fixture: &Fixture) -> Repository {
    Repository::discover(&fixture.path()).unwrap()
}

fn out_of_reach(reason: NoMergeBase) -> String {
    match reason {
        NoMergeBase::OutOfReach(diagnostic) => diagnostic.to_string(),
        NoMergeBase::Nothing(diagnostic) => panic!("not out of reach: {diagnostic}"),
    }
}

#[test]
fn discover_says_where_it_is() {
    let fixture = Fixture::new();
    fixture.write("a/b/c.txt", "x");
    let below = Repository::discover(&fixture.path().join("a/b")).unwrap();
    assert_eq!(below.prefix(), "a/b");
    assert_eq!(below.top().canonicalize().unwrap(), fixture.path().canonicalize().unwrap());
    assert!(!below.is_shallow());
    assert_eq!(repository(&fixture).prefix(), "");
}

#[test]
fn no_repository_is_absent_and_a_bare_one_unreadable() {
    let folder = TempDir::new().unwrap();
    let Err(NoRepository::Absent(diagnostic)) = Repository::discover(folder.path()) else { panic!() };
    assert!(diagnostic.message.contains("no git repository"), "{diagnostic}");
    fixture::run(folder.path(), &["init", "--quiet", "--bare"]);
    let Err(NoRepository::Unreadable(diagnostic)) = Repository::discover(folder.path()) else { panic!() };
    assert!(diagnostic.message.contains("no work tree"), "{diagnostic}");
    assert!(matches!(Repository::discover(&folder.path().join("gone")), Err(NoRepository::Unreadable(_))));
}

#[test]
fn files_that_look_like_a_repository_are_none() {
    // As a commit can carry them: git would ask the repository that they make, in place of the real one.
    let folder = Fixture::new();
    folder.commit("one");
    let inner = folder.path().join("suite");
    std::fs::create_dir_all(inner.join("objects")).unwrap();
    std::fs::create_dir_all(inner.join("refs")).unwrap();
    std::fs::write(inner.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    std::fs::write(inner.join("config"), "[core]\nrepositoryformatversion = 0\nbare = false\nworktree = .\n")
        .unwrap();
    let Err(NoRepository::Unreadable(diagnostic)) = Repository::discover(&inner) else { panic!() };
    assert!(diagnostic.message.contains("no work tree"), "{diagnostic}");
}

#[test]
fn resolve_finds_branches_tags_commits_and_what_only_origin_has() {
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
fn odd_references_never_reach_git_as_options() {
    let fixture = Fixture::new();
    fixture.commit("one");
    let repository = repository(&fixture);
    for bad in ["", "--output=x", "-h", "a b", "a:b", "main..HEAD", "a\nb", "\u{1b}[31m"] {
        let diagnostic = repository.resolve(bad).unwrap_err();
        assert!(diagnostic.message.starts_with("the git reference"), "{bad}: {diagnostic}");
        assert!(!diagnostic.to_string().contains(['\n', '\u{1b}']));
    }
    let diagnostic = repository.resolve("gone").unwrap_err();
    assert_eq!(diagnostic.message, "git knows no commit `gone` here");
    assert!(!fixture.path().join("x").exists());
}

#[test]
fn an_unborn_head_is_told_apart() {
    let fixture = Fixture::new();
    let repository = repository(&fixture);
    assert!(repository.resolve("HEAD").unwrap_err().message.contains("no commit yet"));
    assert!(matches!(repository.merge_base(&nothing), Err(NoMergeBase::Nothing(_))));
}

#[test]
fn a_shallow_clone_without_the_commit_says_how_to_get_it() {
    let origin = Fixture::new();
    let first = origin.commit("one");
    origin.commit("two");
    let clone = Fixture::clone_of(&origin, &["--depth", "1"]);
    let repository = repository(&clone);
    assert!(repository.is_shallow());
    let diagnostic = repository.resolve(&first).unwrap_err();
    assert!(diagnostic.help.as_deref().unwrap().contains("fetch-depth"), "{diagnostic}");
}

#[test]
fn merge_base_of_a_branch_is_where_it_left_main() {
    let (fixture, _, _) = Fixture::pull_request();
    fixture.git(&["checkout", "--quiet", "change"]);
    let start = fixture.git(&["rev-parse", "change~1"]);
    let found = repository(&fixture).merge_base(&nothing).unwrap();
    assert_eq!((found.commit, found.how.as_str()), (start, "merge base with main"));
}

#[test]
fn on_main_it_is_head_itself() {
    let (fixture, main, _) = Fixture::pull_request();
    assert_eq!(repository(&fixture).merge_base(&nothing).unwrap().commit, main);
}

#[test]
fn a_branch_that_merged_main_is_no_pull_request() {
    let (fixture, main, _) = Fixture::pull_request();
    fixture.git(&["checkout", "--quiet", "change"]);
    fixture.git(&["merge", "--quiet", "--no-ff", "-m", "catch up", "main"]);
    let found = repository(&fixture).merge_base(&nothing).unwrap();
    assert_eq!(found.commit, main, "the first parent is the branch itself, not the base");
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
fn a_pull_request_two_deep_is_compared_with_its_first_parent() {
    let (origin, main, merge) = Fixture::pull_request();
    // With the ref that the checkout action makes, and without any sign but that it is on no branch.
    for reference in ["refs/remotes/pull/1/merge", "refs/heads/tmp"] {
        let checkout = Fixture::checkout_of_pull_request(&origin, "2", reference);
        if reference == "refs/heads/tmp" {
            checkout.git(&["update-ref", "-d", reference]);
        }
        assert_eq!(checkout.git(&["rev-parse", "HEAD"]), merge);
        let repository = repository(&checkout);
        assert!(repository.is_shallow());
        assert_eq!(repository.merge_base(&nothing).unwrap().commit, main, "{reference}");
    }
}

#[test]
fn the_environment_tells_a_pull_request_too() {
    let (origin, main, merge) = Fixture::pull_request();
    let checkout = Fixture::checkout_of_pull_request(&origin, "2", "refs/heads/trial");
    checkout.git(&["checkout", "--quiet", "trial"]);
    let github = move |name: &str| match name {
        "GITHUB_REF" => Some("refs/pull/1/merge".to_owned()),
        "GITHUB_SHA" => Some(merge.clone()),
        "GITHUB_BASE_REF" => Some("main".to_owned()),
        _ => None,
    };
    let found = repository(&checkout).merge_base(&github).unwrap();
    assert_eq!(
        (found.commit, found.how.as_str()),
        (main, "first parent of the merge commit of refs/pull/1/merge")
    );
}

#[test]
fn one_deep_is_a_diagnostic_and_not_no_change() {
    let (origin, _, _) = Fixture::pull_request();
    let checkout = Fixture::checkout_of_pull_request(&origin, "1", "refs/remotes/pull/1/merge");
    let shown = out_of_reach(repository(&checkout).merge_base(&nothing).unwrap_err());
    assert!(shown.contains("fetch-depth: 2"), "{shown}");
}

#[test]
fn histories_cut_apart_are_a_diagnostic_and_not_no_change() {
    let (origin, _, _) = Fixture::pull_request();
    let clone = Fixture::clone_of(&origin, &["--depth", "1", "--no-single-branch", "--branch", "change"]);
    let shown = out_of_reach(repository(&clone).merge_base(&nothing).unwrap_err());
    assert!(shown.contains("no common commit") && shown.contains("fetch-depth"), "{shown}");
    let clone = Fixture::clone_of(&origin, &["--depth", "1", "--branch", "change"]);
    let target = |name: &str| (name == "GITHUB_BASE_REF").then(|| "main".to_owned());
    let shown = out_of_reach(repository(&clone).merge_base(&target).unwrap_err());
    assert!(shown.contains("GITHUB_BASE_REF names the branch `main`"), "{shown}");
}

#[test]
fn variables_of_ci_systems_go_before_main() {
    let fixture = Fixture::new();
    let first = fixture.commit("one");
    fixture.git(&["branch", "release"]);
    let second = fixture.commit("two");
    fixture.git(&["checkout", "--quiet", "-b", "change"]);
    fixture.commit("three");
    let repository = repository(&fixture);
    let base = |name: &'static str, value: &str| {
        let value = value.to_owned();
        repository.merge_base(&move |asked: &str| (asked == name).then(|| value.clone()))
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
fn a_lone_branch_of_another_name_has_nothing_to_compare_with() {
    let fixture = Fixture::new();
    fixture.commit("one");
    fixture.git(&["branch", "-m", "trunk"]);
    assert!(matches!(repository(&fixture).merge_base(&nothing), Err(NoMergeBase::Nothing(_))));
}

#[test]
fn reading_leaves_no_trace() {
    let (fixture, _, _) = Fixture::pull_request();
    fixture.write("prompts/a.md", "dirty");
    let before = (fixture.git(&["status", "--porcelain"]), fixture.git(&["for-each-ref"]));
    let repository = repository(&fixture);
    let base = repository.merge_base(&nothing).unwrap();
    let entry = repository.entry(&base.commit, "prompts/a.md").unwrap().unwrap();
    assert_eq!(repository.blob(&base.commit, &entry, 100).unwrap().unwrap(), b"old {{query}}\n");
    assert_eq!(repository.blob(&base.commit, &entry, 3).unwrap(), Err(14));
    assert_eq!((fixture.git(&["status", "--porcelain"]), fixture.git(&["for-each-ref"])), before);
}

#[test]
fn what_head_says_of_itself_is_a_guess_until_the_target_branch_confirms_it() {
    let (fixture, main, merge) = Fixture::pull_request();
    fixture.git(&["checkout", "--quiet", "--detach", &merge]);
    let found = repository(&fixture).merge_base(&nothing).unwrap();
    assert_eq!((found.commit.as_str(), found.guessed), (main.as_str(), false), "a ref says so");
    fixture.git(&["update-ref", "-d", "refs/pull/1/merge"]);
    let found = repository(&fixture).merge_base(&nothing).unwrap();
    assert_eq!((found.commit.as_str(), found.guessed), (main.as_str(), true), "on no branch");
    let repository = repository(&fixture);
    assert!(repository.is_merged(&main, &nothing).unwrap());
    assert!(!repository.is_merged(&merge, &nothing).unwrap());
    // The branch that the CI system names is the one that counts.
    let change = |name: &str| (name == "GITHUB_BASE_REF").then(|| "change".to_owned());
    assert!(!repository.is_merged(&main, &change).unwrap());
    let gone = |name: &str| (name == "GITHUB_BASE_REF").then(|| "gone".to_owned());
    assert!(!repository.is_merged(&main, &gone).unwrap());
}
