//! Words that decide what a prompt means, and articles, by language.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use promptgate_core::text::word_list;
use unicode_normalization::UnicodeNormalization;

use super::Rules;
use super::tokens::Token;

/// The lists of a language.
struct Language {
    guarded: &'static str,
    articles: &'static [&'static str],
}

/// The languages, the one of a text without articles first.
const LANGUAGES: [Language; 4] = [
    Language { guarded: include_str!("data/guarded_en.txt"), articles: &["a", "an", "the"] },
    Language {
        guarded: include_str!("data/guarded_de.txt"),
        articles: &[
            "der", "die", "das", "den", "dem", "des", "ein", "eine", "einen", "einem", "einer", "eines",
        ],
    },
    Language {
        guarded: include_str!("data/guarded_fr.txt"),
        articles: &["le", "la", "les", "un", "une", "des"],
    },
    Language {
        guarded: include_str!("data/guarded_es.txt"),
        articles: &["el", "la", "los", "las", "un", "una", "unos", "unas"],
    },
];

/// The kind of a guarded word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// A negation: punctuation beside it decides what it negates.
    Negation,
    /// A number or quantifier: an article before it decides what it counts.
    Quantity,
    /// Any other word that no patch changes.
    Other,
    /// A word that a single letter turns into another one of this class; guarded only against that.
    Confusable,
}

static BUILT_IN: LazyLock<HashMap<&'static str, Class>> = LazyLock::new(|| {
    let mut words = HashMap::new();
    for language in &LANGUAGES {
        let mut class = Class::Other;
        for entry in word_list::<Vec<_>>(language.guarded) {
            match entry {
                "[negations]" => class = Class::Negation,
                "[quantities]" => class = Class::Quantity,
                "[others]" => class = Class::Other,
                "[confusable]" => class = Class::Confusable,
                // The stricter one, for a word of several classes.
                word => {
                    let known = words.entry(word).or_insert(class);
                    *known = class.min(*known);
                }
            }
        }
    }
    words
});

/// The guarded words of all languages and of the rules.
pub(super) struct Guarded {
    configured: HashSet<String>,
}

impl Guarded {
    /// Adds the words of the rules; of an entry of several words each is guarded.
    pub(super) fn new(rules: &Rules) -> Self {
        let words = rules.guarded.iter().flat_map(|entry| entry.split_whitespace());
        Self { configured: words.map(folded).collect() }
    }

    /// The class of a word, whatever its case; `None` for a word that a patch may change.
    pub(super) fn class(&self, word: &str) -> Option<Class> {
        let word = folded(word);
        let built_in = BUILT_IN.get(word.as_str()).copied();
        let configured = self.configured.contains(&word).then_some(Class::Other);
        built_in.into_iter().chain(configured).min()
    }
}

/// A word in lower case and NFC, with a straight apostrophe.
pub(super) fn folded(word: &str) -> String {
    word.nfc().flat_map(char::to_lowercase).map(|letter| if letter == '’' { '\'' } else { letter }).collect()
}

/// The articles of the language of a text: the one that has the most of them in it.
pub(super) fn articles<'t>(tokens: impl IntoIterator<Item = &'t Token>) -> &'static [&'static str] {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for token in tokens {
        *counts.entry(folded(&token.text)).or_default() += 1;
    }
    let count = |language: &Language| -> usize {
        language.articles.iter().filter_map(|article| counts.get(*article)).sum()
    };
    // The first of several languages with the same count.
    LANGUAGES.iter().rev().max_by_key(|language| count(language)).map_or(&[], |language| language.articles)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::tokens::tokens;

    #[test]
    fn every_entry_is_found_in_the_form_it_is_looked_up() {
        assert!(BUILT_IN.len() > 1_000);
        for word in BUILT_IN.keys() {
            assert_eq!(folded(word), *word);
            assert_eq!(tokens(word).len(), 1, "{word} is more than one token");
        }
    }

    #[test]
    fn case_and_apostrophe_do_not_hide_a_guarded_word() {
        let rules = Rules {
            guarded: vec!["Refund".to_owned(), "under no circumstances".to_owned()],
            ..Rules::default()
        };
        let guarded = Guarded::new(&rules);
        for word in ["NOT", "Can’t", "can't", "nicht", "Jamais", "nunca", "refund", "circumstances", "ne"] {
            assert!(guarded.class(word).is_some_and(|class| class != Class::Confusable), "{word}");
        }
        assert_eq!(guarded.class("form"), Some(Class::Confusable));
        assert_eq!(guarded.class("customer"), None);
        assert_eq!(guarded.class("refunds"), None);
    }

    #[test]
    fn the_language_is_the_one_with_the_most_articles() {
        for (text, article) in [
            ("no article here", "the"),
            ("Answer the question. Let it die.", "the"),
            ("Beantworte die Frage mit einem Satz", "einem"),
            ("Réponds à la question dans les faits, une fois", "une"),
            ("Responde a la pregunta con los hechos", "los"),
        ] {
            assert!(articles(&tokens(text)).contains(&article), "{text}");
        }
    }
}
