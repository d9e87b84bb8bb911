//! The text form of events: JSON lines, each with the hash of the line before it.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Digest, Event};

#[derive(Serialize, Deserialize)]
struct Line {
    /// The digest of the line before, without its line feed; null in the first line.
    previous: Option<Digest>,
    #[serde(flatten)]
    event: Event,
}

/// Damage of a ledger's file: a line that was changed, removed or cut.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct BrokenChain {
    /// The line, from 1.
    pub line: usize,
    /// The damage.
    pub problem: String,
}

/// Events that were read, and the digest of the last line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chain {
    /// The events, in order.
    pub events: Vec<Event>,
    /// The digest of the last line; `None` without events.
    pub tip: Option<Digest>,
}

/// Returns the lines of `events`, to be appended after the line with the digest `tip`, and the new tip.
///
/// # Errors
/// An event that JSON does not hold as it is: one with a number that is not finite would damage the ledger.
pub fn lines(tip: Option<&Digest>, events: &[Event]) -> Result<(String, Option<Digest>), serde_json::Error> {
    let mut previous = tip.cloned();
    let mut text = String::new();
    for event in events {
        let line = serde_json::to_string(&Line { previous, event: event.clone() })?;
        if serde_json::from_str::<Line>(&line)?.event != *event {
            return Err(serde::ser::Error::custom("the event changes when it is written as JSON"));
        }
        previous = Some(digest(&line));
        text.push_str(&line);
        text.push('\n');
    }
    Ok((text, previous))
}

/// Reads a ledger's file and verifies that each line names the one before it.
///
/// # Errors
/// The first line that is damaged.
pub fn read(text: &str) -> Result<Chain, BrokenChain> {
    let mut chain = Chain::default();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let broken = |problem: String| BrokenChain { line: index + 1, problem };
        let line = line.strip_suffix('\n').ok_or_else(|| broken("the line is cut off".to_owned()))?;
        let Line { previous, event } =
            serde_json::from_str(line).map_err(|error| broken(format!("not an event: {error}")))?;
        if previous != chain.tip {
            return Err(broken("the line before it was changed or removed".to_owned()));
        }
        chain.tip = Some(digest(line));
        chain.events.push(event);
    }
    Ok(chain)
}

/// The digest of a line, without its line feed.
pub fn digest(line: &str) -> Digest {
    Digest::of(line)
}
