//! Which labels count: the attacks on an override, each against a base that counts.

use promptgate_adapters::github::Labeled;
use promptgate_adapters::github::api::{Actor, GitPerson};

use super::*;

const HEAD: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
const OTHER: &str = "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c";

/// A pull request by `ann` whose commit `bob` wrote; `grace` sets the label ten minutes after the push.
struct World {
    event: PullRequest,
    now: LabeledPullRequest,
    events: Vec<IssueEvent>,
    people: Vec<CommitPeople>,
    allowed: Vec<String>,
}

fn at(minute: u32) -> String {
    format!("2026-11-01T10:{minute:02}:00Z")
}

fn happened(id: u64, minute: u32, login: &str, kind: IssueEventKind) -> IssueEvent {
    let actor = Some(Actor { login: login.to_owned(), is_person: true });
    IssueEvent { id, at: at(minute), actor, kind }
}

fn labeled(id: u64, minute: u32, login: &str) -> IssueEvent {
    happened(id, minute, login, IssueEventKind::Labeled(LABEL.to_owned()))
}

fn unlabeled(id: u64, minute: u32, login: &str) -> IssueEvent {
    happened(id, minute, login, IssueEventKind::Unlabeled(LABEL.to_owned()))
}

fn force_pushed(id: u64, minute: u32, commit: Option<&str>) -> IssueEvent {
    happened(id, minute, "ann", IssueEventKind::ForcePushed(commit.map(str::to_owned)))
}

fn world() -> World {
    let bob =
        GitPerson { login: Some("bob".to_owned()), name: "Bob".to_owned(), email: "b@x.org".to_owned() };
    World {
        event: PullRequest {
            number: 7,
            base_branch: "main".to_owned(),
            base: None,
            head: HEAD.to_owned(),
            fork: false,
            updated_at: Some(at(10)),
            labeled: None,
        },
        now: LabeledPullRequest {
            head: HEAD.to_owned(),
            base_branch: "main".to_owned(),
            is_open: true,
            opened_by: Some("ann".to_owned()),
            labels: vec!["bug".to_owned(), LABEL.to_owned()],
        },
        events: vec![labeled(5, 20, "grace")],
        people: vec![CommitPeople { commit: HEAD.to_owned(), authors: vec![bob], committer: None }],
        allowed: vec!["Grace".to_owned(), "ann".to_owned(), "bob".to_owned()],
    }
}

fn decided(edit: impl FnOnce(&mut World)) -> Result<(String, String), String> {
    let mut world = world();
    edit(&mut world);
    decide(&Evidence {
        event: &world.event,
        now: &world.now,
        events: &world.events,
        people: &world.people,
        allowed: &world.allowed,
    })
}

#[test]
fn label_of_a_named_person_after_the_push_counts() {
    let counts = |edit: &dyn Fn(&mut World)| {
        assert_eq!(decided(edit), Ok(("grace".to_owned(), "2026-11-01T10:20:00Z".to_owned())));
    };
    counts(&|_| {});
    // Names of labels and commits are case-insensitive.
    counts(&|world| {
        world.now.head = HEAD.to_uppercase();
        world.events[0].kind = IssueEventKind::Labeled("PromptGate-Override".to_owned());
    });
    // Removed and set again: the last one counts.
    counts(&|world| {
        world.events = vec![labeled(1, 12, "mallory"), unlabeled(2, 13, "grace"), labeled(3, 20, "grace")];
    });
    // The push of this commit was a force push, and others came before.
    counts(&|world| world.events.insert(0, force_pushed(1, 9, Some(OTHER))));
    counts(&|world| world.events.insert(0, force_pushed(2, 10, Some(HEAD))));
    counts(&|world| world.events.insert(0, force_pushed(2, 11, Some(HEAD))));
    // The run of the label itself: its payload names the head, and the time of the label.
    counts(&|world| {
        world.event.updated_at = Some(at(20));
        world.event.labeled = Some(Labeled { label: LABEL.to_owned(), by: "GRACE".to_owned() });
    });
}

#[test]
fn label_is_for_the_target_branch_of_an_open_pull_request() {
    let refused = |part: &str, edit: &dyn Fn(&mut World)| {
        let why = decided(edit).unwrap_err();
        assert!(why.contains(part), "{why}");
    };
    refused("not open any more", &|world| world.now.is_open = false);
    refused("is to be merged into release by now, and was evaluated against main", &|world| {
        world.now.base_branch = "release".to_owned();
    });
    refused("into Main by now", &|world| world.now.base_branch = "Main".to_owned());
    let retargeted = |id, minute| happened(id, minute, "ann", IssueEventKind::Retargeted);
    // To another branch and back again, also in the second of the label.
    for minute in [20, 21, 59] {
        refused("the target branch was changed after the label", &|world| {
            world.events.push(retargeted(9, minute));
        });
    }
    // Before the label it is known to the person who sets it.
    assert!(decided(|world| world.events.insert(0, retargeted(1, 15))).is_ok());
}

#[test]
fn label_of_anybody_else_does_not_count() {
    let refused = |part: &str, edit: &dyn Fn(&mut World)| {
        let why = decided(edit).unwrap_err();
        assert!(why.contains(part), "{why}");
    };
    refused("not listed in `gate.override_by`", &|world| world.allowed = vec!["alice".to_owned()]);
    refused("not listed in `gate.override_by`", &|world| world.allowed.clear());
    // Neither who opened it nor who wrote a commit.
    for author in ["Ann", "BOB"] {
        refused("an author of this change", &|world| world.events = vec![labeled(5, 20, author)]);
    }
    refused("an author of this change", &|world| {
        let grace = world.people[0].authors[0].clone();
        world.people[0].committer = Some(GitPerson { login: Some("grace".to_owned()), ..grace });
    });
    refused("no author for the pull request", &|world| world.now.opened_by = None);
    refused("as or through an app", &|world| {
        world.events[0].actor = Some(Actor { login: "grace".to_owned(), is_person: false });
    });
    refused("no longer exists", &|world| world.events[0].actor = None);
    // Somebody else set it again.
    refused("mallory set the label", &|world| {
        world.events.extend([unlabeled(6, 21, "mallory"), labeled(7, 22, "mallory")]);
    });
    // The label is there, and the events do not have it: another one was renamed.
    refused("no author for the label", &|world| {
        world.events[0].kind = IssueEventKind::Labeled("reviewed".to_owned());
    });
    refused("no author for the label", &|world| world.events.push(unlabeled(9, 30, "ann")));
    refused("no author for the label", &|world| world.events.clear());
}

#[test]
fn label_for_another_commit_does_not_count() {
    let refused = |part: &str, edit: &dyn Fn(&mut World)| {
        let why = decided(edit).unwrap_err();
        assert!(why.contains(part), "{why}");
    };
    refused("a newer commit", &|world| world.now.head = OTHER.to_owned());
    // Set before the push of this commit, or in the same second.
    for minute in [9, 10] {
        refused("before this run was triggered", &|world| world.events = vec![labeled(5, minute, "grace")]);
    }
    // The run of another label, and of the label by somebody else.
    for (label, by) in [("bug", "grace"), (LABEL, "ann")] {
        refused("before this run was triggered", &|world| {
            world.event.updated_at = Some(at(20));
            world.event.labeled = Some(Labeled { label: label.to_owned(), by: by.to_owned() });
        });
    }
    // A run of the label that was repeated after the label was set for an earlier head.
    refused("before this run was triggered", &|world| {
        world.event.updated_at = Some(at(25));
        world.event.labeled = Some(Labeled { label: LABEL.to_owned(), by: "grace".to_owned() });
    });
    // The branch showed another commit while the label was set: that one was pushed by force after the event and this one
    // came back, by force or by a push that GitHub does not list.
    refused("force-pushed around or after", &|world| {
        world.events.insert(0, force_pushed(4, 15, Some(OTHER)))
    });
    refused("force-pushed around or after", &|world| world.events.insert(0, force_pushed(4, 15, None)));
    refused("force-pushed around or after", &|world| world.events.push(force_pushed(6, 21, Some(HEAD))));
    refused("force-pushed around or after", &|world| world.events.push(force_pushed(6, 20, Some(HEAD))));
    for (edit, part) in [
        ((|world| world.event.updated_at = None) as fn(&mut World), "has no `updated_at`"),
        (|world| world.event.updated_at = Some("now".to_owned()), "an invalid timestamp"),
        (|world| world.events[0].at = "later".to_owned(), "an invalid timestamp"),
        (
            |world| world.events.insert(0, IssueEvent { at: String::new(), ..force_pushed(1, 1, None) }),
            "an invalid timestamp",
        ),
    ] {
        refused(part, &edit);
    }
}

#[test]
fn errors_and_passes_are_not_overridden() {
    let verdicts =
        [Verdict::Pass, Verdict::Unchanged, Verdict::Fail, Verdict::Inconclusive, Verdict::Incomplete];
    let may = verdicts.map(may_be_overridden);
    assert_eq!(may, [false, false, true, true, true]);
}
