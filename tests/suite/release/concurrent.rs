//! Several processes at once over one bare repository: no event is lost, none is doubled, and one of two wins.

use std::process::{Child, Stdio};

use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::support::{ALONE, CHANGES, FIRST, NAME, REPORT, Suite};

/// The seed of the order in which processes are started.
const SEED: u64 = 16;

/// Starts a command, and returns it.
fn start(suite: &Suite, arguments: &[&str]) -> Child {
    let mut command = suite.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the executable runs")
}

/// The exit code and the output.
fn end(child: Child) -> (i32, String) {
    let output = child.wait_with_output().expect("an exit");
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap_or(-1), text.into_owned())
}

/// A repository with 1.0.0 in production, and a clone of it for each change, with a report.
fn clones() -> (Suite, Vec<Suite>) {
    let mut suite = Suite::on_branch(ALONE);
    suite.in_job("push", "carol");
    suite.release(FIRST, "first");
    suite.serve("1.0.0");
    let changed = |text: &&str| {
        let mut clone = suite.clone_of();
        clone.in_job("push", "dave");
        clone.write("reason: a change", text);
        clone.folder.git(&["commit", "--quiet", "-a", "-m", "Change the prompt"]);
        clone.evaluate();
        clone
    };
    let clones = CHANGES.iter().map(changed).collect();
    (suite, clones)
}

#[test]
fn all_publications_get_versions_of_their_own() {
    let (suite, clones) = clones();
    let publish = ["publish", "--report", REPORT, "--allow-simulated"];
    // Each twice, as a job that is run again.
    let mut writers: Vec<&Suite> = clones.iter().chain(&clones).collect();
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    writers.shuffle(&mut random);
    let running: Vec<Child> = writers.iter().map(|clone| start(clone, &publish)).collect();
    let ended: Vec<(i32, String)> = running.into_iter().map(end).collect();
    println!("{} writers, seed {SEED}: {} published", writers.len(), clones.len());
    for (code, text) in &ended {
        assert_eq!(*code, 0, "{text}");
    }
    let published = ended.iter().filter(|(_, text)| text.contains("published 1.")).count();
    assert_eq!(published, clones.len(), "{ended:?}");
    let mut numbers: Vec<u64> =
        suite.events("published").iter().map(|event| event["number"].as_u64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=clones.len() as u64 + 1).collect::<Vec<_>>());
    assert_eq!(suite.events("evaluated").len(), clones.len() + 1);
    suite.run(&["log", "--verify", "--refresh"]).expect_code(0);
}

#[test]
fn one_of_several_promotions_wins() {
    let (suite, clones) = clones();
    for clone in &clones {
        clone.publish().expect_code(0);
    }
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut lines = Vec::new();
    let mut moves = suite.events("moved").len();
    for (round, versions) in [["1.1.0", "1.2.0"], ["1.3.0", "1.4.0"], ["1.5.0", "1.6.0"]].iter().enumerate() {
        // Either of them wins, or one after the other: the higher one is never followed by the lower one.
        let running: Vec<Child> = clones
            .iter()
            .map(|clone| {
                let version = versions[random.random_range(0..versions.len())];
                start(clone, &["promote", NAME, version, "--to", "staging", "--allow-simulated"])
            })
            .collect();
        let ended: Vec<(i32, String)> = running.into_iter().map(end).collect();
        let moved = ended.iter().filter(|(_, text)| text.contains("staging moved")).count();
        assert!(ended.iter().all(|(code, _)| matches!(code, 0 | 10)), "{ended:?}");
        assert!((1..=2).contains(&moved), "{ended:?}");
        // Every move that was said is in the ledger, and no other.
        moves += moved;
        let events = suite.events("moved");
        assert_eq!(events.len(), moves, "{ended:?}");
        for pair in
            events.windows(2).filter(|pair| pair[1]["label"] == "staging" && pair[0]["label"] == "staging")
        {
            assert_eq!(pair[1]["from"], pair[0]["version"], "{events:?}");
        }
        lines.push(format!("round {round}: {moved} of {} moved", ended.len()));
    }
    println!("{} processes, seed {SEED}: {}", 3 * clones.len(), lines.join(", "));
    suite.run(&["log", "--verify", "--refresh"]).expect_code(0);
}

#[test]
fn rollback_wins_over_promotions_of_the_same_version() {
    let (suite, clones) = clones();
    clones[0].publish().expect_code(0);
    suite.serve("1.1.0");
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut order: Vec<usize> = (0..clones.len()).collect();
    order.shuffle(&mut random);
    let running: Vec<Child> = order
        .iter()
        .map(|index| match index % 2 {
            0 => {
                start(&clones[*index], &["rollback", NAME, "--to", "1.0.0", "--reason", "customers complain"])
            }
            _ => {
                start(&clones[*index], &["promote", NAME, "1.1.0", "--to", "production", "--allow-simulated"])
            }
        })
        .collect();
    let ended: Vec<(i32, String)> = running.into_iter().map(end).collect();
    println!(
        "{} processes, seed {SEED}: {:?}",
        ended.len(),
        ended.iter().map(|(code, _)| code).collect::<Vec<_>>()
    );
    assert_eq!(suite.label("production"), "1.0.0", "{ended:?}");
    let moved = suite.events("moved");
    let rollbacks = moved.iter().filter(|event| event["cause"] == "rollback").count();
    assert_eq!(rollbacks, 1, "{ended:?}");
    assert_eq!(moved.len(), 5);
}
