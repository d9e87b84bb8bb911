use super::*;
use crate::files::{PromptSource, fetch_prompt, find_prompt, parse_prompt};
use crate::git::fixture::Fixture;

fn no_variables(_: &str) -> Option<String> {
    None
}

#[test]
fn each_valid_form_is_parsed() {
    let git = |reference: &str, path: Option<&str>| BaselineSpec::Git {
        reference: reference.to_owned(),
        path: path.map(str::to_owned),
    };
    let file = |text: &str| BaselineSpec::File(text.to_owned());
    for (text, spec) in [
        ("none", BaselineSpec::None),
        ("git:main", git("main", None)),
        ("git:v1.2:prompts/a.md", git("v1.2", Some("prompts/a.md"))),
        ("git:main:a:b.md", git("main", Some("a:b.md"))),
        ("git:merge-base", BaselineSpec::MergeBase { path: None }),
        ("git:merge-base:a.md", BaselineSpec::MergeBase { path: Some("a.md".to_owned()) }),
        ("file:a.md", file("a.md")),
        ("prompts/a.md", file("prompts/a.md")),
        ("prompts/a:b.md", file("prompts/a:b.md")),
        ("C:\\a.md", file("C:\\a.md")),
        ("report:old/report.json", BaselineSpec::Report("old/report.json".to_owned())),
    ] {
        assert_eq!(BaselineSpec::parse(text), Ok(spec), "{text}");
    }
}

#[test]
fn invalid_forms_get_a_suggestion() {
    for (text, help) in [
        ("gti:main", "did you mean `git:main`?"),
        ("merge-base", "did you mean `git:merge-base`?"),
        ("HEAD~1", "did you mean `git:HEAD~1`?"),
        ("None", "did you mean `none`?"),
        ("https://example.com/a.md", "write `git:merge-base`"),
        ("", "write `git:merge-base`"),
        ("git:", "write `git:REF`"),
        ("git:main:", "write `git:REF:PATH`"),
        ("file:", "write `file:PATH`"),
        ("report:", "write `report:PATH`"),
        ("registry:", "write `registry:NAME@VERSION`"),
        ("registry:Reply@production", "write `registry:NAME@VERSION`"),
    ] {
        let diagnostic = BaselineSpec::parse(text).unwrap_err();
        assert!(diagnostic.help.as_deref().is_some_and(|text| text.contains(help)), "{text}: {diagnostic}");
    }
    for text in ["none", "report:a.json"] {
        assert!(BaselineSpec::parse_candidate(text, "candidate").is_err());
    }
    assert!(BaselineSpec::parse_candidate("git:main", "candidate").is_ok());
}

#[test]
fn messages_name_what_is_parsed() {
    for (text, message, help) in [
        (
            "registy:reply@production",
            "unknown candidate kind `registy:`",
            "did you mean `registry:reply@production`?",
        ),
        ("reprt:a.json", "unknown candidate kind `reprt:`", "write a path"),
        ("gti:main", "unknown candidate kind `gti:`", "did you mean `git:main`?"),
        ("", "the candidate is empty", "write a path"),
        ("HEAD", "`HEAD` is not a valid candidate", "did you mean `git:HEAD`?"),
    ] {
        let diagnostic = BaselineSpec::parse_candidate(text, "candidate").unwrap_err();
        assert_eq!(diagnostic.message, message);
        assert!(diagnostic.help.as_deref().is_some_and(|text| text.contains(help)), "{text}: {diagnostic}");
    }
    let baseline = BaselineSpec::parse("registy:reply@production").unwrap_err();
    assert_eq!(baseline.message, "unknown baseline kind `registy:`");
    let policy = BaselineSpec::parse_candidate("registy:reply", "policy").unwrap_err();
    assert_eq!(policy.message, "unknown policy kind `registy:`");
}

#[test]
fn published_version_is_no_source_of_files() {
    let spec = BaselineSpec::parse("registry:support/reply@2.4.0").unwrap();
    assert_eq!(spec, BaselineSpec::Registry("support/reply@2.4.0".parse().unwrap()));
    let folder = tempfile::TempDir::new().unwrap();
    let diagnostic = baseline(Some(&spec), folder.path(), &no_variables).unwrap_err();
    assert_eq!(diagnostic.message, "`registry:support/reply@2.4.0` is a prompt, not files");
}

#[test]
fn folder_without_repository_has_no_baseline_and_a_note() {
    let folder = tempfile::TempDir::new().unwrap();
    let Ok(Baseline::None { note: Some(note), .. }) = baseline(None, folder.path(), &no_variables) else {
        panic!()
    };
    assert!(note.contains("not in a git repository"), "{note}");
    let spec = BaselineSpec::parse("git:main").unwrap();
    assert!(baseline(Some(&spec), folder.path(), &no_variables).is_err(), "an explicit baseline is required");
    assert_eq!(
        baseline(Some(&BaselineSpec::None), folder.path(), &no_variables),
        Ok(Baseline::None { note: None, if_needed: None })
    );
}

#[test]
fn base_named_by_the_ci_system_is_never_absent() {
    let outside = tempfile::TempDir::new().unwrap();
    let unborn = Fixture::new();
    for name in ["GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "CHANGE_TARGET"] {
        let variable = |asked: &str| (asked == name).then(|| "main".to_owned());
        for folder in [outside.path().to_owned(), unborn.path()] {
            let diagnostic = baseline(None, &folder, &variable).unwrap_err();
            assert!(diagnostic.message.starts_with(&format!("{name} names the base")), "{diagnostic}");
        }
    }
}

#[test]
fn repository_without_commits_makes_everything_new() {
    let unborn = Fixture::new();
    for spec in [None, Some(BaselineSpec::MergeBase { path: None })] {
        let Ok(Baseline::None { note: Some(note), if_needed: None }) =
            baseline(spec.as_ref(), &unborn.path(), &no_variables)
        else {
            panic!("{spec:?}")
        };
        assert!(note.starts_with("new: "), "{note}");
    }
}

#[test]
fn unknown_trunk_is_an_error_where_a_baseline_is_needed() {
    let fixture = Fixture::new();
    fixture.commit("start");
    fixture.git(&["branch", "-m", "develop"]);
    let Ok(Baseline::None { if_needed: Some(error), .. }) = baseline(None, &fixture.path(), &no_variables)
    else {
        panic!()
    };
    assert!(error.help.is_some_and(|help| help.contains("`baseline: git:develop`")));
}

#[test]
fn pull_request_baseline_is_main_without_the_added_prompt() {
    let (origin, main, _) = Fixture::pull_request();
    let checkout = Fixture::checkout_of_pull_request(&origin, "2", "refs/remotes/pull/1/merge");
    let Ok(Baseline::Commit { tree, path: None, how }) = baseline(None, &checkout.path(), &no_variables)
    else {
        panic!()
    };
    assert_eq!(tree.commit(), Some(main.as_str()));
    assert!(how.contains("first parent"), "{how}");
    let source = |path: &str| PromptSource {
        path: path.to_owned(),
        model: Some("m".to_owned()),
        ..PromptSource::default()
    };
    let bytes = find_prompt(&tree, "prompts/a.md").unwrap().unwrap();
    let old = parse_prompt(&bytes, &source("prompts/a.md")).unwrap().value.variant;
    assert_eq!(old.messages[0].content, "old {{query}}");
    assert_eq!(old.facts.prompt.source, "git:merge-base:prompts/a.md");
    assert_eq!(old.facts.prompt.commit.as_deref(), Some(main.as_str()));
    assert_eq!(find_prompt(&tree, "prompts/fresh.md"), Ok(None));
    let new = fetch_prompt(&Tree::work_tree(checkout.path()), "prompts/a.md").unwrap();
    let new = parse_prompt(&new, &source("prompts/a.md")).unwrap().value.variant;
    assert_eq!(new.messages[0].content, "new {{query}}");
    assert_eq!(new.facts.prompt.commit, None);
}

#[test]
fn too_shallow_clone_is_an_error_even_by_default() {
    let (origin, _, _) = Fixture::pull_request();
    let checkout = Fixture::checkout_of_pull_request(&origin, "1", "refs/remotes/pull/1/merge");
    assert!(baseline(None, &checkout.path(), &no_variables).is_err());
}

#[test]
fn git_reference_resolves_to_its_commit() {
    let (fixture, main, _) = Fixture::pull_request();
    let spec = BaselineSpec::parse("git:main:prompts/a.md").unwrap();
    let Ok(Baseline::Commit { tree, path, how }) = baseline(Some(&spec), &fixture.path(), &no_variables)
    else {
        panic!()
    };
    assert_eq!(
        (tree.commit(), path.as_deref(), how.as_str()),
        (Some(main.as_str()), Some("prompts/a.md"), "git:main")
    );
}
