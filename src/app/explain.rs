//! Explanations of codes: `docs/codes.md` is both the page for readers and the registry that this reads.

use std::sync::LazyLock;

use promptgate_core::document::suggest;
use promptgate_core::model::Diagnostic;

const PAGE: &str = include_str!("../../docs/codes.md");
/// The page of the checks, with a section for each.
const CHECKS: &str = include_str!("../../docs/checks.md");
/// Names that reports and configurations have beside codes, and where they are explained.
const OTHERS: [(&str, &str); 3] = [
    (
        "must_pass",
        "`must_pass` is a key of a case: docs/datasets.md#criteria-of-a-case; the reason is `must_pass_failed`",
    ),
    (
        "no_baseline",
        "without a baseline the thresholds alone decide, and the first line of the report says why there is none: \
         docs/prompts.md#baselines",
    ),
    (
        "skipped",
        "the line beside `skipped` says why; a suite that was not evaluated has the verdict `not_evaluated` or `unchanged`",
    ),
];
/// Marks of the paragraphs of an entry.
const WHY: &str = "**Why.** ";
const NEXT: &str = "**Next.** ";

static ENTRIES: LazyLock<Vec<Explanation>> = LazyLock::new(|| parse(PAGE));

/// The explanation of a code.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Explanation {
    /// The code.
    pub(crate) code: String,
    /// Its carriers: `reason`, `fault`, `verdict`, `end`, `status`, `call`, `flag`, `obstacle`, `finding`, `exit code`.
    pub(crate) kinds: Vec<String>,
    /// Its meaning.
    pub(crate) meaning: String,
    /// Why it happens.
    pub(crate) why: String,
    /// The next step.
    pub(crate) next: String,
}

/// All explanations, in the order of the page.
pub(crate) fn all() -> &'static [Explanation] {
    &ENTRIES
}

/// The explanation of a code. Case, hyphens and the value of a flag after a colon do not count.
///
/// # Errors
/// An unknown code, with the nearest one.
pub(crate) fn explain(code: &str) -> Result<&'static Explanation, Diagnostic> {
    let name = code.split(':').next().unwrap_or_default().trim();
    let name = name.to_ascii_lowercase().replace('-', "_");
    ENTRIES.iter().find(|entry| entry.code == name).ok_or_else(|| {
        if let Some(help) = of_no_code(&name) {
            return Diagnostic::new(format!("`{code}` is not a code")).help(help);
        }
        let help = match suggest(&name, ENTRIES.iter().map(|entry| entry.code.as_str())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`promptgate explain --list` prints all codes".to_owned(),
        };
        Diagnostic::new(format!("unknown code `{code}`")).help(help)
    })
}

/// The page that explains a name from a report that is not a code: the name of a check, or one of [`OTHERS`].
fn of_no_code(name: &str) -> Option<String> {
    let others = OTHERS.iter().find(|(other, _)| *other == name).map(|(_, help)| (*help).to_owned());
    let check = name.strip_prefix("check.").unwrap_or(name);
    let is_section =
        CHECKS.lines().filter_map(|line| line.strip_prefix("## ")).any(|title| title.trim_end() == check);
    others.or_else(|| is_section.then(|| format!("{check} is a check: docs/checks.md#{check}")))
}

/// Reads the entries of the page; a paragraph is one line.
fn parse(page: &str) -> Vec<Explanation> {
    let page = page.replace("\r\n", "\n");
    page.split("\n### ").skip(1).map(entry).collect()
}

fn entry(section: &str) -> Explanation {
    let (code, rest) = section.split_once('\n').unwrap_or((section, ""));
    let rest = rest.split("\n## ").next().unwrap_or_default();
    let mut paragraphs = rest.split("\n\n").map(|lines| lines.trim().replace('\n', " "));
    let paragraphs = paragraphs.by_ref().filter(|text| !text.is_empty()).collect::<Vec<_>>();
    let marked = |mark: &str| {
        let found = paragraphs.iter().find_map(|text| text.strip_prefix(mark));
        found.unwrap_or_default().to_owned()
    };
    let kinds = paragraphs.first().map(|line| line.trim_matches('*')).unwrap_or_default();
    let plain = |text: &&String| !text.starts_with("**");
    Explanation {
        code: code.trim().to_owned(),
        kinds: kinds.split(", ").map(str::to_owned).collect(),
        meaning: paragraphs.iter().skip(1).filter(plain).cloned().collect::<Vec<_>>().join(" "),
        why: marked(WHY),
        next: marked(NEXT),
    }
}
