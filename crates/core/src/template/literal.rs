//! Braces of other languages that look like placeholders: LaTeX, GitHub Actions, Python's f-strings.

/// Help for a placeholder that is probably meant as text, by what precedes its first brace.
pub(super) fn help(text: &str, offset: usize) -> Option<String> {
    let before = without_groups(text.get(..offset)?);
    if before.ends_with('$') {
        return Some(
            "for the text `${{ … }}` of a workflow or script write `${ { … } }` with spaces between the braces, or put \
             it into a case's `vars` and insert it by name"
                .to_owned(),
        );
    }
    let word = before.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let is_command = word.len() < before.len() && word.ends_with('\\');
    if is_command || before.ends_with(['^', '_']) {
        return Some(
            "in LaTeX write literal braces with spaces between them, `{ {a} }`, or single ones, `{a}`"
                .to_owned(),
        );
    }
    None
}

/// The text without groups in double braces at its end, as in `\\frac{{a}}`.
fn without_groups(text: &str) -> &str {
    let mut text = text;
    while let Some(start) = text.strip_suffix("}}").and_then(|inner| inner.rfind("{{")) {
        text = text.get(..start).unwrap_or_default();
    }
    text
}

/// Whether a text doubles the braces of JSON, as Python's `format` and f-strings need it. JSON never starts with `{{"`.
pub(super) fn has_doubled_json(text: &str) -> bool {
    text.match_indices("{{").any(|(at, _)| {
        let inside = text.get(at + 2..).unwrap_or_default();
        inside.trim_start().starts_with('"') && inside.contains("}}")
    })
}

/// Whether the name of a column is one that datasets use for the reference answer.
pub fn names_a_reference(name: &str) -> bool {
    const NAMES: [&str; 12] = [
        "answer",
        "answers",
        "gold",
        "groundtruth",
        "groundtruths",
        "keypoints",
        "modelanswer",
        "mustincludefacts",
        "reference",
        "solution",
        "truth",
        "acceptancepoints",
    ];
    const STARTS: [&str; 10] = [
        "expected",
        "ideal",
        "golden",
        "goldanswer",
        "groundtruth",
        "correctanswer",
        "correctoutput",
        "correctresponse",
        "mustinclude",
        "referenceanswer",
    ];
    const REFERENCES: [&str; 4] =
        ["referenceoutput", "referenceresponse", "referencesolution", "referencesummary"];
    let plain: String =
        name.to_lowercase().chars().filter(|character| !matches!(character, '_' | '-' | '.')).collect();
    NAMES.contains(&plain.as_str())
        || REFERENCES.contains(&plain.as_str())
        || STARTS.iter().any(|start| plain.starts_with(start))
}
