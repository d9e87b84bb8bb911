//! Word lists of the simulated model, read from `data/*.txt`: one entry a line, `#` starts a comment.
//!
//! Small on purpose: the model compares words, it does not understand them. Words and phrases are in lower case,
//! stems are those of the Snowball English stemmer.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use promptgate_core::text::word_list;
use promptgate_engine::judge::registry::WordRule;

type WordSet = LazyLock<HashSet<&'static str>>;
type Phrases = LazyLock<Vec<String>>;
type WordMap = LazyLock<HashMap<&'static str, &'static str>>;

/// Words that carry no content of their own.
pub(super) static FUNCTION_WORDS: WordSet =
    LazyLock::new(|| word_list(include_str!("data/function_words.txt")));
static NEGATIONS: WordSet = LazyLock::new(|| word_list(include_str!("data/negations.txt")));
/// Words that open an instruction to a model.
pub(super) static INSTRUCTION_VERBS: WordSet =
    LazyLock::new(|| word_list(include_str!("data/instruction_verbs.txt")));
/// Words that open another part of a question after `and`.
pub(super) static QUESTION_OPENERS: WordSet =
    LazyLock::new(|| word_list(include_str!("data/question_openers.txt")));
static FRAMING_STEMS: WordSet = LazyLock::new(|| word_list(include_str!("data/framing_stems.txt")));
static GENERAL_STEMS: WordSet = LazyLock::new(|| word_list(include_str!("data/general_stems.txt")));
/// Stems before the number of a part of a text: `passage 2`, `step 3`.
pub(super) static PART_STEMS: WordSet = LazyLock::new(|| word_list(include_str!("data/part_stems.txt")));
/// Stems that denote a text as a whole.
pub(super) static TEXT_STEMS: WordSet = LazyLock::new(|| word_list(include_str!("data/text_stems.txt")));
/// Stems in a checklist item that refer to the answer, not to its subject.
pub(super) static ITEM_STEMS: WordSet = LazyLock::new(|| word_list(include_str!("data/item_stems.txt")));
/// The digits of number words.
pub(super) static NUMBER_WORDS: WordMap =
    LazyLock::new(|| pairs(include_str!("data/number_words.txt")).collect());
static SYNONYMS: WordMap = LazyLock::new(|| synonyms(include_str!("data/synonyms.txt")));
/// Stems with the opposite meaning.
pub(super) static OPPOSITES: WordMap = LazyLock::new(|| opposites(include_str!("data/opposites.txt")));
static UNKNOWN: Phrases = LazyLock::new(|| phrases(include_str!("data/unknown_phrases.txt")));
static REFUSALS: Phrases = LazyLock::new(|| phrases(include_str!("data/refusal_phrases.txt")));
static SMALL_TALK: Phrases = LazyLock::new(|| phrases(include_str!("data/small_talk.txt")));
/// Rude phrases.
pub(super) static RUDE: Phrases = LazyLock::new(|| phrases(include_str!("data/rude_phrases.txt")));
/// Phrases that name a next step.
pub(super) static NEXT_STEPS: Phrases = LazyLock::new(|| phrases(include_str!("data/next_step_phrases.txt")));
/// The rules for items that users write, each with the parts of a text that it needs.
static ITEM_RULES: LazyLock<Vec<(WordRule, Vec<&'static str>)>> =
    LazyLock::new(|| item_rules(include_str!("data/item_rules.txt")));

/// The weight of a general word relative to a specific one: its absence is weak evidence of new content.
const GENERAL_WEIGHT: f64 = 0.3;

/// Phrases, with spaces for underscores.
fn phrases(file: &'static str) -> Vec<String> {
    word_list::<Vec<_>>(file).iter().map(|entry| entry.replace('_', " ")).collect()
}

fn pairs(file: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    word_list::<Vec<_>>(file).into_iter().filter_map(|entry| entry.split_once(": "))
}

fn synonyms(file: &'static str) -> HashMap<&'static str, &'static str> {
    pairs(file).flat_map(|(stem, others)| others.split(' ').map(move |other| (other, stem))).collect()
}

fn opposites(file: &'static str) -> HashMap<&'static str, &'static str> {
    let mut map = HashMap::new();
    for (one, other) in pairs(file) {
        map.entry(one).or_insert(other);
        map.entry(other).or_insert(one);
    }
    map
}

fn item_rules(file: &'static str) -> Vec<(WordRule, Vec<&'static str>)> {
    let rule = |name| match name {
        "no_evasion" => Some(WordRule::NoEvasion),
        "every_part" => Some(WordRule::EveryPart),
        "on_topic" => Some(WordRule::OnTopic),
        "addressed" => Some(WordRule::Addressed),
        "polite" => Some(WordRule::Polite),
        "next_step" => Some(WordRule::NextStep),
        _ => None,
    };
    pairs(file).filter_map(|(name, parts)| Some((rule(name)?, parts.split(" + ").collect()))).collect()
}

/// The rule for an item that a user writes, in lower case; `None` for one that is judged by its keywords.
pub(super) fn item_rule(item: &str) -> Option<WordRule> {
    let rule = ITEM_RULES.iter().find(|(_, parts)| parts.iter().all(|part| item.contains(part)));
    rule.map(|(rule, _)| *rule)
}

/// Whether a word negates a clause.
pub(super) fn is_negation(word: &str) -> bool {
    NEGATIONS.contains(word) || word.ends_with("n't") || word.ends_with("n’t")
}

/// Whether a stem negates the words after it, as in `avoid rubbing`.
pub(super) fn is_avoidance(stem: &str) -> bool {
    matches!(stem, "avoid" | "prevent")
}

/// Whether the author of a text refers to themselves: `I`, `my`.
pub(super) fn uses_first_person(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric())
        .any(|word| ["i", "me", "my", "mine", "myself"].iter().any(|own| word.eq_ignore_ascii_case(own)))
}

/// The stem that represents a group of near-synonyms, or the stem itself.
pub(super) fn synonym(stem: &str) -> &str {
    SYNONYMS.get(stem).copied().unwrap_or(stem)
}

/// Whether a lower-case text says that the answer is not known.
pub(super) fn says_unknown(text: &str) -> bool {
    find(&UNKNOWN, text).is_some()
}

/// Whether a lower-case text refuses, evades or says that the answer is not known.
pub(super) fn is_refusal(text: &str) -> bool {
    says_unknown(text) || find(&REFUSALS, text).is_some()
}

/// Whether a lower-case text is small talk: a greeting, thanks, regret, an offer of help.
pub(super) fn is_small_talk(text: &str) -> bool {
    SMALL_TALK.iter().any(|phrase| text.starts_with(phrase) || (phrase.len() > 6 && text.contains(phrase)))
}

/// The weight of a word that is neither name nor number, in 0..=1: 0 if it refers to the text itself.
pub(super) fn content_weight(stem: &str) -> f64 {
    if FRAMING_STEMS.contains(stem) {
        0.0
    } else if GENERAL_STEMS.contains(stem) {
        GENERAL_WEIGHT
    } else {
        1.0
    }
}

/// The first phrase of a list that a lower-case text contains.
pub(super) fn find(phrases: &'static [String], text: &str) -> Option<&'static str> {
    phrases.iter().map(String::as_str).find(|phrase| text.contains(phrase))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Terms;

    fn stem(word: &str) -> String {
        Terms::of(word).list.first().map(|term| term.stem.clone()).unwrap_or_default()
    }

    #[test]
    fn data_files_parse_without_loss() {
        for file in [
            include_str!("data/number_words.txt"),
            include_str!("data/synonyms.txt"),
            include_str!("data/opposites.txt"),
        ] {
            assert!(file.starts_with("# "));
            assert_eq!(pairs(file).count(), word_list::<Vec<_>>(file).len());
        }
        let rules = include_str!("data/item_rules.txt");
        assert_eq!(item_rules(rules).len(), word_list::<Vec<_>>(rules).len());
        for file in [include_str!("data/framing_stems.txt"), include_str!("data/general_stems.txt")] {
            assert!(word_list::<Vec<_>>(file).is_sorted_by(|one, next| one < next));
        }
        assert!(
            word_list::<Vec<_>>(include_str!("data/small_talk.txt"))
                .iter()
                .all(|entry| entry.trim() == *entry)
        );
        assert!(SMALL_TALK.contains(&"hi ".to_owned()));
    }

    #[test]
    fn opposite_of_a_stemmed_word_is_mutual() {
        for word in [
            "free",
            "costs",
            "always",
            "opened",
            "closed",
            "including",
            "excluded",
            "accepted",
            "refused",
            "disabled",
        ] {
            let stem = stem(word);
            let opposite = OPPOSITES.get(stem.as_str()).and_then(|opposite| OPPOSITES.get(opposite));
            assert!(opposite.is_some(), "{word}: no opposite of {stem}");
        }
    }

    #[test]
    fn content_weight_of_a_stemmed_word() {
        for (word, expected) in
            [("passages", 0.0), ("Additionally", 0.0), ("various", 0.0), ("methods", 0.3), ("batteries", 1.0)]
        {
            assert_eq!(content_weight(&stem(word)), expected, "{word}");
        }
    }

    #[test]
    fn item_of_a_user_is_judged_by_the_first_matching_rule() {
        for (item, rule) in [
            ("does not dodge the question", Some(WordRule::NoEvasion)),
            ("responds to each part of the question", Some(WordRule::EveryPart)),
            ("contains nothing unrelated", Some(WordRule::OnTopic)),
            ("responds to the question", Some(WordRule::Addressed)),
            ("responds within 30 days", None),
            ("is friendly and names the next step", Some(WordRule::Polite)),
            ("says what to do next", Some(WordRule::NextStep)),
        ] {
            assert_eq!(item_rule(item), rule, "{item}");
        }
    }

    #[test]
    fn small_talk_matches_phrases_not_prefixes_of_words() {
        assert!(is_small_talk("hi there"));
        assert!(!is_small_talk("history is kept for a year"));
        assert!(says_unknown("sorry, i could not find this"));
        assert!(!says_unknown("you cannot return this"));
    }
}
