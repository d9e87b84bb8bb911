//! "Did you mean": the known word that a mistyped one is nearest to.

/// Words of other tools, and ours.
const ELSEWHERE: [(&str, &str); 8] = [
    ("assert", "checks"),
    ("asserts", "checks"),
    ("cases", "dataset"),
    ("prompts", "prompt"),
    ("provider", "endpoint"),
    ("providers", "endpoint"),
    ("tests", "dataset"),
    ("threshold", "min"),
];

/// The candidate that is nearest to `word`, if it is near enough to be what was meant: one edit, or one in
/// three characters, transpositions counting as one. Case and `-` against `_` do not count. The first of equals.
///
/// A word that other tools have for a candidate counts as that candidate: `threshold` for `min`.
pub fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let word = plain(word);
    let length = word.chars().count();
    // Distances take quadratic time, and no key of ours is that long.
    if length == 0 || length > 100 {
        return None;
    }
    let allowed = (length / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let elsewhere = ELSEWHERE.iter().filter(|(_, ours)| candidates.contains(ours));
    let spelt = candidates.iter().map(|ours| (*ours, *ours)).chain(elsewhere.copied());
    for (spelling, candidate) in spelt {
        let distance = strsim::damerau_levenshtein(&word, &plain(spelling));
        let whole = distance < spelling.chars().count();
        if distance <= allowed && whole && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate.to_owned())
}
