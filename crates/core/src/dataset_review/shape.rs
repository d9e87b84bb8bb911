//! Size, tags, groups and labels.

use std::collections::BTreeMap;

use super::{finding, finding_of_sets, percent};
use crate::model::{Case, DatasetCode, DatasetFinding, FindingLevel};
use crate::text::counted;

/// The cases from which bounds by Student's t are useful.
const MIN_CASES: usize = 20;
/// The cases from which fewer repeats decide and rare failures show.
const ADVISED_CASES: usize = 50;
/// The cases of a tag or label from which it says something.
const MIN_OF_TAG: usize = 5;
/// The share of cases that must pass above which they are many, and the number from which the share counts.
const MAX_MUST_PASS: f64 = 0.25;
const MIN_MUST_PASS: usize = 5;
/// The most labels, and the most characters of one: more are answers, not labels.
const MAX_LABELS: usize = 20;
const MAX_LABEL: usize = 40;

/// Findings about size, tags, groups and labels.
pub(super) fn findings(cases: &[Case]) -> Vec<DatasetFinding> {
    let mut findings: Vec<DatasetFinding> = size(cases).into_iter().collect();
    findings.extend(must_pass(cases));
    findings.extend(tags(cases));
    findings.extend(groups(cases));
    findings.extend(labels(cases));
    findings
}

fn size(cases: &[Case]) -> Option<DatasetFinding> {
    let number = counted(cases.len() as u64, "case");
    let (code, level, message) = if cases.len() < MIN_CASES {
        let message = format!("{number}: too few for a reliable bound on a mean, which needs {MIN_CASES}");
        (DatasetCode::TooFewCases, FindingLevel::Warning, message)
    } else if cases.len() < ADVISED_CASES {
        let message =
            format!("{number}: from {ADVISED_CASES} on, fewer repeats decide and rare failures show");
        (DatasetCode::FewCases, FindingLevel::Info, message)
    } else {
        return None;
    };
    let help = "add cases from real questions and from bugs that were fixed";
    Some(finding(code, level, message, help, cases, []))
}

fn must_pass(cases: &[Case]) -> Option<DatasetFinding> {
    let places = places(cases, |case| case.must_pass);
    let is_many = places.len() >= MIN_MUST_PASS && places.len() as f64 > MAX_MUST_PASS * cases.len() as f64;
    is_many.then(|| {
        let message = format!(
            "{} of {} must pass ({}): each is a criterion of its own that one bad answer can fail",
            places.len(),
            counted(cases.len() as u64, "case"),
            percent(places.len(), cases.len())
        );
        let help = "keep `must_pass` for answers that must never be wrong, and give the others a minimum over all cases";
        finding(DatasetCode::ManyMustPass, FindingLevel::Info, message, help, cases, places)
    })
}

fn places(cases: &[Case], is_found: impl Fn(&Case) -> bool) -> Vec<usize> {
    cases.iter().enumerate().filter(|(_, case)| is_found(case)).map(|(place, _)| place).collect()
}

/// The places of cases by the names that each has.
fn by_name<'a, N: IntoIterator<Item = &'a String>>(
    cases: &'a [Case],
    names: impl Fn(&'a Case) -> N,
) -> BTreeMap<&'a str, Vec<usize>> {
    let mut found: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, case) in cases.iter().enumerate() {
        for name in names(case) {
            let places = found.entry(name).or_default();
            if places.last() != Some(&place) {
                places.push(place);
            }
        }
    }
    found
}

fn named(sets: Vec<(&str, Vec<usize>)>) -> Vec<(Option<String>, Vec<usize>)> {
    sets.into_iter().map(|(name, places)| (Some(name.to_owned()), places)).collect()
}

fn tags(cases: &[Case]) -> Vec<DatasetFinding> {
    let tags = by_name(cases, |case| &case.tags);
    let (general, others): (Vec<_>, Vec<_>) =
        tags.into_iter().partition(|(_, places)| cases.len() > 1 && places.len() == cases.len());
    let small: Vec<_> = others.into_iter().filter(|(_, places)| places.len() < MIN_OF_TAG).collect();
    let mut findings = Vec::new();
    if !small.is_empty() {
        let message = format!(
            "{} of fewer than {MIN_OF_TAG} cases, where a drop hardly shows",
            match small.len() {
                1 => "1 tag is".to_owned(),
                many => format!("{many} tags are"),
            }
        );
        let help = "add cases with the tag, or use a broader one";
        findings.push(finding_of_sets(DatasetCode::SmallTags, message, help, cases, named(small)));
    }
    if !general.is_empty() {
        let message = format!(
            "{} on every case, so its results are those of the whole dataset",
            match general.len() {
                1 => "1 tag is".to_owned(),
                many => format!("{many} tags are"),
            }
        );
        let help = "use tags for what differs between cases: topic, language, difficulty";
        let sets = general.into_iter().map(|(name, _)| (Some(name.to_owned()), Vec::new())).collect();
        findings.push(finding_of_sets(DatasetCode::TagOnEveryCase, message, help, cases, sets));
    }
    let untagged = places(cases, |case| case.tags.is_empty());
    if !untagged.is_empty() && untagged.len() * 2 < cases.len() {
        let message = format!(
            "{} of {} without a tag, though most have one",
            untagged.len(),
            counted(cases.len() as u64, "case")
        );
        let help = "tag them as well: a drop is reported by tag";
        findings.push(finding(
            DatasetCode::UntaggedCases,
            FindingLevel::Warning,
            message,
            help,
            cases,
            untagged,
        ));
    }
    findings
}

fn groups(cases: &[Case]) -> Option<DatasetFinding> {
    let groups = by_name(cases, |case| &case.group);
    let single: Vec<_> = groups.into_iter().filter(|(_, places)| places.len() == 1).collect();
    if single.is_empty() {
        return None;
    }
    let message = match single.len() {
        1 => "1 group has one case only".to_owned(),
        many => format!("{many} groups have one case only"),
    };
    let help = "give dependent cases the same `group`, letter for letter, or leave it out";
    Some(finding_of_sets(DatasetCode::SingleCaseGroups, message, help, cases, named(single)))
}

fn labels(cases: &[Case]) -> Option<DatasetFinding> {
    let mut labels: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut answered = 0;
    for (place, case) in cases.iter().enumerate() {
        let Some(value) = case.expected.as_ref().filter(|value| !value.is_array() && !value.is_object())
        else {
            continue;
        };
        let text = case.expected_text().unwrap_or_default().trim().to_owned();
        if value.is_null() || text.is_empty() || text.chars().count() > MAX_LABEL {
            continue;
        }
        answered += 1;
        labels.entry(text).or_default().push(place);
    }
    // Labels come again; other answers are each for their own case.
    let with_expected = cases.iter().filter(|case| case.expected.is_some()).count();
    let are_labels = answered == with_expected && labels.len() <= MAX_LABELS && labels.len() * 3 <= answered;
    if !are_labels {
        return None;
    }
    if labels.len() == 1 && answered >= MIN_OF_TAG {
        let label = labels.into_keys().next();
        let message = format!("all {answered} reference answers are the same");
        let help = "add cases with other answers: a prompt that always answers this would pass";
        let sets = vec![(label, Vec::new())];
        return Some(finding_of_sets(DatasetCode::OneLabel, message, help, cases, sets));
    }
    let small: Vec<_> = labels.into_iter().filter(|(_, places)| places.len() < MIN_OF_TAG).collect();
    if small.is_empty() {
        return None;
    }
    let message = format!(
        "{} the reference answer of fewer than {MIN_OF_TAG} cases",
        match small.len() {
            1 => "1 label is".to_owned(),
            many => format!("{many} labels are"),
        }
    );
    let help = "add cases with the label: a prompt that never gives it would hardly lose";
    let sets = small.into_iter().map(|(name, places)| (Some(name), places)).collect();
    Some(finding_of_sets(DatasetCode::SmallLabels, message, help, cases, sets))
}
