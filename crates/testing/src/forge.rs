//! Parses Markdown as a forge does and lists its active content.
//!
//! A parser of CommonMark with GitHub's extensions finds links, images and HTML. The remaining text is searched for
//! mentions, references, hashes, addresses and emoji.

use std::sync::LazyLock;

use comrak::nodes::NodeValue;
use comrak::{Arena, Node, Options, parse_document};
use proptest::prelude::*;
use regex::Regex;

/// A parsed document.
#[derive(Debug, Default)]
pub struct Document {
    /// The kinds of all nodes but text, in order; HTML verbatim.
    pub shape: Vec<String>,
    /// Active content, without the links and HTML of promptgate itself.
    pub active: Vec<String>,
    /// The text of each code block.
    pub code: Vec<String>,
    /// The visible text, including code and HTML.
    pub text: String,
}

static ACTIVE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix) @[a-z0-9] | \#[0-9] | \bgh-[0-9] | \bghsa-[a-z0-9] | \b[0-9a-f]{7,40}\b | :// | www\.
        | mailto:[a-z0-9] | :([a-z_+-][a-z0-9_+-]*|100|1234|8ball): | (?-i)\b[A-Z]{2,}-[0-9]",
    )
    .expect("a pattern")
});

static ACTIVE_IN_CODE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("@[A-Za-z0-9]|#[0-9]").expect("a pattern"));

static COMMIT: LazyLock<Regex> = LazyLock::new(|| Regex::new("^[0-9a-f]{12}$").expect("a pattern"));

static OWN_HTML: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^(</details>\n?)?(<details><summary>[^<>@#\n]*</summary>)?$").expect("a pattern")
});

/// Inline tags of promptgate, which have no attributes.
const OWN_TAGS: [&str; 5] = ["<del>", "</del>", "<ins>", "</ins>", "<br>"];

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

/// Parses a document; links to `own` are not active content.
pub fn read(markdown: &str, own: Option<&str>) -> Document {
    let arena = Arena::new();
    let root = parse_document(&arena, markdown, &options());
    let mut document = Document::default();
    for node in root.descendants().skip(1) {
        visit(node, own, &mut document);
    }
    document
}

fn visit<'a>(node: Node<'a>, own: Option<&str>, document: &mut Document) {
    let value = node.data().value.clone();
    let kind = format!("{value:?}");
    let kind = kind.split(['(', ' ', '{']).next().unwrap_or_default().to_owned();
    let mut active = None;
    match &value {
        NodeValue::Text(_) | NodeValue::SoftBreak => return,
        NodeValue::HtmlBlock(html) => {
            let html = html.literal.trim().to_owned();
            if !OWN_HTML.is_match(&html) {
                document.active.push(html.clone());
            }
            document.shape.push(html.clone());
            document.text.push_str(&html);
            return;
        }
        NodeValue::CodeBlock(block) => {
            // Code has no references, but a reply by e-mail may quote it as text.
            active = ACTIVE_IN_CODE.find(&block.literal).map(|matched| matched.as_str().to_owned());
            document.code.push(block.literal.clone());
            document.text.push_str(&block.literal);
        }
        // A commit hash in code is no reference.
        NodeValue::Code(code) if COMMIT.is_match(&code.literal) => {}
        NodeValue::Link(link) if Some(link.url.as_str()) == own => {}
        NodeValue::Paragraph | NodeValue::Heading(_) | NodeValue::TableCell => {
            let text = text_of(node);
            active = ACTIVE.find(&text).map(|matched| matched.as_str().to_owned());
            document.text.push_str(&text);
            document.text.push('\n');
        }
        // The marks of a difference, and line breaks in a table. A text that could write them could write other tags.
        NodeValue::HtmlInline(html) if OWN_TAGS.contains(&html.as_str()) => return,
        NodeValue::List(_)
        | NodeValue::BlockQuote
        | NodeValue::Item(_)
        | NodeValue::Table(_)
        | NodeValue::TableRow(_)
        | NodeValue::Strong => {}
        other => active = Some(format!("{other:?}")),
    }
    document.active.extend(active);
    document.shape.push(kind);
}

/// The text of a block, joined as a forge does, without the text of links.
fn text_of<'a>(node: Node<'a>) -> String {
    let mut text = String::new();
    for child in node.descendants() {
        let in_link = child.ancestors().any(|ancestor| matches!(ancestor.data().value, NodeValue::Link(_)));
        match &child.data().value {
            NodeValue::Text(piece) if !in_link => text.push_str(piece),
            NodeValue::SoftBreak => text.push('\n'),
            NodeValue::HtmlInline(html) if html == "<br>" => text.push('\n'),
            _ => {}
        }
    }
    text
}

/// Texts of attack fragments and random characters.
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
