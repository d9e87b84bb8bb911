//! Word lists of the lexical model: function words, near-synonyms, opposites, number words, stock phrases.
//!
//! Small on purpose: the model compares words, it does not understand them. All entries are lower case;
//! [`synonym`] and [`opposite`] take and give Snowball stems.

/// Words that carry no content of their own.
pub(super) fn is_function_word(word: &str) -> bool {
    matches!(
        word,
        "a" | "about"
            | "after"
            | "again"
            | "all"
            | "also"
            | "am"
            | "an"
            | "and"
            | "any"
            | "anything"
            | "are"
            | "as"
            | "at"
            | "be"
            | "because"
            | "been"
            | "before"
            | "being"
            | "both"
            | "but"
            | "by"
            | "can"
            | "could"
            | "did"
            | "do"
            | "does"
            | "doing"
            | "down"
            | "during"
            | "each"
            | "either"
            | "else"
            | "ever"
            | "for"
            | "from"
            | "further"
            | "get"
            | "gets"
            | "getting"
            | "got"
            | "had"
            | "has"
            | "have"
            | "having"
            | "he"
            | "her"
            | "here"
            | "hers"
            | "him"
            | "his"
            | "how"
            | "i"
            | "i'd"
            | "i'll"
            | "i'm"
            | "i've"
            | "if"
            | "in"
            | "into"
            | "is"
            | "it"
            | "it's"
            | "its"
            | "itself"
            | "just"
            | "let"
            | "ll"
            | "like"
            | "may"
            | "me"
            | "might"
            | "mine"
            | "more"
            | "most"
            | "m"
            | "much"
            | "must"
            | "my"
            | "myself"
            | "need"
            | "now"
            | "of"
            | "off"
            | "on"
            | "once"
            | "only"
            | "or"
            | "other"
            | "our"
            | "ours"
            | "out"
            | "over"
            | "own"
            | "please"
            | "re"
            | "s"
            | "same"
            | "shall"
            | "she"
            | "should"
            | "so"
            | "some"
            | "something"
            | "still"
            | "such"
            | "t"
            | "than"
            | "that"
            | "that's"
            | "the"
            | "their"
            | "theirs"
            | "them"
            | "then"
            | "there"
            | "these"
            | "they"
            | "thing"
            | "things"
            | "this"
            | "those"
            | "through"
            | "to"
            | "too"
            | "under"
            | "until"
            | "up"
            | "upon"
            | "us"
            | "ve"
            | "very"
            | "want"
            | "was"
            | "we"
            | "we'll"
            | "we're"
            | "were"
            | "what"
            | "what's"
            | "when"
            | "where"
            | "whether"
            | "which"
            | "while"
            | "who"
            | "whom"
            | "whose"
            | "why"
            | "will"
            | "with"
            | "would"
            | "you"
            | "you'd"
            | "you'll"
            | "you're"
            | "you've"
            | "your"
            | "yours"
            | "yourself"
    )
}

/// Words that turn a clause into its opposite.
pub(super) fn is_negation(word: &str) -> bool {
    matches!(
        word,
        "not" | "no" | "never" | "cannot" | "without" | "neither" | "nor" | "none" | "nothing" | "nobody"
    ) || word.ends_with("n't")
        || word.ends_with("n’t")
}

/// Whether the word with this stem says that what follows is not to be.
pub(super) fn averts(stem: &str) -> bool {
    matches!(stem, "avoid" | "prevent")
}

/// Whether a speaker speaks of himself: `I`, `my`.
pub(super) fn speaks_of_self(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric())
        .any(|word| ["i", "me", "my", "mine", "myself"].iter().any(|own| word.eq_ignore_ascii_case(own)))
}

/// The stem that stands for a group of near-synonyms, or the stem itself.
pub(super) fn synonym(stem: &str) -> &str {
    match stem {
        "reimburs" | "repay" | "refund" => "refund",
        "deliveri" | "deliv" | "shipment" | "ship" | "dispatch" | "deliver" => "ship",
        "purchas" | "buy" | "bought" | "order" => "order",
        "price" | "fee" | "charg" | "cost" => "cost",
        "parcel" | "packag" => "parcel",
        "email" | "e-mail" | "mail" => "email",
        "sent" | "send" => "send",
        "paid" | "payment" | "pay" => "pay",
        "took" | "taken" | "take" => "take",
        "kept" | "keep" => "keep",
        "broken" | "damag" | "broke" => "damag",
        "modifi" | "alter" | "updat" | "amend" | "chang" => "chang",
        "delet" | "eras" | "remov" => "delet",
        "begin" | "began" | "start" => "start",
        "finish" | "end" => "end",
        "custom" | "client" | "shopper" | "buyer" => "custom",
        "quick" | "fast" => "fast",
        "restor" | "recov" | "recoveri" => "restor",
        other => other,
    }
}

/// The stem that means the opposite, where the list knows one.
pub(super) fn opposite(stem: &str) -> Option<&'static str> {
    const PAIRS: &[(&str, &str)] = &[
        ("free", "cost"),
        ("alway", "rare"),
        ("open", "close"),
        ("includ", "exclud"),
        ("accept", "reject"),
        ("accept", "refus"),
        ("allow", "forbid"),
        ("allow", "prohibit"),
        ("increas", "decreas"),
        ("enabl", "disabl"),
        ("start", "end"),
        ("succeed", "fail"),
        ("minimum", "maximum"),
        ("earli", "late"),
        ("public", "privat"),
        ("new", "old"),
    ];
    PAIRS.iter().find_map(|(one, other)| match stem {
        _ if stem == *one => Some(*other),
        _ if stem == *other => Some(*one),
        _ => None,
    })
}

/// The digits of a number word up to twelve, and of the tens.
pub(super) fn number_word(word: &str) -> Option<&'static str> {
    Some(match word {
        "zero" => "0",
        "one" => "1",
        "two" => "2",
        "three" => "3",
        "four" => "4",
        "five" => "5",
        "six" => "6",
        "seven" => "7",
        "eight" => "8",
        "nine" => "9",
        "ten" => "10",
        "eleven" => "11",
        "twelve" => "12",
        "fourteen" => "14",
        "fifteen" => "15",
        "twenty" => "20",
        "thirty" => "30",
        "forty" => "40",
        "fifty" => "50",
        "sixty" => "60",
        "ninety" => "90",
        _ => return None,
    })
}

/// Whether a lower-case text says that the speaker does not know.
pub(super) fn says_not_knowing(text: &str) -> bool {
    const PHRASES: &[&str] = &[
        "i don't know",
        "i do not know",
        "don't have that information",
        "don't have information",
        "do not have information",
        "do not have that information",
        "don't have enough information",
        "do not have enough information",
        "no information",
        "could not find",
        "couldn't find",
        "cannot find",
        "can't find",
        "did not find",
        "unable to find",
        "not able to find",
        "not sure",
        "do not cover",
        "don't cover",
        "does not cover",
        "doesn't cover",
        "do not say",
        "does not say",
        "not mentioned in",
        "unable to answer",
        "not possible to answer",
        "not possible to provide",
        "impossible to provide",
        "cannot be provided",
        "cannot provide",
        "do not provide",
        "does not provide",
        "don't provide",
        "doesn't provide",
        "not explicitly mentioned",
        "not covered",
    ];
    PHRASES.iter().any(|phrase| text.contains(phrase))
}

/// Whether a lower-case text refuses or puts the asker off.
pub(super) fn refuses(text: &str) -> bool {
    const PHRASES: &[&str] = &[
        "i cannot help",
        "i can't help",
        "i cannot answer",
        "i can't answer",
        "cannot assist",
        "can't assist",
        "unable to help",
        "unable to answer",
        "unable to assist",
        "won't answer",
        "will not answer",
        "as an ai",
        "i'm sorry, but i can",
        "i am sorry, but i can",
        "rather not say",
    ];
    says_not_knowing(text) || PHRASES.iter().any(|phrase| text.contains(phrase))
}

/// Whether a lower-case text is small talk: a greeting, thanks, regret, an offer of help.
pub(super) fn is_small_talk(text: &str) -> bool {
    const PHRASES: &[&str] = &[
        "hello",
        "hi ",
        "hi!",
        "hi,",
        "dear ",
        "good morning",
        "good afternoon",
        "thank you",
        "thanks",
        "you're welcome",
        "happy to help",
        "glad to help",
        "glad you",
        "let me know",
        "let us know",
        "hope this helps",
        "hope that helps",
        "sorry to hear",
        "sorry for the inconvenience",
        "apologies for",
        "best regards",
        "kind regards",
        "great question",
        "good luck",
        "i can help",
        "have a nice day",
        "have a great day",
        "feel free to",
        "don't hesitate to",
    ];
    PHRASES.iter().any(|phrase| text.starts_with(phrase) || (phrase.len() > 6 && text.contains(phrase)))
}

/// Whether a lower-case word opens an instruction to a model.
pub(super) fn opens_instruction(word: &str) -> bool {
    matches!(
        word,
        "add"
            | "aim"
            | "always"
            | "answer"
            | "avoid"
            | "base"
            | "be"
            | "begin"
            | "cite"
            | "copy"
            | "do"
            | "don't"
            | "end"
            | "ensure"
            | "explain"
            | "fill"
            | "follow"
            | "format"
            | "give"
            | "include"
            | "keep"
            | "list"
            | "make"
            | "mention"
            | "name"
            | "never"
            | "output"
            | "prefer"
            | "produce"
            | "provide"
            | "put"
            | "quote"
            | "read"
            | "refer"
            | "rely"
            | "remember"
            | "reply"
            | "respond"
            | "return"
            | "say"
            | "sound"
            | "speak"
            | "start"
            | "state"
            | "stay"
            | "stick"
            | "summarise"
            | "summarize"
            | "tell"
            | "think"
            | "treat"
            | "try"
            | "use"
            | "wrap"
            | "write"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opposites_are_stated_by_the_stems_that_words_come_to() {
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
            let terms = super::super::language::Terms::of(word);
            let stem = terms.list.first().map(|term| term.stem.clone()).unwrap_or_default();
            let back = opposite(&stem).and_then(opposite);
            assert!(back.is_some(), "{word}: {stem} has no opposite that knows it");
        }
    }

    #[test]
    fn wishes_are_small_talk_and_words_that_start_alike_are_not() {
        assert!(is_small_talk("hi there"));
        assert!(!is_small_talk("history is kept for a year"));
        assert!(says_not_knowing("sorry, i could not find this"));
        assert!(!says_not_knowing("you cannot return this"));
    }
}
