use proptest::prelude::*;

use super::split;

#[track_caller]
fn assert_split(text: &str, expected: &[&str]) {
    assert_eq!(split(text), expected, "{text:?}");
}

#[test]
fn sentences_are_split() {
    assert_split(
        "Refunds take 30 days. Ask us! Any questions?",
        &["Refunds take 30 days.", "Ask us!", "Any questions?"],
    );
    assert_split("これは本です。値段は千円です。", &["これは本です。", "値段は千円です。"]);
    assert_split("He said \"Go home.\" Then he left.", &["He said \"Go home.\"", "Then he left."]);
}

#[test]
fn boundaries_within_a_sentence_are_ignored() {
    for text in [
        "Use a padded box, e.g. Our small one, for this.",
        "Dr. Smith met Mrs. Jones at St. James.",
        "Door No. 5 is open.",
        "It costs 3.50 euros and weighs 1.2 kg.",
        "See https://example.com/help?Id=7&x=A.b for more.",
        "Written by J. R. Tolkien in the U.S. Army.",
        "Well... The parcel is late.",
        "The terms ... Apply to all.",
        "See Fig. 3 and Sec. 12 on p. 4.",
        "Sent on Jan. 5 to ext. 12.",
        "Das gilt z.B. Samstags.",
        "Yes. Unopened items can be returned.",
        "No! Gift cards cannot.",
    ] {
        assert_split(text, &[text]);
    }
}

#[test]
fn one_word_answer_joins_the_next_sentence() {
    assert_split("Yes.", &["Yes."]);
    assert_split("Yes. No. It is so. Fine.", &["Yes. No.", "It is so.", "Fine."]);
    assert_split("Right? It is so.", &["Right?", "It is so."]);
}

#[test]
fn abbreviations_can_end_a_sentence() {
    assert_split("We ship to the U.S. The fee is 5 euros.", &["We ship to the U.S.", "The fee is 5 euros."]);
    assert_split("We open at 9 a.m. Please wait outside.", &["We open at 9 a.m.", "Please wait outside."]);
    assert_split("It is you, not I. Ask them.", &["It is you, not I.", "Ask them."]);
    assert_split(
        "That was long ago... Nobody knows it now.",
        &["That was long ago...", "Nobody knows it now."],
    );
    assert_split("There is no. Nothing else.", &["There is no.", "Nothing else."]);
}

#[test]
fn markdown_blocks_are_split() {
    assert_split(
        "# Refunds\n\nYou need:\n- a receipt. Any will do.\n* **the box**\n1. your name\n  2) patience\n",
        &["Refunds", "You need:", "a receipt.", "Any will do.", "the box", "your name", "patience"],
    );
    assert_split(
        "| Item | Days |\n|---|:--|\n| Refund | 30 |\n---\nDone",
        &["Item | Days", "Refund | 30", "Done"],
    );
    assert_split("> quoted text\n> - an item", &["quoted text", "an item"]);
    assert_split("1. First. 2. Second.", &["First.", "2. Second."]);
    assert_split(
        "-5 degrees.\n3.5 kg\n#hashtag\n2024. A year",
        &["-5 degrees.", "3.5 kg", "#hashtag", "2024.", "A year"],
    );
}

#[test]
fn wrapped_lines_are_joined() {
    assert_split(
        "Refunds are paid\nwithin thirty days.\nShipping is free.",
        &["Refunds are paid within thirty days.", "Shipping is free."],
    );
    assert_split("Refund: yes\nShipping: no", &["Refund: yes", "Shipping: no"]);
}

#[test]
fn code_block_is_one_statement() {
    assert_split(
        "Run:\n```sh all is free\nls -l. Now\n\nrm x\n```\nDone.",
        &["Run:", "sh all is free\nls -l. Now\n\nrm x", "Done."],
    );
    assert_split("~~~\nnever closed", &["never closed"]);
    assert_split("Use ```ls``` here.", &["Use ```ls``` here."]);
}

#[test]
fn text_without_words_is_one_statement() {
    assert_split("", &[]);
    assert_split(" \n\t", &[]);
    assert_split(" ?! ", &["?!"]);
}

fn letters(text: &str) -> String {
    text.chars().filter(|character| character.is_alphabetic()).collect()
}

proptest! {
    #[test]
    fn no_letter_is_lost_or_moved(text in "\\PC*") {
        prop_assert_eq!(letters(&split(&text).concat()), letters(&text));
    }

    #[test]
    fn no_letter_of_markdown_is_lost(
        lines in prop::collection::vec("[-*#>|`~ ]{0,4}([0-9]{1,3}[.)])?[ a-zA-Z0-9.!?*…]{0,24}", 0..12)
    ) {
        let text = lines.join("\n");
        let statements = split(&text);
        prop_assert_eq!(letters(&statements.concat()), letters(&text));
        prop_assert!(statements.iter().all(|statement| !statement.trim().is_empty()));
    }
}
