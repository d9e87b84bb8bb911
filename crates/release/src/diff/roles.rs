//! The sequence of roles, and which messages of two contents belong together.

use promptgate_core::model::{Message, MessageRole};

use super::Change;
use crate::Level;

/// Messages that are compared with each other, by index.
#[derive(Debug, Default)]
pub(super) struct Pairing {
    /// Old and new index.
    pub(super) pairs: Vec<(usize, usize)>,
    /// Whether each old message belongs to an example.
    pub(super) old_examples: Vec<bool>,
    /// Whether each new message belongs to an example.
    pub(super) new_examples: Vec<bool>,
}

pub(super) fn pair(old: &[Message], new: &[Message]) -> (Pairing, Vec<Change>) {
    let (old_examples, new_examples) = (examples(old), examples(new));
    let rest =
        |examples: &[bool]| -> Vec<usize> { (0..examples.len()).filter(|index| !examples[*index]).collect() };
    let (old_rest, new_rest) = (rest(&old_examples), rest(&new_examples));
    let roles = |messages: &[Message], rest: &[usize]| -> Vec<MessageRole> {
        rest.iter().map(|index| messages[*index].role).collect()
    };
    let (old_roles, new_roles) = (roles(old, &old_rest), roles(new, &new_rest));
    let mut pairing = Pairing { pairs: Vec::new(), old_examples, new_examples };
    let mut changes = Vec::new();
    if old_roles != new_roles {
        let text = format!("the roles changed from {} to {}", sequence(&old_roles), sequence(&new_roles));
        changes.push(Change::new(Level::Major, text));
        return (pairing, changes);
    }
    if old.iter().map(|message| message.role).eq(new.iter().map(|message| message.role)) {
        pairing.pairs = (0..old.len()).map(|index| (index, index)).collect();
        return (pairing, changes);
    }
    pairing.pairs = old_rest.into_iter().zip(new_rest).collect();
    let count = |examples: &[bool]| examples.iter().filter(|example| **example).count() / 2;
    let (before, after) = (count(&pairing.old_examples), count(&pairing.new_examples));
    let text = if before == after {
        "examples (pairs of a user and an assistant message) were moved".to_owned()
    } else {
        format!(
            "the number of examples (pairs of a user and an assistant message) changed from {before} to {after}"
        )
    };
    changes.push(Change::new(Level::Minor, text));
    (pairing, changes)
}

/// Whether each message belongs to an example: a user message and an answer to it, before the last user message.
fn examples(messages: &[Message]) -> Vec<bool> {
    let mut examples = vec![false; messages.len()];
    let last = messages.iter().rposition(|message| message.role == MessageRole::User).unwrap_or(0);
    let mut index = 0;
    while index + 1 < last {
        let pair = (messages[index].role, messages[index + 1].role);
        if pair == (MessageRole::User, MessageRole::Assistant) {
            examples[index] = true;
            examples[index + 1] = true;
            index += 1;
        }
        index += 1;
    }
    examples
}

fn sequence(roles: &[MessageRole]) -> String {
    const MAX_ROLES: usize = 8;
    if roles.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<&str> = roles.iter().take(MAX_ROLES).map(|role| role.as_str()).collect();
    let more = if roles.len() > MAX_ROLES { ", …" } else { "" };
    format!("{}{more}", names.join(", "))
}
