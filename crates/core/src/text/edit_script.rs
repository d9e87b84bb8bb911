//! Edit scripts of two sequences, by Myers' algorithm.
//!
//! Called by name, on numbers alone: choosing an algorithm at run time compiles all of the crate's for each type.

use std::collections::HashMap;

use similar::DiffOp;
use similar::algorithms::{Capture, Compact, Replace, myers};

/// Returns a shortest edit script.
pub(crate) fn shortest(old: &[usize], new: &[usize]) -> Vec<DiffOp> {
    let mut hook = Capture::new();
    let Ok(()) = myers::diff_deadline_raw(&mut hook, old, 0..old.len(), new, 0..new.len(), None);
    hook.into_ops()
}

/// Returns an edit script of tokens that is short, and groups neighboring changes.
pub(super) fn of_tokens(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    let mut numbers = HashMap::new();
    let old = numbered(old, &mut numbers);
    let new = numbered(new, &mut numbers);
    let (old, new) = (old.as_slice(), new.as_slice());
    let mut hook = Compact::new(Replace::new(Capture::new()), old, new);
    let Ok(()) = myers::diff_deadline(&mut hook, old, 0..old.len(), new, 0..new.len(), None);
    hook.into_inner().into_inner().into_ops()
}

fn numbered<'t>(tokens: &[&'t str], numbers: &mut HashMap<&'t str, usize>) -> Vec<usize> {
    let mut number = |token| {
        let next = numbers.len();
        *numbers.entry(token).or_insert(next)
    };
    tokens.iter().map(|token| number(*token)).collect()
}
