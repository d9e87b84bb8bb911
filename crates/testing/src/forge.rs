//! For tests: reads Markdown as a forge does, and says what in it would act.
//!
//! A parser of CommonMark with the extensions of GitHub says what is a link, an image or HTML; what a forge finds in
//! text afterwards (mentions, references, hashes, addresses, emoji) is looked for in the text that is left.

use std::sync::LazyLock;

use comrak::nodes::NodeValue;
use comrak::{Arena, Node, Options, parse_document};
use proptest::prelude::*;
use regex::Regex;

/// What was read.
#[derive(Debug, Default)]
pub struct Reading {
    /// The kinds of all nodes but text, in order; HTML as it stands.
    pub shape: Vec<String>,
    /// What would act and is not our own.
    pub acts: Vec<String>,
    /// The text of every block of code.
    pub code: Vec<String>,
    /// All text, that of code and of HTML too, as a reader sees it.
    pub text: String,
}

static ACTING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix) @[a-z0-9] | \#[0-9] | \bgh-[0-9] | \bghsa-[a-z0-9] | \b[0-9a-f]{7,40}\b | :// | www\.
        | mailto:[a-z0-9] | :([a-z_+-][a-z0-9_+-]*|100|1234|8ball): | (?-i)\b[A-Z]{2,}-[0-9]",
    )
    .expect("a pattern")
});

static ACTING_QUOTED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("@[A-Za-z0-9]|#[0-9]").expect("a pattern"));

static COMMIT: LazyLock<Regex> = LazyLock::new(|| Regex::new("^[0-9a-f]{12}$").expect("a pattern"));

static OWN_HTML: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^(</details>\n?)?(<details><summary>[^<>@#\n]*</summary>)?$").expect("a pattern")
});

fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.alerts = true;
    options.extension.math_dollars = true;
    options.extension.math_code = true;
    options
}

/// Reads a document; a link to `own` is ours.
pub fn read(markdown: &str, own: Option<&str>) -> Reading {
    let arena = Arena::new();
    let root = parse_document(&arena, markdown, &options());
    let mut reading = Reading::default();
    for node in root.descendants().skip(1) {
        look(node, own, &mut reading);
    }
    reading
}

fn look<'a>(node: Node<'a>, own: Option<&str>, reading: &mut Reading) {
    let value = node.data().value.clone();
    let kind = format!("{value:?}");
    let kind = kind.split(['(', ' ', '{']).next().unwrap_or_default().to_owned();
    let mut found = None;
    match &value {
        NodeValue::Text(_) | NodeValue::SoftBreak => return,
        NodeValue::HtmlBlock(html) => {
            let html = html.literal.trim().to_owned();
            if !OWN_HTML.is_match(&html) {
                reading.acts.push(html.clone());
            }
            reading.shape.push(html.clone());
            reading.text.push_str(&html);
            return;
        }
        NodeValue::CodeBlock(block) => {
            // Code makes no reference, but an answer by e-mail may quote it.
            found = ACTING_QUOTED.find(&block.literal).map(|found| found.as_str().to_owned());
            reading.code.push(block.literal.clone());
            reading.text.push_str(&block.literal);
        }
        // Our own: a commit, which as code refers to nothing.
        NodeValue::Code(code) if COMMIT.is_match(&code.literal) => {}
        NodeValue::Link(link) if Some(link.url.as_str()) == own => {}
        NodeValue::Paragraph | NodeValue::Heading(_) | NodeValue::TableCell => {
            let text = text_of(node);
            found = ACTING.find(&text).map(|found| found.as_str().to_owned());
            reading.text.push_str(&text);
            reading.text.push('\n');
        }
        NodeValue::List(_)
        | NodeValue::Item(_)
        | NodeValue::Table(_)
        | NodeValue::TableRow(_)
        | NodeValue::Strong => {}
        other => found = Some(format!("{other:?}")),
    }
    reading.acts.extend(found);
    reading.shape.push(kind);
}

/// The text of a block, in one piece as a forge sees it; that of our own links is not part of it.
fn text_of<'a>(node: Node<'a>) -> String {
    let mut text = String::new();
    for child in node.descendants() {
        let in_link = child.ancestors().any(|of| matches!(of.data().value, NodeValue::Link(_)));
        match &child.data().value {
            NodeValue::Text(piece) if !in_link => text.push_str(piece),
            NodeValue::SoftBreak => text.push('\n'),
            _ => {}
        }
    }
    text
}

/// Pieces that attacks are made of, among ordinary characters.
pub fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "::",
            ":",
            "##",
            "#",
            "##[",
            "[",
            "]",
            "error",
            "::error::",
            "vso",
            "\r",
            "\n",
            "\r\n",
            "\u{A0}",
            "\u{85}",
            "\u{2028}",
            "\u{B}",
            "\u{1B}[31m",
            "\u{9B}",
            "\u{202E}",
            "\u{200B}",
            "\u{FEFF}",
            "\u{AD}",
            "@",
            "octocat",
            "#1",
            "GH-",
            "gh-12",
            "`",
            "```",
            "~~~",
            "|",
            "\\",
            "\\|",
            "<!--",
            "-->",
            "<img src=x>",
            "</details>",
            "![a](b)",
            "https://",
            "http:",
            "//x.y",
            "www.",
            "x.y",
            "a@b.co",
            "1a2b3c4d5e6f7081",
            "&#64;",
            "&",
            "$",
            "*",
            "**",
            "_",
            "__",
            "- ",
            "1. ",
            "=",
            "---",
            "> ",
            " ",
            "\t",
            "\0",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}
