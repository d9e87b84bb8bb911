//! "Did you mean": the known word that a mistyped one is nearest to.

/// The candidate that is nearest to `word`, if it is near enough to be what was meant: one edit, or one in
/// three characters, transpositions counting as one. Case and `-` against `_` do not count. The first of equals.
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
    for candidate in candidates {
        let distance = strsim::damerau_levenshtein(&word, &plain(candidate));
        let whole = distance < candidate.chars().count();
        if distance <= allowed && whole && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate.to_owned())
}
