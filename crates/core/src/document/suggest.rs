//! "Did you mean" suggestions.

/// Terms of other tools and the corresponding terms of promptgate.
const SYNONYMS: [(&str, &str); 8] = [
    ("assert", "checks"),
    ("asserts", "checks"),
    ("cases", "dataset"),
    ("prompts", "prompt"),
    ("provider", "endpoint"),
    ("providers", "endpoint"),
    ("tests", "dataset"),
    ("threshold", "min"),
];

/// Returns the candidate nearest to `word`, at a distance of at most one edit per three characters, or one edit. A
/// transposition is one edit; case and `-` instead of `_` do not count. The first of equally near candidates wins.
///
/// Terms of other tools count as their candidate: `threshold` as `min`.
pub fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let word = plain(word);
    let length = word.chars().count();
    // Distances take quadratic time, and no key is that long.
    if length == 0 || length > 100 {
        return None;
    }
    let allowed = (length / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let synonyms = SYNONYMS.iter().filter(|(_, ours)| candidates.contains(ours));
    let spellings = candidates.iter().map(|ours| (*ours, *ours)).chain(synonyms.copied());
    for (spelling, candidate) in spellings {
        let distance = strsim::damerau_levenshtein(&word, &plain(spelling));
        let whole = distance < spelling.chars().count();
        if distance <= allowed && whole && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate.to_owned())
}
