use proptest::prelude::*;

use super::*;
use promptgate_testing::forge::{self, hostile};

/// Whether a CI runner finds a command at the start of a line, or in brackets anywhere in it.
fn is_command(line: &str) -> bool {
    let bare: String = line.chars().filter(|character| !is_ignorable(*character)).collect();
    let bracketed = bare.match_indices("##").any(|(start, _)| {
        let name = bare[start..].trim_start_matches('#');
        name.trim_start_matches(char::is_alphanumeric).starts_with('[')
    });
    bare.trim_start().starts_with("::") || bracketed
}

fn controls(text: &str) -> bool {
    text.chars().any(|c| {
        (c.is_control() && c != '\n') || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    })
}

/// The rendered text: entities and backslash escapes resolved.
fn rendered(markdown: &str) -> String {
    let mut text = markdown.replace("\\~", "~");
    for (entity, character) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&vert;", "|"),
        ("&bsol;", "\\"),
        ("&grave;", "`"),
        ("&lsqb;", "["),
        ("&rsqb;", "]"),
        ("&ast;", "*"),
        ("&dollar;", "$"),
        ("&lowbar;", "_"),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, character);
    }
    text
}

/// A line with labels in place of invisible characters.
fn labelled(line: &str) -> String {
    let characters: Vec<char> = line.chars().collect();
    let neighbour = |index: Option<usize>| index.and_then(|index| characters.get(index)).copied();
    let shown = characters.iter().enumerate().map(|(index, character)| {
        let (before, after) = (neighbour(index.checked_sub(1)), neighbour(Some(index + 1)));
        if is_invisible(before, *character, after) { label(*character) } else { character.to_string() }
    });
    shown.collect()
}

proptest! {
    #[test]
    fn terminal_text_never_contains_commands(text in hostile()) {
        let line = terminal(&text);
        prop_assert!(!is_command(&line), "{line:?}");
        prop_assert!(!controls(&line) && !line.contains('\n'), "{line:?}");
        prop_assert!(line.chars().count() <= TERMINAL_LIMIT * 8, "{line:?}");
    }

    #[test]
    fn parts_that_form_a_command_together_are_neutralized(one in hostile(), other in hostile()) {
        let line = guarded(&format!("  {}{}", terminal(&one), terminal(&other)));
        prop_assert!(!is_command(&line), "{line:?}");
        let broken = guarded(&format!("{one}{other}"));
        prop_assert!(!broken.contains(BREAKS) && !is_command(&broken), "{broken:?}");
    }

    #[test]
    fn markdown_text_is_inert(text in hostile()) {
        let out = markdown(&text);
        prop_assert!(!controls(&out) && !out.contains('\n'), "{out:?}");
        prop_assert!(!out.contains(['<', '>', '|', '`', '[', ']', '*', '$']), "{out:?}");
        for (place, _) in out.match_indices('\\') {
            prop_assert!(out[place..].starts_with("\\~"), "{out:?}");
        }
        let shown = rendered(&out);
        let characters: Vec<char> = shown.chars().collect();
        for pair in characters.windows(2) {
            prop_assert!(!(matches!(pair[0], '@' | '#') && pair[1] != BREAK), "{out:?}");
        }
        let lower = shown.to_lowercase();
        prop_assert!(!lower.contains("://") && !lower.contains("www.") && !lower.contains("mailto:a"), "{out:?}");
        prop_assert!(!lower.contains("gh-1"), "{out:?}");
        let hashes = lower.split(|c: char| !c.is_ascii_hexdigit());
        prop_assert!(hashes.map(str::len).max().unwrap_or(0) < 7, "{out:?}");
    }

    #[test]
    fn markdown_text_is_inert_on_github(text in hostile()) {
        let out = markdown(&text);
        let places = |shown: &str| [
            // The first character of a document could be taken for a byte order mark.
            format!("a\n\n{shown}\n"),
            format!("* {shown}\n* {shown}\n"),
            format!("### {shown}\n\n{shown}\n"),
            format!("| a | b |\n|--|--|\n| {shown} | {shown} |\n"),
            format!("<details><summary>x</summary>\n\n{shown}\n\n</details>\n"),
        ];
        for (place, tame) in places(&out).into_iter().zip(places("x")) {
            let reading = forge::read(&place, None);
            prop_assert!(reading.active.is_empty(), "{:?} of {place:?}", reading.active);
            if !out.is_empty() {
                prop_assert_eq!(reading.shape, forge::read(&tame, None).shape, "{:?}", place);
            }
        }
    }

    #[test]
    fn code_blocks_cannot_be_closed_by_their_text(text in hostile(), more in "( {0,3}(`{2,9}|~{3,9})(text)?\n){1,6}") {
        let text = format!("{text}\n{more}");
        let block = fenced(&text);
        let reading = forge::read(&format!("before\n\n{block}\nafter\n"), None);
        prop_assert!(reading.active.is_empty(), "{:?} of {block:?}", reading.active);
        prop_assert_eq!(&reading.shape, &["Paragraph", "CodeBlock", "Paragraph"], "{:?}", block);
        let shown = reading.code[0].replace(BREAK, "");
        let written = lines(&text).map(|line| labelled(&line)).collect::<Vec<_>>().join("\n");
        prop_assert_eq!(shown.trim_end_matches('\n'), written.trim_end_matches('\n'));
    }

    #[test]
    fn markdown_keeps_everything_but_layout(text in "[ -~]{0,60}") {
        let shown: String = rendered(&markdown(&text)).replace(BREAK, "");
        prop_assert_eq!(shown, text.split_whitespace().collect::<Vec<_>>().join(" "));
    }

    #[test]
    fn clipped_text_is_a_prefix_within_the_limit(text in any::<String>(), limit in 0_usize..40) {
        let clipped = clip(&text, limit);
        prop_assert!(clipped.graphemes(true).count() <= limit.max(text.graphemes(true).count().min(limit)));
        if clipped != text {
            prop_assert!(text.starts_with(clipped.trim_end_matches('…')));
        }
    }
}

#[test]
fn plain_text_is_unchanged() {
    for text in
        ["refund-017", "check.names_the_term", "Wie lange? 30 Tage, größer", "1.000", "+0.006", "12:30", ""]
    {
        assert_eq!(markdown(text), text);
        assert_eq!(terminal(text), text);
    }
}

#[test]
fn commands_are_neutralized_anywhere_in_a_line() {
    assert_eq!(terminal("a\r\n::error::b\rc\u{2028}d"), "a ::error::b c d");
    assert_eq!(terminal("\u{A0}::add-mask::pass"), ":\\:add-mask::pass");
    assert_eq!(terminal("a ##[set-output name=verdict;]pass"), "a ##\\[set-output name=verdict;]pass");
    assert_eq!(terminal("#\u{200B}#[group]"), "#\u{200B}#\\[group]");
    assert_eq!(terminal("##vso[task.setvariable]"), "##vso\\[task.setvariable]");
    assert_eq!(terminal("\u{1B}[2J"), "\u{FFFD}[2J");
}

#[test]
fn terminal_text_is_one_line() {
    assert_eq!(terminal("a\n\tb  c\u{202E}d"), "a b c\u{FFFD}d");
    assert_eq!(terminal("::error::x"), ":\\:error::x");
    assert_eq!(terminal("a::b"), "a::b");
    assert_eq!(terminal(&"x".repeat(1000)).chars().count(), TERMINAL_LIMIT);
}

#[test]
fn markdown_renders_as_written() {
    assert_eq!(markdown("@octocat fixes #12"), "@\u{200B}octocat fixes #\u{200B}12");
    assert_eq!(markdown("a | b\n<b>`c`</b>"), "a &vert; b &lt;b&gt;&grave;c&grave;&lt;/b&gt;");
    assert_eq!(markdown("https://evil.example"), "https:\u{200B}//evil.example");
    assert_eq!(markdown("WWW.evil.example"), "WWW\u{200B}.evil.example");
    assert_eq!(markdown("1a2b3c4d"), "1a2b3c\u{200B}4d");
    assert_eq!(markdown(":100: at 12:30"), ":\u{200B}100: at 12:30");
    assert_eq!(markdown("GHSA-jf85-cpcp-j695"), "GHSA-\u{200B}jf85-cpcp-j695");
    assert_eq!(markdown("ghsA-r"), "ghsA-\u{200B}r");
    assert_eq!(markdown("1AAAAAAAA-5"), "1AAAAA\u{200B}AAA-\u{200B}5");
    assert_eq!(markdown("- item"), "\u{200B}- item");
    assert_eq!(markdown("3) item"), "\u{200B}3) item");
    assert_eq!(markdown("_x_ a_b"), "&lowbar;x&lowbar; a_b");
}

#[test]
fn combining_characters_are_limited() {
    let heap = format!("a{}", "\u{301}".repeat(10_000));
    assert!(clip(&heap, 10).chars().count() <= 41);
    assert_eq!(clip("straße und mehr", 7), "straße…");
    assert_eq!(clip("👩‍👩‍👧 ab", 4), "👩‍👩‍👧 ab");
}

#[test]
fn source_line_keeps_columns() {
    assert_eq!(source_line("  faithfulness:  {min: 1}"), "  faithfulness:  {min: 1}");
    assert_eq!(source_line("\tkey: 1 # ä\u{1B}[31m"), " key: 1 # ä\u{FFFD}[31m");
    for hostile in ["##[error]x", "  ::error::x", "#\u{200B}#[group]", "a\u{202E}b\u{2028}c\r::set"] {
        let line = source_line(hostile);
        assert_eq!(line.chars().count(), hostile.chars().count());
        assert_eq!(guarded(&line), line);
    }
}

#[test]
fn invisible_characters_are_labelled_in_markdown() {
    for (text, shown) in [
        ("a\u{E0100}b", "a⟦U+E0100⟧b"),
        ("in\u{200B}visible", "in⟦U+200B⟧visible"),
        ("\u{2060}x", "⟦U+2060⟧x"),
        ("👨\u{200D}👩", "👨\u{200D}👩"),
        ("❤\u{FE0F}", "❤\u{FE0F}"),
    ] {
        assert_eq!(markdown(text), shown);
        assert!(fenced(text).contains(&format!("\n{shown}\n")), "{}", fenced(text));
    }
    // Only the breaks of promptgate are invisible.
    assert_eq!(markdown("@\u{200B}x"), "@\u{200B}⟦U+200B⟧x");
}

#[test]
fn colon_at_the_end_is_broken_since_more_may_follow() {
    assert_eq!(markdown("https:"), "https:\u{200B}");
    assert_eq!(markdown("note: x"), "note: x");
}

#[test]
fn texts_that_are_active_together_are_known() {
    for (before, after) in [("www", ".evil.example"), ("abcd", "ef01"), ("GH", "-1"), ("TICKET", "-1")] {
        assert!(is_active_together(before, after), "{before} {after}");
    }
    for (before, after) in [("", "x"), ("one ", "two"), ("word", "word"), ("kind", ".")] {
        assert!(!is_active_together(before, after), "{before} {after}");
    }
}
