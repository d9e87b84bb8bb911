//! Whether a word is another one with its spelling corrected.

use super::Doubt;

/// The fewest letters of a word whose spelling a patch may correct.
const MIN_LETTERS: usize = 4;

/// Checks that two words of Latin letters, each of four or more, have the same first letter and Damerau distance 1.
///
/// Other scripts have no lists of guarded words here, and letters that only look the same are in them.
///
/// # Errors
/// Why the change is more than a correction.
pub(super) fn is_correction(old: &str, new: &str) -> Result<(), Doubt> {
    if !(old.chars().all(is_latin) && new.chars().all(is_latin)) {
        return Err("not only Latin letters".to_owned());
    }
    if old == old.to_uppercase() && new == new.to_uppercase() {
        return Err("a word in capitals".to_owned());
    }
    let is_short = |word: &str| word.chars().take(MIN_LETTERS).count() < MIN_LETTERS;
    if is_short(old)
        || is_short(new)
        || old.chars().next() != new.chars().next()
        || !is_distance_one(old, new)
    {
        return Err("another word".to_owned());
    }
    Ok(())
}

/// Letters of the languages of Europe, composed.
fn is_latin(letter: char) -> bool {
    matches!(letter, 'A'..='Z' | 'a'..='z' | 'À'..='Ö' | 'Ø'..='ö' | 'ø'..='ż' | 'Ž' | 'ž' | 'Ș'..='ț' | 'Ḁ'..='ỹ')
        && letter != 'ı' // looks like an i
}

/// Whether one insertion, deletion, substitution or transposition of neighbors turns a text into another. Linear.
fn is_distance_one(old: &str, new: &str) -> bool {
    let old: Vec<char> = old.chars().collect();
    let new: Vec<char> = new.chars().collect();
    let prefix = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[prefix..], &new[prefix..]);
    let suffix = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    match (&old[..old.len() - suffix], &new[..new.len() - suffix]) {
        ([_], [] | [_]) | ([], [_]) => true,
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn distance_one_agrees_with_the_matrix(old in "[abc]{0,7}", new in "[abc]{0,7}") {
            prop_assert_eq!(is_distance_one(&old, &new), distance(&old, &new) == 1);
        }
    }

    /// Restricted Damerau-Levenshtein distance (optimal string alignment), by its recurrence.
    fn distance(old: &str, new: &str) -> usize {
        let (old, new) = (old.as_bytes(), new.as_bytes());
        let mut rows = vec![vec![0; new.len() + 1]; old.len() + 1];
        for i in 0..=old.len() {
            for j in 0..=new.len() {
                rows[i][j] = if i == 0 || j == 0 {
                    i + j
                } else {
                    let substitution = rows[i - 1][j - 1] + usize::from(old[i - 1] != new[j - 1]);
                    let mut best = substitution.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                    if i > 1 && j > 1 && old[i - 1] == new[j - 2] && old[i - 2] == new[j - 1] {
                        best = best.min(rows[i - 2][j - 2] + 1);
                    }
                    best
                };
            }
        }
        rows[old.len()][new.len()]
    }

    #[test]
    fn corrections_of_spelling() {
        for (old, new) in [
            ("recieve", "receive"), // typos:ignore
            ("politly", "politely"),
            ("custommer", "customer"),
            ("answar", "answer"),
            ("cafe", "café"),
            ("Gruse", "Grüse"),
        ] {
            assert_eq!(is_correction(old, new), Ok(()), "{old} {new}");
            assert_eq!(is_correction(new, old), Ok(()), "{new} {old}");
        }
    }

    #[test]
    fn other_changes_are_doubtful() {
        for (old, new) in [
            ("able", "unable"),
            ("brief", "grief"),
            ("offer", "deny"),
            ("the", "teh"), // typos:ignore
            ("form", "forum2"),
            ("payment", "pаyment"),       // Cyrillic а
            ("refund", "refu\u{200B}nd"), // typos:ignore
            ("title", "tıtle"),
            ("office", "ofﬁce"),
            ("BILLING", "BILING"),
            ("слово", "слава"),
            ("we're", "were"),
        ] {
            assert!(is_correction(old, new).is_err(), "{old} {new}");
        }
    }
}
