//! The difference of two lists of messages, word by word.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use promptgate_core::model::Message;
use promptgate_core::text::{Piece, PieceKind, word_diff};

/// A message of either version, or one of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageDiff {
    /// The role of the author.
    pub role: String,
    /// Which versions have the message.
    pub change: MessageChange,
    /// The text in pieces; those that are not added are the first version's, those that are not removed the second's.
    pub segments: Vec<Segment>,
}

/// Which versions have a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageChange {
    /// Both, with the same text.
    Equal,
    /// Both, with different texts.
    Changed,
    /// The second alone.
    Added,
    /// The first alone.
    Removed,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Segment {
    /// Which versions have it.
    pub op: SegmentOp,
    /// The text.
    pub text: String,
}

/// Which versions have a piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SegmentOp {
    /// Both.
    Equal,
    /// The second alone.
    Added,
    /// The first alone.
    Removed,
}

/// Compares messages: aligns equal ones, then those of the same role by their order.
pub fn message_diffs(old: &[Message], new: &[Message]) -> Vec<MessageDiff> {
    let same_start = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (old, new) = (old.split_at(same_start), new.split_at(same_start));
    let same_end = old.1.iter().rev().zip(new.1.iter().rev()).take_while(|(old, new)| old == new).count();
    let (changed_old, end) = old.1.split_at(old.1.len() - same_end);
    let (changed_new, _) = new.1.split_at(new.1.len() - same_end);
    let mut messages: Vec<MessageDiff> = old.0.iter().map(equal).collect();
    let mut waiting = changed_new.iter().peekable();
    for before in changed_old {
        // A message of the same role is the edited one; other roles before it are new.
        if !waiting.clone().any(|after| after.role == before.role) {
            messages.push(whole(before, MessageChange::Removed));
            continue;
        }
        while let Some(after) = waiting.next_if(|after| after.role != before.role) {
            messages.push(whole(after, MessageChange::Added));
        }
        match waiting.next() {
            Some(after) if after == before => messages.push(equal(after)),
            Some(after) => messages.push(MessageDiff {
                role: before.role.as_str().to_owned(),
                change: MessageChange::Changed,
                segments: segments(word_diff(&before.text(), &after.text())),
            }),
            None => {}
        }
    }
    messages.extend(waiting.map(|after| whole(after, MessageChange::Added)));
    messages.extend(end.iter().map(equal));
    messages
}

fn equal(message: &Message) -> MessageDiff {
    whole(message, MessageChange::Equal)
}

fn whole(message: &Message, change: MessageChange) -> MessageDiff {
    let op = match change {
        MessageChange::Added => SegmentOp::Added,
        MessageChange::Removed => SegmentOp::Removed,
        MessageChange::Equal | MessageChange::Changed => SegmentOp::Equal,
    };
    let segments = vec![Segment { op, text: message.text().into_owned() }];
    MessageDiff { role: message.role.as_str().to_owned(), change, segments }
}

/// The pieces of a text as segments.
pub fn segments(pieces: Vec<Piece>) -> Vec<Segment> {
    let op = |kind| match kind {
        PieceKind::Equal => SegmentOp::Equal,
        PieceKind::Removed => SegmentOp::Removed,
        PieceKind::Added => SegmentOp::Added,
    };
    pieces.into_iter().map(|Piece { kind, text }| Segment { op: op(kind), text }).collect()
}
