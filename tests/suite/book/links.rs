//! Links between pages, and the table of contents.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::{files, read};
use crate::support::repository;

/// The page without fenced blocks and code spans, so that brackets in code are not taken for links.
fn prose(page: &str) -> String {
    let mut fenced = false;
    let mut text = String::new();
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            text.push_str(line);
            text.push('\n');
        }
    }
    let code = Regex::new("``[^`]+``|`[^`]+`").expect("a pattern");
    code.replace_all(&text, "`code`").into_owned()
}

/// Targets of the links of a page.
fn links(page: &str) -> Vec<String> {
    let link = Regex::new(r"\]\(([^)\s]+)\)").expect("a pattern");
    link.captures_iter(&prose(page)).map(|found| found[1].to_owned()).collect()
}

/// The anchors that GitHub gives to the headings of a page.
fn anchors(page: &str) -> BTreeSet<String> {
    let link = Regex::new(r"\[([^\]]*)\]\([^)]*\)").expect("a pattern");
    let mut fenced = false;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        let title = line.trim_start_matches('#');
        if fenced || title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let anchor: String = link
            .replace_all(title.trim(), "$1")
            .to_lowercase()
            .chars()
            .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'))
            .map(|letter| if letter == ' ' { '-' } else { letter })
            .collect();
        let count = seen.entry(anchor.clone()).or_default();
        found.insert(if *count == 0 { anchor.clone() } else { format!("{anchor}-{count}") });
        *count += 1;
    }
    found
}

/// `docs/a/../b.md` as `docs/b.md`; `None` if it leaves the repository.
fn normal(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Why a link of the page at `path` leads nowhere.
fn broken(path: &str, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (target, anchor) =
        link.split_once('#').map_or((link, None), |(target, anchor)| (target, Some(anchor)));
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let target =
        if target.is_empty() { Some(path.to_owned()) } else { normal(&format!("{folder}/{target}")) };
    let Some(target) = target.filter(|target| repository().join(target).exists()) else {
        return Some(format!("{path}: {link} does not exist"));
    };
    let anchor = anchor.filter(|_| target.ends_with(".md"))?;
    let known = anchors(&read(&target)).contains(anchor);
    (!known).then(|| format!("{path}: {link} names no heading of {target}"))
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut pages = vec!["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]
        .into_iter()
        .map(str::to_owned)
        .collect::<Vec<_>>();
    pages.extend(files("docs", ".md"));
    pages.extend(files("examples", ".md"));
    let mut count = 0;
    let mut wrong = Vec::new();
    for path in &pages {
        for link in links(&read(path)) {
            count += 1;
            wrong.extend(broken(path, &link));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 300, "{count} links");
}

#[test]
fn broken_links_are_found() {
    let page = "See [a](ci.md#nowhere), `[b](c.md)` and\n```\n[d](e.md)\n```\n[f](none.md) [g](#keys).\n";
    assert_eq!(links(page), ["ci.md#nowhere", "none.md", "#keys"]);
    assert!(broken("docs/x.md", "ci.md#nowhere").expect("a finding").contains("no heading"));
    assert!(broken("docs/x.md", "none.md").expect("a finding").contains("does not exist"));
    assert!(broken("docs/x.md", "../../outside.md").is_some());
    assert_eq!(broken("docs/endpoints.md", "#keys"), None);
    assert_eq!(broken("docs/x.md", "../README.md#exit-codes"), None);
    assert_eq!(broken("docs/x.md", "configuration.md#targethttp"), None);
}

#[test]
fn anchors_are_those_of_github() {
    let page =
        "# `a.b`, as a map\n## What's *new*?\n## The_GitHub Action\n```\n# no\n```\n# [x](y) z\n# Z\n# Z\n";
    let expected = ["ab-as-a-map", "the_github-action", "whats-new", "x-z", "z", "z-1"];
    assert_eq!(anchors(page).into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn table_of_contents_has_every_page_once() {
    let listed: Vec<String> =
        links(&read("docs/SUMMARY.md")).iter().map(|link| format!("docs/{link}")).collect();
    let unique: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(unique.len(), listed.len(), "a page is listed twice: {listed:#?}");
    let pages: BTreeSet<String> =
        files("docs", ".md").into_iter().filter(|path| path != "docs/SUMMARY.md").collect();
    assert_eq!(unique, pages, "docs/SUMMARY.md lists exactly the pages of docs/");
}
