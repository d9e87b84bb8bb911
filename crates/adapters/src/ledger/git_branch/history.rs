//! Verifies that every commit of a ledger only appended to the events of a prompt.
//!
//! Reading every version of a file takes time that grows with the square of the number of events. A commit of an append
//! therefore names the number of its events and the digest of the last one: a later commit that changes earlier lines
//! cannot agree with the commits before it. The content itself is compared for commits without these lines, and for the
//! newest commits up to a number of bytes.

use promptgate_release::ports::VerifiedCommits;
use promptgate_release::{Name, PortError, RELEASES_FILE, Releases, chain};

use super::super::layout::{damaged, events_path};
use super::commit::{COUNT, TIP};
use super::fetch::Depth;
use super::process::Git;
use super::reader::Reader;
use crate::git::short;

/// Bytes of earlier versions that are compared although their commits agree.
const MAX_COMPARED: usize = 64 << 20;
/// Commits whose assignments are compared.
const MAX_RELEASES: usize = 200;

/// A commit that changed the events of a prompt.
struct Change {
    commit: String,
    /// The object that holds the events after it.
    object: String,
    /// The number of events and the digest of the last one, as the commit names them.
    named: Option<(usize, String)>,
    is_removal: bool,
}

/// Verifies the commits that changed the events of `name`, whose text at the tip is `events`. Fetches the history of the
/// branch if it is missing.
///
/// # Errors
/// [`PortError::Damaged`] with the first commit that changed or removed a line.
pub(super) fn verify_commits(
    git: &Git,
    reader: &mut Reader<'_>,
    name: &Name,
    events: &str,
) -> Result<VerifiedCommits, PortError> {
    let mut complete = is_complete(git, reader)?;
    if !complete && git.fetch(Depth::Full).is_ok() {
        complete = is_complete(git, reader)?;
    }
    let arguments = ["rev-list", "--min-parents=2", "--max-count=1", &reader.tip];
    let merge = git.text(&mut git.command(&arguments), &[])?;
    if !merge.is_empty() {
        return Err(damaged(
            &git.shown(),
            &format!("the commit {} merges, expected commits that append", short(&merge)),
        ));
    }
    let changes = changes(git, &reader.tip, &events_path(name), usize::MAX)?;
    let digests: Vec<(String, usize)> = events
        .split_inclusive('\n')
        .scan(0, |end, line| {
            *end += line.len();
            Some((chain::digest(line.trim_end_matches('\n')).to_string(), *end))
        })
        .collect();
    let sizes = sizes(git, &changes)?;
    let mut newer_size = events.len();
    let mut compared = 0;
    for (change, size) in changes.iter().zip(sizes) {
        // Lines that appeared and went again are found by the sizes, all others by comparison with the newest text.
        if change.is_removal || size > newer_size {
            return Err(first_damage(reader, name, &changes)?);
        }
        newer_size = size;
        let agrees = change.named.as_ref().is_some_and(|(count, tip)| {
            let line = count.checked_sub(1).and_then(|index| digests.get(index));
            line.is_some_and(|(digest, end)| digest == tip && *end == size)
        });
        if agrees && compared + size > MAX_COMPARED {
            continue;
        }
        compared += size;
        let earlier = reader.object(&change.object)?.map(|object| object.content).unwrap_or_default();
        let ends_line = earlier.is_empty() || earlier.ends_with(b"\n");
        if !events.as_bytes().starts_with(&earlier) || !ends_line {
            return Err(first_damage(reader, name, &changes)?);
        }
    }
    Ok(VerifiedCommits { count: changes.len(), complete })
}

/// Verifies that the number of the assignments did not go back in the newest commits: readers refuse a lower one.
///
/// # Errors
/// [`PortError::Damaged`] with a commit that did not.
pub(super) fn verify_releases(git: &Git, reader: &mut Reader<'_>) -> Result<(), PortError> {
    let mut newer: Option<(String, u64)> = None;
    for change in changes(git, &reader.tip, RELEASES_FILE, MAX_RELEASES)? {
        let text = reader.object(&change.object)?.map(|object| object.content).unwrap_or_default();
        // A file that was damaged for a time was not read by anybody either.
        let Ok(releases) = Releases::parse(&String::from_utf8_lossy(&text)) else { continue };
        if let Some((commit, seq)) = newer
            && seq < releases.seq
        {
            let problem = format!(
                "commit {} has seq {seq} after {}, expected one that rises",
                short(&commit),
                releases.seq
            );
            return Err(damaged(RELEASES_FILE, &problem));
        }
        newer = Some((change.commit, releases.seq));
    }
    Ok(())
}

/// Finds the oldest commit that did more than append, to name it.
fn first_damage(reader: &mut Reader<'_>, name: &Name, changes: &[Change]) -> Result<PortError, PortError> {
    let path = events_path(name);
    let mut before: Vec<u8> = Vec::new();
    for change in changes.iter().rev() {
        let commit = short(&change.commit);
        let after = if change.is_removal { None } else { reader.object(&change.object)? };
        let Some(after) = after else {
            return Ok(damaged(&path, &format!("commit {commit} removed the events")));
        };
        if !after.content.starts_with(&before) {
            let equal = before.iter().zip(&after.content).take_while(|(left, right)| left == right).count();
            let line = before.iter().take(equal).filter(|byte| **byte == b'\n').count() + 1;
            return Ok(damaged(
                &format!("{path}:{line}"),
                &format!("commit {commit} changed or removed this line, expected only lines after it"),
            ));
        }
        before = after.content;
    }
    Ok(damaged(&path, "the commits of the branch do not agree with the events"))
}

/// Whether the oldest commit in this clone is the first one.
fn is_complete(git: &Git, reader: &mut Reader<'_>) -> Result<bool, PortError> {
    let arguments = ["rev-list", "--max-parents=0", &reader.tip];
    let oldest = git.text(&mut git.command(&arguments), &[])?;
    for commit in oldest.lines() {
        let text = reader.object(commit)?.map(|object| object.content).unwrap_or_default();
        let header = text.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
        if header.into_iter().any(|line| line.starts_with(b"parent ")) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The newest commits that changed a file, the newest first.
fn changes(git: &Git, tip: &str, path: &str, max: usize) -> Result<Vec<Change>, PortError> {
    let trailer = |key: &str| format!("%(trailers:key={key},valueonly,separator=%x2C)");
    let format = format!("--format=%x01%H%x00{}%x00{}%x00", trailer(COUNT), trailer(TIP));
    let count = format!("--max-count={}", max.min(i32::MAX as usize));
    let arguments =
        ["log", &format, &count, "--raw", "--no-abbrev", "--no-renames", "--full-history", tip, "--", path];
    let text = git.text(&mut git.command(&arguments), &[])?;
    let parse = |entry: &str| {
        let mut fields = entry.split('\0');
        let (commit, count, digest, raw) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        // :MODE SP MODE SP OBJECT SP OBJECT SP STATUS TAB PATH
        let raw = raw.trim_start().split('\t').next()?;
        let mut raw = raw.split(' ').skip(3);
        let (object, status) = (raw.next()?, raw.next()?);
        Some(Change {
            commit: commit.to_owned(),
            object: object.to_owned(),
            named: count.parse().ok().map(|count| (count, digest.to_owned())),
            is_removal: status == "D",
        })
    };
    let entries = text.split('\u{1}').filter(|entry| !entry.trim().is_empty());
    let changes: Option<Vec<Change>> = entries.map(parse).collect();
    changes.ok_or_else(|| git.local_error("git log printed an unexpected line"))
}

/// The sizes of the objects of changes.
fn sizes(git: &Git, changes: &[Change]) -> Result<Vec<usize>, PortError> {
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let mut input = String::new();
    for change in changes {
        input.push_str(&change.object);
        input.push('\n');
    }
    let arguments = ["cat-file", "--batch-check=%(objectsize)"];
    let text = git.text(&mut git.command(&arguments), input.as_bytes())?;
    Ok(text.lines().map(|line| line.parse().unwrap_or(0)).collect())
}
