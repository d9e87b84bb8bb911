//! Dependencies point down only: the table of rooms, held against the `crate::` paths in the source.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::support::repository;

/// Each room and the rooms it may use.
const ROOMS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("stats", &[]),
    ("text", &[]),
    ("port", &["model"]),
    ("template", &["model"]),
    ("document", &["model"]),
    ("check", &["model", "port", "text"]),
    ("judge", &["model", "port", "template", "text"]),
    ("calibrate", &["model", "port", "judge", "stats"]),
    ("metric", &["model", "stats"]),
    ("gate", &["model", "stats"]),
    ("engine", &["model", "port", "check", "judge", "template"]),
    ("store", &["model", "port", "text"]),
    ("endpoint", &["model", "port", "text", "judge::request", "judge::reply"]),
    ("load", &["model", "port", "text", "document"]),
    ("report", &["model", "port", "text"]),
    ("github", &["model", "text"]),
    ("config", &["model", "document", "check", "judge", "gate"]),
    ("forecast", &["model", "stats", "gate"]),
    ("evaluate", &["model", "port", "engine", "metric", "gate", "forecast"]),
];

/// `crate::` paths outside tests, first two segments, by file.
fn paths(folder: &Path, found: &mut BTreeMap<String, BTreeSet<String>>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.is_dir() {
            if name != "tests" {
                paths(&path, found);
            }
        } else if name.ends_with(".rs") && name != "tests.rs" && !name.ends_with("_tests.rs") {
            let text = std::fs::read_to_string(&path).expect("a file");
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
                for (at, _) in line.match_indices("crate::") {
                    let rest: String = line[at + 7..]
                        .chars()
                        .take_while(|letter| letter.is_alphanumeric() || *letter == '_' || *letter == ':')
                        .collect();
                    let file = path.strip_prefix(repository()).expect("a path below").display().to_string();
                    found.entry(file).or_default().insert(rest);
                }
            }
        }
    }
}

#[test]
fn rooms_depend_downwards_only() {
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(repository().join("src")).expect("src") {
        let path = entry.expect("an entry").path();
        if !path.is_dir() {
            continue;
        }
        let room = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        if room == "cli" {
            continue;
        }
        let allowed = ROOMS.iter().find(|(name, _)| *name == room);
        let Some((_, allowed)) = allowed else {
            wrong.push(format!("src/{room} is not in the table"));
            continue;
        };
        let mut found = BTreeMap::new();
        paths(&path, &mut found);
        for (file, uses) in found {
            for used in uses {
                let own = used == room || used.starts_with(&format!("{room}::"));
                let may =
                    allowed.iter().any(|target| used == *target || used.starts_with(&format!("{target}::")));
                if !own && !may {
                    wrong.push(format!("{file} uses crate::{used}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_is_two_rooms() {
    fn visit(folder: &Path, long: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                visit(&path, long);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let lines = std::fs::read_to_string(&path).expect("a file").lines().count();
                if lines > 500 {
                    long.push(format!("{}: {lines} lines", path.display()));
                }
            }
        }
    }
    let mut long = Vec::new();
    visit(&repository().join("src"), &mut long);
    assert!(long.is_empty(), "{}", long.join("\n"));
}
