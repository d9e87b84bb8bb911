//! Places in which two sequences differ, with bounded work.

use std::ops::Range;

/// The most insertions and deletions that are looked for. A patch has far fewer; beyond it only the part between the equal
/// ends is known.
const MAX_EDITS: usize = 128;

/// A place: a range of the old sequence that became a range of the new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hunk {
    pub(super) old: Range<usize>,
    pub(super) new: Range<usize>,
}

/// The alignment of two sequences.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Alignment {
    /// The places, in order.
    pub(super) hunks: Vec<Hunk>,
    /// Whether the places are exact; otherwise the one place reaches from the first to the last difference.
    pub(super) exact: bool,
}

/// Aligns two sequences by the shortest edit script (Myers 1986), in O((n + m) · 128).
pub(super) fn align<T: PartialEq>(old: &[T], new: &[T]) -> Alignment {
    let prefix = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (&old[prefix..], &new[prefix..]);
    let suffix = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (&old_rest[..old_rest.len() - suffix], &new_rest[..new_rest.len() - suffix]);
    if old_rest.is_empty() && new_rest.is_empty() {
        return Alignment { hunks: Vec::new(), exact: true };
    }
    let shift = |range: Range<usize>| range.start + prefix..range.end + prefix;
    match edits(old_rest, new_rest) {
        Some(matches) => {
            let hunks = hunks(&matches, old_rest.len(), new_rest.len());
            let hunks =
                hunks.into_iter().map(|hunk| Hunk { old: shift(hunk.old), new: shift(hunk.new) }).collect();
            Alignment { hunks, exact: true }
        }
        None => {
            let whole = Hunk { old: shift(0..old_rest.len()), new: shift(0..new_rest.len()) };
            Alignment { hunks: vec![whole], exact: false }
        }
    }
}

/// Runs of equal elements (old start, new start, length), last run first; `None` beyond [`MAX_EDITS`].
fn edits<T: PartialEq>(old: &[T], new: &[T]) -> Option<Vec<(usize, usize, usize)>> {
    // `reached[k]` is the furthest old position on diagonal old − new = k − MAX_EDITS, as in Myers' paper.
    let (rows, columns) = (old.len() as isize, new.len() as isize);
    let center = MAX_EDITS as isize + 1;
    let mut reached = vec![0_isize; 2 * MAX_EDITS + 3];
    let mut trace: Vec<Vec<isize>> = Vec::new();
    for edit in 0..=MAX_EDITS as isize {
        trace.push(reached.clone());
        for diagonal in (-edit..=edit).step_by(2) {
            let at = (center + diagonal) as usize;
            let down = diagonal == -edit || (diagonal != edit && reached[at - 1] < reached[at + 1]);
            let mut row = if down { reached[at + 1] } else { reached[at - 1] + 1 };
            let mut column = row - diagonal;
            while row < rows
                && column < columns
                && row >= 0
                && column >= 0
                && old[row as usize] == new[column as usize]
            {
                row += 1;
                column += 1;
            }
            reached[at] = row;
            if row >= rows && column >= columns {
                return Some(backtrack(&trace, rows, columns, center));
            }
        }
    }
    None
}

fn backtrack(trace: &[Vec<isize>], rows: isize, columns: isize, center: isize) -> Vec<(usize, usize, usize)> {
    let (mut row, mut column) = (rows, columns);
    let mut runs = Vec::new();
    for (edit, reached) in trace.iter().enumerate().rev() {
        let edit = edit as isize;
        let diagonal = row - column;
        let at = (center + diagonal) as usize;
        let down = diagonal == -edit || (diagonal != edit && reached[at - 1] < reached[at + 1]);
        let (from_row, from_column) = if edit == 0 {
            (0, 0)
        } else if down {
            (reached[at + 1], reached[at + 1] - diagonal - 1)
        } else {
            (reached[at - 1], reached[at - 1] - diagonal + 1)
        };
        // The position after the edit, where the run of equal elements begins.
        let start = match (edit, down) {
            (0, _) => 0,
            (_, true) => from_row,
            (_, false) => from_row + 1,
        };
        if row > start {
            runs.push((start as usize, (start - diagonal) as usize, (row - start) as usize));
        }
        (row, column) = (from_row, from_column);
    }
    runs
}

/// The places between runs of equal elements.
fn hunks(runs: &[(usize, usize, usize)], rows: usize, columns: usize) -> Vec<Hunk> {
    let mut hunks = Vec::new();
    let (mut old, mut new) = (0, 0);
    for &(old_start, new_start, length) in runs.iter().rev().chain(&[(rows, columns, 0)]) {
        if old_start > old || new_start > new {
            hunks.push(Hunk { old: old..old_start, new: new..new_start });
        }
        (old, new) = (old_start + length, new_start + length);
    }
    hunks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hunk(old: Range<usize>, new: Range<usize>) -> Hunk {
        Hunk { old, new }
    }

    #[test]
    fn places_of_known_sequences() {
        let align = |old: &str, new: &str| align(old.as_bytes(), new.as_bytes()).hunks;
        assert_eq!(align("abc", "abc"), []);
        assert_eq!(align("", "ab"), [hunk(0..0, 0..2)]);
        assert_eq!(align("ab", ""), [hunk(0..2, 0..0)]);
        assert_eq!(align("abcdef", "abXdef"), [hunk(2..3, 2..3)]);
        assert_eq!(align("abcdef", "bcdefg"), [hunk(0..1, 0..0), hunk(6..6, 5..6)]);
        assert_eq!(align("aXcYe", "abcde"), [hunk(1..2, 1..2), hunk(3..4, 3..4)]);
    }

    #[test]
    fn many_differences_are_one_place() {
        let old: Vec<usize> = (0..40_000).collect();
        let mut new: Vec<usize> = (40_000..80_000).collect();
        (new[0], new[39_999]) = (0, 39_999);
        assert_eq!(align(&old, &new), Alignment { hunks: vec![hunk(1..39_999, 1..39_999)], exact: false });
    }

    proptest! {
        #[test]
        fn places_turn_the_old_sequence_into_the_new_one(old in "[a-c]{0,24}", new in "[a-c]{0,24}") {
            let (old, new) = (old.as_bytes(), new.as_bytes());
            let alignment = align(old, new);
            prop_assert!(alignment.exact);
            let mut built = Vec::new();
            let mut at = 0;
            for hunk in &alignment.hunks {
                prop_assert!(!hunk.old.is_empty() || !hunk.new.is_empty());
                built.extend_from_slice(&old[at..hunk.old.start]);
                prop_assert_eq!(built.len(), hunk.new.start);
                built.extend_from_slice(&new[hunk.new.clone()]);
                at = hunk.old.end;
            }
            built.extend_from_slice(&old[at..]);
            prop_assert_eq!(built, new);
            // The script is a shortest one: its equal elements are a longest common subsequence.
            let kept = old.len() - alignment.hunks.iter().map(|hunk| hunk.old.len()).sum::<usize>();
            prop_assert_eq!(kept, longest_common(old, new));
        }
    }

    fn longest_common(old: &[u8], new: &[u8]) -> usize {
        let mut lengths = vec![vec![0; new.len() + 1]; old.len() + 1];
        for (i, a) in old.iter().enumerate() {
            for (j, b) in new.iter().enumerate() {
                lengths[i + 1][j + 1] =
                    if a == b { lengths[i][j] + 1 } else { lengths[i][j + 1].max(lengths[i + 1][j]) };
            }
        }
        lengths[old.len()][new.len()]
    }
}
