use super::*;
use crate::load::git::fixture::Fixture;
use crate::load::{PromptSource, find_prompt, parse_prompt, prompt};

fn nothing(_: &str) -> Option<String> {
    None
}

#[test]
fn forms() {
    let git = |reference: &str, path: Option<&str>| BaselineSpec::Git {
        reference: reference.to_owned(),
        path: path.map(str::to_owned),
    };
    let path = |text: &str| BaselineSpec::File(text.to_owned());
    for (text, spec) in [
        ("none", BaselineSpec::None),
        ("git:main", git("main", None)),
        ("git:v1.2:prompts/a.md", git("v1.2", Some("prompts/a.md"))),
        ("git:main:a:b.md", git("main", Some("a:b.md"))),
        ("git:merge-base", BaselineSpec::MergeBase { path: None }),
        ("git:merge-base:a.md", BaselineSpec::MergeBase { path: Some("a.md".to_owned()) }),
        ("file:a.md", path("a.md")),
        ("prompts/a.md", path("prompts/a.md")),
        ("prompts/a:b.md", path("prompts/a:b.md")),
        ("C:\\a.md", path("C:\\a.md")),
        ("report:old/report.json", BaselineSpec::Report("old/report.json".to_owned())),
    ] {
        assert_eq!(BaselineSpec::parse(text), Ok(spec), "{text}");
    }
}

#[test]
fn slips_are_answered() {
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
    ] {
        let diagnostic = BaselineSpec::parse(text).unwrap_err();
        assert!(diagnostic.help.as_deref().is_some_and(|found| found.contains(help)), "{text}: {diagnostic}");
    }
    for text in ["none", "report:a.json"] {
        assert!(BaselineSpec::parse_candidate(text).is_err());
    }
    assert!(BaselineSpec::parse_candidate("git:main").is_ok());
}

#[test]
fn without_a_repository_there_is_none_and_a_note() {
    let folder = tempfile::TempDir::new().unwrap();
    let Ok(Baseline::None { note: Some(note) }) = baseline(None, folder.path(), &nothing) else { panic!() };
    assert!(note.contains("no git repository"), "{note}");
    let spec = BaselineSpec::parse("git:main").unwrap();
    assert!(baseline(Some(&spec), folder.path(), &nothing).is_err(), "asked for is not optional");
    assert_eq!(
        baseline(Some(&BaselineSpec::None), folder.path(), &nothing),
        Ok(Baseline::None { note: None })
    );
}

#[test]
fn a_pull_request_is_compared_with_main_and_a_new_prompt_is_new() {
    let (origin, main, _) = Fixture::pull_request();
    let checkout = Fixture::checkout_of_pull_request(&origin, "2", "refs/remotes/pull/1/merge");
    let Ok(Baseline::Commit { tree, path: None, how }) = baseline(None, &checkout.path(), &nothing) else {
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
    let old = parse_prompt(&bytes, &source("prompts/a.md")).unwrap().value;
    assert_eq!(old.messages[0].content, "old {{query}}");
    assert_eq!(old.facts.prompt.source, "git:merge-base:prompts/a.md");
    assert_eq!(old.facts.prompt.commit.as_deref(), Some(main.as_str()));
    assert_eq!(find_prompt(&tree, "prompts/fresh.md"), Ok(None));
    let new = prompt(&Tree::work_tree(checkout.path()), &source("prompts/a.md")).unwrap().value;
    assert_eq!(new.messages[0].content, "new {{query}}");
    assert_eq!(new.facts.prompt.commit, None);
}

#[test]
fn a_clone_too_shallow_is_a_diagnostic_even_by_default() {
    let (origin, _, _) = Fixture::pull_request();
    let checkout = Fixture::checkout_of_pull_request(&origin, "1", "refs/remotes/pull/1/merge");
    assert!(baseline(None, &checkout.path(), &nothing).is_err());
}

#[test]
fn a_reference_names_its_commit() {
    let (fixture, main, _) = Fixture::pull_request();
    let spec = BaselineSpec::parse("git:main:prompts/a.md").unwrap();
    let Ok(Baseline::Commit { tree, path, how }) = baseline(Some(&spec), &fixture.path(), &nothing) else {
        panic!()
    };
    assert_eq!(
        (tree.commit(), path.as_deref(), how.as_str()),
        (Some(main.as_str()), Some("prompts/a.md"), "git:main")
    );
}
