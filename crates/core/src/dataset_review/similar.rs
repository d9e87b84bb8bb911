//! Sets of words that are almost equal, found by MinHash and locality-sensitive hashing.
//!
//! Sets of at least [`MIN_WORDS`] words whose Jaccard similarity is [`SIMILAR`] or more are found with a probability above
//! 99.9 %; a pair below it is never returned, since every candidate is verified. Each bucket keeps at most [`MAX_IN_BUCKET`]
//! sets, which bounds the work where thousands of sets are half alike.

use std::borrow::Cow;
use std::collections::HashMap;

use super::words::Word;

/// The Jaccard similarity from which two sets are almost equal.
pub(super) const SIMILAR: f64 = 0.8;
/// The number of distinct words below which sets are compared for equality alone.
const MIN_WORDS: usize = 5;
/// The number of distinct words above which sets are compared by as many of their words.
const MAX_WORDS: usize = 1_000;
const BANDS: u64 = 16;
const ROWS: u64 = 4;
const MAX_IN_BUCKET: usize = 32;

/// Calls `join` with each pair that is found, the earlier place first. The sets are sorted, and `accepts` has the last word.
pub(super) fn pairs(
    sets: &[Vec<Word>],
    accepts: impl Fn(usize, usize) -> bool,
    mut join: impl FnMut(usize, usize),
) {
    let mut buckets: HashMap<(u64, u64), Vec<usize>> = HashMap::new();
    let sets: Vec<Cow<'_, [Word]>> = sets.iter().map(|set| sketch(set)).collect();
    for (place, set) in sets.iter().enumerate() {
        if set.len() < MIN_WORDS {
            continue;
        }
        let mut compared: Vec<usize> = Vec::new();
        for band in 0..BANDS {
            let bucket = buckets.entry((band, signature(set, band))).or_default();
            compared.extend(bucket.iter());
            if bucket.len() < MAX_IN_BUCKET {
                bucket.push(place);
            }
        }
        compared.sort_unstable();
        compared.dedup();
        for other in compared {
            let earlier = sets.get(other).map_or(&[][..], |set| set);
            if are_similar(earlier, set) && accepts(other, place) {
                join(other, place);
            }
        }
    }
}

/// The set, or of a large one the words with the smallest hashes, which large sets share in the same proportion (bottom-k
/// sketch, Cohen and Kaplan 2007).
fn sketch(set: &[Word]) -> Cow<'_, [Word]> {
    if set.len() <= MAX_WORDS {
        return Cow::Borrowed(set);
    }
    let mut hashed: Vec<(u64, Word)> = set.iter().map(|word| (mix(u64::from(*word)), *word)).collect();
    hashed.select_nth_unstable(MAX_WORDS);
    let mut words: Vec<Word> = hashed.into_iter().take(MAX_WORDS).map(|(_, word)| word).collect();
    words.sort_unstable();
    Cow::Owned(words)
}

/// The hash of the smallest hashes of a set, by the functions of a band.
fn signature(set: &[Word], band: u64) -> u64 {
    (0..ROWS).fold(0, |signature, row| {
        let seed = mix(band * ROWS + row + 1);
        let smallest = set.iter().map(|word| mix(u64::from(*word) ^ seed)).min();
        mix(signature ^ smallest.unwrap_or_default())
    })
}

/// A fixed permutation of the 64-bit numbers that looks random: the finalizer of SplitMix64.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// Whether the Jaccard similarity of two sorted sets reaches [`SIMILAR`].
fn are_similar(one: &[Word], other: &[Word]) -> bool {
    let (shorter, longer) = (one.len().min(other.len()), one.len().max(other.len()));
    if (shorter as f64) < SIMILAR * longer as f64 {
        return false;
    }
    let common = common(one, other);
    common as f64 >= SIMILAR * (one.len() + other.len() - common) as f64
}

/// The number of elements that two sorted sets share.
pub(super) fn common(one: &[Word], other: &[Word]) -> usize {
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    let mut count = 0;
    while let (Some(left), Some(right)) = (one.peek(), other.peek()) {
        match left.cmp(right) {
            std::cmp::Ordering::Less => _ = one.next(),
            std::cmp::Ordering::Greater => _ = other.next(),
            std::cmp::Ordering::Equal => {
                count += 1;
                one.next();
                other.next();
            }
        }
    }
    count
}

/// Places that are joined into sets.
#[derive(Debug)]
pub(super) struct Joined {
    parents: Vec<usize>,
}

impl Joined {
    pub(super) fn new(places: usize) -> Self {
        Self { parents: (0..places).collect() }
    }

    /// The first place of the set of a place.
    pub(super) fn first(&mut self, place: usize) -> usize {
        let mut first = place;
        while let Some(parent) = self.parents.get(first).copied().filter(|parent| *parent != first) {
            // Halves the path for later calls.
            let above = self.parents.get(parent).copied().unwrap_or(parent);
            if let Some(slot) = self.parents.get_mut(first) {
                *slot = above;
            }
            first = parent;
        }
        first
    }

    /// Joins the sets of two places.
    pub(super) fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.first(one), self.first(other));
        if let Some(slot) = self.parents.get_mut(one.max(other)) {
            *slot = one.min(other);
        }
    }

    /// The sets of at least two places, in order.
    pub(super) fn sets(&mut self) -> Vec<Vec<usize>> {
        let mut by_first: std::collections::BTreeMap<usize, Vec<usize>> = std::collections::BTreeMap::new();
        for place in 0..self.parents.len() {
            by_first.entry(self.first(place)).or_default().push(place);
        }
        by_first.into_values().filter(|set| set.len() > 1).collect()
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

    use super::*;

    fn found(sets: &[Vec<Word>]) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        pairs(sets, |_, _| true, |one, other| found.push((one, other)));
        found
    }

    #[test]
    fn pairs_are_those_of_a_comparison_of_all() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        // Copies of a few sets in which up to three of twenty words are replaced.
        let sets: Vec<Vec<Word>> = (0..400)
            .map(|_| {
                let base = (random.next_u32() % 80) * 100;
                let mut set: Vec<Word> = (base..base + 20).collect();
                for _ in 0..random.next_u32() % 4 {
                    let place = random.next_u32() as usize % set.len();
                    set[place] = 10_000 + random.next_u32() % 1_000_000;
                }
                set.sort_unstable();
                set.dedup();
                set
            })
            .collect();
        let mut expected = Vec::new();
        for other in 0..sets.len() {
            let jaccard = |one: usize| {
                let shared = sets[one].iter().filter(|word| sets[other].contains(word)).count();
                shared as f64 / (sets[one].len() + sets[other].len() - shared) as f64
            };
            expected.extend((0..other).filter(|one| jaccard(*one) >= 0.8).map(|one| (one, other)));
        }
        assert!(expected.len() > 300, "{}", expected.len());
        assert_eq!(found(&sets), expected);
    }

    #[test]
    fn similarity_is_inclusive_and_short_sets_are_left_out() {
        assert_eq!(found(&[vec![1, 2, 3, 4], vec![1, 2, 3, 4]]), []);
        let nine: Vec<Word> = (0..9).collect();
        assert_eq!(found(&[nine.clone(), (0..10).collect()]), [(0, 1)], "9 of 10");
        assert!(are_similar(&[1, 2, 3, 4], &[1, 2, 3, 4, 5]), "4 of 5");
        assert!(!are_similar(&[1, 2, 3, 4, 6], &[1, 2, 3, 4, 5]), "4 of 6");
    }

    #[test]
    fn long_sets_are_compared_by_a_part_of_their_words() {
        let long = |replaced: Word| -> Vec<Word> {
            (0..20_000).map(|word| if word < replaced { 1_000_000 + word } else { word }).collect()
        };
        let sorted = |mut set: Vec<Word>| {
            set.sort_unstable();
            set
        };
        assert_eq!(sketch(&sorted(long(0))).len(), MAX_WORDS);
        // 95 % and 50 % of the words are the same: similarities of 0.90 and 0.33.
        let sets = [long(0), long(1_000), long(10_000)].map(sorted);
        assert_eq!(found(&sets), [(0, 1)]);
    }

    #[test]
    fn joined_places_are_one_set() {
        let mut joined = Joined::new(6);
        [(4, 5), (1, 4), (0, 2)].iter().for_each(|(one, other)| joined.join(*one, *other));
        assert_eq!(joined.sets(), [vec![0, 2], vec![1, 4, 5]]);
    }
}
