//! The build from source: where no release fits, once for each commit of the action.

use std::path::Path;

use super::install::released;
use super::world::{GOOD, World};

const COMMIT: &str = "1234567890abcdef1234567890abcdef12345678";

/// The action at a commit without a release, with a cargo that installs a script and counts how often it did.
fn unreleased() -> World {
    let mut world = World::of(|folder| folder.write("prompt.md", GOOD));
    released(&mut world);
    world
        .folder()
        .write("action/action/checksums.txt", "# https://github.com/acme/promptgate/releases/download\n");
    let count = world.folder().path().join("builds");
    let program = format!(
        "#!/bin/sh\n[ \"$1\" != --version ] || {{ echo promptgate 9.8.7; exit; }}\nexec {} \"$@\"\n",
        env!("CARGO_BIN_EXE_promptgate")
    );
    world.folder().write("program-built", &program);
    let cargo = format!(
        "while [ $# -gt 1 ] && [ \"$1\" != --root ]; do shift; done\nmkdir -p \"$2/bin\"\ncp {} \"$2/bin/promptgate\"\n\
         chmod 755 \"$2/bin/promptgate\"\necho built >>{}\n",
        world.folder().path().join("program-built").display(),
        count.display()
    );
    set_cargo(&mut world, &cargo);
    world.with("fallback", "source").set("GITHUB_ACTION_REF", COMMIT);
    world
}

/// Puts a script in place of cargo.
fn set_cargo(world: &mut World, script: &str) {
    world.folder().write("tools/cargo", &format!("#!/bin/sh\n{script}"));
    let tools = world.folder().path().join("tools");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(tools.join("cargo"), mode).expect("permissions");
    }
    let path = std::env::var("PATH").expect("a PATH");
    world.set("PATH", &format!("{}:{path}", tools.display()));
}

/// How often cargo was run.
fn builds(world: &World) -> usize {
    std::fs::read_to_string(world.folder().path().join("builds")).unwrap_or_default().lines().count()
}

/// The log of the build, and whether it was saved.
fn build(world: &mut World) -> (String, bool) {
    let done = world.job().expect_code(0);
    assert!(Path::new(done.path.trim()).join("promptgate").is_file(), "{}", done.log());
    (done.step("Build promptgate").log.clone(), done.step("Save the build").code == Some(0))
}

#[test]
fn source_is_built_once_for_a_commit() {
    let mut world = unreleased();
    world.with("setup-only", "false").with("cache", "false");
    let done = world.job().expect_code(0).expect_output("verdict", "pass");
    let log = &done.step("Build promptgate").log;
    let started = format!(
        "building promptgate from source at {COMMIT} (about 7 minutes on two cores, cached for later runs)\n"
    );
    assert!(log.contains(&started), "{log}");
    let seconds = log.split_once("built in ").and_then(|(_, rest)| rest.split_once(" s\n"));
    assert!(seconds.is_some_and(|(seconds, _)| seconds.parse::<u32>().is_ok()), "{log}");
    let keys: Vec<&str> = world.cache.entries.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, [format!("promptgate-build-v1-Linux-X64-{COMMIT}")]);

    let done = world.job().expect_code(0).expect_output("verdict", "pass");
    let log = &done.step("Build promptgate").log;
    assert!(log.contains(&format!("using promptgate 9.8.7, built from source at {COMMIT}")), "{log}");
    assert_eq!(done.step("Save the build").code, None);
    assert_eq!(builds(&world), 1);
    // Another commit or another machine is another build.
    for (name, value) in
        [("GITHUB_ACTION_REF", COMMIT.replace('1', "2")), ("RUNNER_ARCH", "ARM64".to_owned())]
    {
        world.set(name, &value);
        world.job().expect_code(0);
    }
    assert_eq!(builds(&world), 3);
}

#[test]
fn build_of_a_branch_is_kept_by_its_files() {
    let mut world = unreleased();
    world.set("GITHUB_ACTION_REF", "main");
    let (log, saved) = build(&mut world);
    assert!(saved && log.contains("from source at tree-"), "{log}");
    // What cargo leaves in the folder is not source.
    world.folder().write("action/target/release/promptgate", "built");
    let (log, saved) = build(&mut world);
    assert!(!saved && log.contains("by an earlier job"), "{log}");
    world.folder().write("action/src/main.rs", "fn main() {}\n");
    let (log, saved) = build(&mut world);
    assert!(saved && log.contains("building promptgate"), "{log}");
    assert_eq!(builds(&world), 2);
}

#[test]
fn build_is_not_cached_for_events_with_untrusted_content() {
    let mut world = unreleased();
    let payload = world.payload();
    world.event("issue_comment", &payload);
    for _ in 0..2 {
        let (log, saved) = build(&mut world);
        assert!(!saved && log.contains("not cached: the event issue_comment"), "{log}");
    }
    assert_eq!(builds(&world), 2);
    assert!(world.cache.entries.is_empty());
}

#[test]
fn damaged_build_in_the_cache_is_replaced() {
    let mut world = unreleased();
    build(&mut world);
    for damaged in ["#!/bin/sh\necho promptgate 9.0.0\n", "not a program"] {
        for (_, bytes) in &mut world.cache.entries {
            *bytes = damaged.as_bytes().to_vec();
        }
        let (log, _) = build(&mut world);
        assert!(log.contains("built in "), "{log}");
    }
    assert_eq!(builds(&world), 3);
}

#[test]
fn failed_build_fails_the_job() {
    let mut world = unreleased();
    set_cargo(&mut world, "echo error: no space left >&2\nexit 101\n");
    world.with("setup-only", "false");
    let done = world.job();
    let log = &done.step("Build promptgate").log;
    assert!(
        log.contains("no space left") && log.contains("building promptgate from source failed after"),
        "{log}"
    );
    assert_eq!(done.step("Gate").code, None);
    assert_eq!(done.step("Verdict").code, Some(1));
    assert!(world.cache.entries.is_empty());
}
