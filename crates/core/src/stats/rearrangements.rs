//! Other assignments of the scores of two sides to these sides.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::permutation::below;

/// Ways to pick `first` of `first + second` places other than the first ones, or the last ones where that is the same
/// division with the sides swapped. All of them if they are at most `limit`, otherwise `limit` that are drawn.
pub fn rearrangements(first: usize, second: usize, limit: usize, seed: u64) -> Vec<Vec<usize>> {
    let places = first + second;
    let is_other = |picks: &[usize]| {
        let starts_at = |start: usize| picks.iter().copied().eq(start..start + first);
        !(starts_at(0) || (first == second && starts_at(second)))
    };
    if first == 0 || second == 0 || places < 3 {
        return Vec::new();
    }
    let observed = if first == second { 2.0 } else { 1.0 };
    if combinations(places, first) - observed <= limit as f64 {
        return all_picks(places, first).into_iter().filter(|picks| is_other(picks)).collect();
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..places).collect();
    let mut drawn = Vec::with_capacity(limit);
    while drawn.len() < limit {
        for place in 0..first {
            order.swap(place, place + below(&mut random, places - place));
        }
        let mut picks = order[..first].to_vec();
        picks.sort_unstable();
        if is_other(&picks) {
            drawn.push(picks);
        }
    }
    drawn
}

/// The number of ways to pick `picks` of `places`.
fn combinations(places: usize, picks: usize) -> f64 {
    (0..picks).map(|index| (places - index) as f64 / (index + 1) as f64).product::<f64>().round()
}

/// All ways to pick `count` of `places`, each in ascending order.
fn all_picks(places: usize, count: usize) -> Vec<Vec<usize>> {
    let mut picks: Vec<usize> = (0..count).collect();
    let mut all = vec![picks.clone()];
    while let Some(last) = (0..count).rev().find(|index| picks[*index] < places - count + index) {
        picks[last] += 1;
        for index in last + 1..count {
            picks[index] = picks[index - 1] + 1;
        }
        all.push(picks.clone());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_rearrangements_are_all_there_and_the_observed_one_is_not() {
        // 20 ways to pick 3 of 6, without the observed one and its mirror image.
        let all = rearrangements(3, 3, 40, 0);
        assert_eq!(all.len(), 18);
        assert!(!all.contains(&vec![0, 1, 2]) && !all.contains(&vec![3, 4, 5]));
        let distinct: std::collections::HashSet<&Vec<usize>> = all.iter().collect();
        assert_eq!(distinct.len(), 18);
        assert_eq!(rearrangements(1, 3, 40, 0), [vec![1], vec![2], vec![3]]);
    }

    #[test]
    fn many_rearrangements_are_drawn_by_seed() {
        let drawn = rearrangements(6, 6, 40, 1);
        assert_eq!(drawn.len(), 40);
        assert!(drawn.iter().all(|picks| picks.len() == 6 && picks.is_sorted() && picks[5] < 12));
        assert!(!drawn.contains(&(0..6).collect()) && !drawn.contains(&(6..12).collect()));
        assert_eq!(drawn, rearrangements(6, 6, 40, 1));
        assert_ne!(drawn, rearrangements(6, 6, 40, 2));
    }

    #[test]
    fn single_scores_have_no_rearrangement() {
        assert!(rearrangements(1, 1, 40, 0).is_empty());
        assert!(rearrangements(0, 3, 40, 0).is_empty() && rearrangements(3, 0, 40, 0).is_empty());
    }
}
