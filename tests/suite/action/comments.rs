//! The one comment of the pull request.

use super::world::{BAD, GOOD, World};

#[test]
fn read_only_token_changes_no_verdict() {
    for (prompt, code) in [(GOOD, 0), (BAD, 10)] {
        let mut world = World::of(|folder| folder.write("prompt.md", prompt));
        world.with("comment", "always");
        world.github.read_only();
        let done = world.job().expect_code(code);
        let comment = done.step("Comment");
        assert_eq!(comment.code, Some(0), "{}", done.log());
        assert!(comment.log.contains("::warning"), "{}", comment.log);
        assert_eq!(done.outputs["comment-url"], "");
        assert!(world.github.requests().iter().any(|request| request.starts_with("POST ")));
    }
}

#[test]
fn own_comment_is_found_among_many() {
    let mut world = World::of(|folder| folder.write("prompt.md", BAD));
    world.job().expect_code(10);
    let [body] = &world.github.own()[..] else { panic!("{:?}", world.github.comments()) };
    let marker = body.trim_end().lines().last().expect("a marker").to_owned();

    // The same pull request with a long talk, in which others use the marker.
    let mut world = World::of(|folder| folder.write("prompt.md", BAD));
    for number in 0..60 {
        world.github.comment("mallory", "User", &format!("mine {number}\n\n{marker}"));
    }
    world.github.comment("other-app[bot]", "Bot", &format!("theirs\n\n{marker}"));
    for number in 0..60 {
        world.github.comment("ann", "User", &format!("talk {number}"));
    }
    let others = world.github.comments();
    for _ in 0..2 {
        world.job().expect_code(10);
        assert_eq!(world.github.own().len(), 1);
        assert_eq!(world.github.comments()[..others.len()], others);
    }
    let requests = world.github.requests();
    assert!(requests.iter().any(|request| request.contains("page=2")), "{requests:?}");
    assert_eq!(requests.iter().filter(|request| request.starts_with("POST ")).count(), 1, "{requests:?}");
}

#[test]
fn each_suite_has_its_own_comment() {
    let mut world = World::of(|folder| folder.write("prompt.md", BAD));
    for key in ["", "one", "two", "one"] {
        world.with("comment-key", key);
        world.job().expect_code(10);
    }
    assert_eq!(world.github.own().len(), 3);
}

#[test]
fn comment_follows_its_input() {
    let mut world = World::of(|folder| folder.write("prompt.md", GOOD));
    world.with("comment", "failures");
    world.job().expect_code(0);
    world.with("comment", "never");
    world.job().expect_code(0);
    assert!(world.github.own().is_empty(), "{:?}", world.github.comments());
    world.with("comment", "always");
    world.job().expect_code(0);
    assert_eq!(world.github.own().len(), 1);
}
