//! The dataset of a change whose policy is that of its base.
//!
//! The cases are part of the bar. The base's content decides for every field that the base has, for the conversation, which
//! goes into every prompt, and for all that grades or groups its cases; the change's for other fields that it adds, and new
//! cases count in addition. A change that leaves the prompt as it is may alter the dataset: it is judged on its own data.

use std::collections::{BTreeMap, BTreeSet};

use super::variants::Variants;
use super::{Findings, dataset};
use crate::app::sources::{CasesToRead, PolicyDataset, between, matched};
use crate::config::DatasetRule;
use promptgate_adapters::files::{self, DatasetSource, Images, LoadError, Loaded};
use promptgate_core::model::{
    Case, Dataset, Diagnostic, Diagnostics, Fault, FaultKind, PolicySource, Variant,
};
use promptgate_core::template;
use promptgate_core::text::neutral;

/// Cases and fields that one message names.
const NAMED: usize = 5;

/// The base's dataset, parsed.
pub(super) struct BaseDataset {
    /// Its cases, or why there are none.
    cases: Result<Vec<Case>, Option<Diagnostic>>,
    /// How they are read.
    source: DatasetSource,
    replaced: bool,
    newer: bool,
}

impl BaseDataset {
    /// Parses the dataset beside a policy from elsewhere.
    pub(super) fn parse(dataset: PolicyDataset) -> Self {
        let PolicyDataset { bytes, source, replaced, newer } = dataset;
        let cases = match files::parse_dataset(bytes, &source) {
            Ok(Loaded { value, .. }) => Ok(value.cases),
            Err(LoadError::Diagnostics(diagnostics)) => Err(diagnostics.0.into_iter().next()),
            Err(LoadError::Empty(diagnostic)) => Err(Some(diagnostic)),
        };
        Self { cases, source, replaced, newer }
    }

    /// Whether values of its cases are in files of their own.
    pub(super) fn has_values_in_files(&self) -> bool {
        !self.source.files.is_empty()
    }

    /// Takes the cases out, for the values that are in files.
    pub(super) fn take_cases(base: Option<&mut Self>) -> CasesToRead {
        base.map(|base| (base.source.clone(), base.cases.as_mut().map(std::mem::take).unwrap_or_default()))
            .unwrap_or_default()
    }

    /// Puts the cases back with their values.
    pub(super) fn set_cases(&mut self, read: Result<Vec<Case>, Diagnostics>) {
        if self.cases.is_ok() {
            self.cases = read.map_err(|diagnostics| diagnostics.0.into_iter().next());
        }
    }

    /// The paths of the images of its cases.
    pub(super) fn image_paths(&mut self) -> BTreeSet<String> {
        self.cases.as_deref_mut().map_or_else(|_| BTreeSet::new(), dataset::image_paths)
    }

    /// Puts the images into the cases. One that is missing makes the dataset unreadable.
    pub(super) fn add_images(&mut self, images: &Images) {
        let Ok(cases) = &mut self.cases else { return };
        if let Some(diagnostic) = dataset::add_images(cases, images).into_iter().next() {
            self.cases = Err(Some(diagnostic));
        }
    }

    /// Its cases; none where it cannot be read.
    pub(super) fn cases(&self) -> &[Case] {
        self.cases.as_deref().unwrap_or_default()
    }
}

/// The dataset that decides.
pub(super) struct Deciding {
    /// The cases.
    pub(super) dataset: Dataset,
    /// Why they cannot decide about this change.
    pub(super) rejection: Option<Fault>,
}

/// Combines the change's dataset with that of its base, and notes their differences in `source`.
pub(super) fn deciding(
    own: Dataset,
    base: Option<BaseDataset>,
    rule: DatasetRule,
    variants: &Variants,
    source: Option<&mut PolicySource>,
    findings: &mut Findings,
) -> Deciding {
    let as_it_is = |dataset| Deciding { dataset, rejection: None };
    let (Some(base), Some(source)) = (base, source) else { return as_it_is(own) };
    let own_data_decides = rule == DatasetRule::Head || variants.same_prompt;
    let before = match &base.cases {
        Ok(before) => before,
        Err(why) => {
            let why = why.as_ref().map_or_else(String::new, |why| format!(": {}", why.message));
            let message = format!(
                "changes of the dataset since {} are unknown: it cannot be read there{why}",
                source.spec
            );
            findings.warnings.push(message.clone());
            // A dataset that the job provides is the same for every change.
            let rejected = base.replaced && !own_data_decides;
            return Deciding { dataset: own, rejection: rejected.then(|| rejection(message)) };
        }
    };
    let changes = between(before, &own.cases);
    source.dataset = Some(changes.clone());
    if own_data_decides {
        if variants.same_prompt && !changes.is_empty() {
            let notice = "the prompt is that of the base and the dataset is not: thresholds and checks decide, on the \
                          data of this change";
            findings.notices.push(notice.to_owned());
        }
        return as_it_is(own);
    }
    let combined = combine(before, own, base.newer, &variants.candidate);
    report(&combined.differences, &source.spec, findings);
    let rejection = unusable(before, &combined);
    Deciding { dataset: combined.dataset, rejection }
}

/// The cases of both datasets.
struct Combined {
    dataset: Dataset,
    /// Indices of the base's cases that the change removes.
    removed: Vec<usize>,
    /// Indices of the base's cases that its prompt cannot be rendered for.
    unrendered: Vec<usize>,
    differences: Differences,
}

/// How the change's rows of the base's cases differ from these.
#[derive(Default)]
struct Differences {
    /// Cases of which something in the change does not count.
    kept: usize,
    /// Fields that only the change has, with the number of cases.
    added_fields: BTreeMap<String, usize>,
}

/// `newer` says that the branch may lack cases of the base because it started before them: these count as they are.
fn combine(before: &[Case], own: Dataset, newer: bool, candidate: &Variant) -> Combined {
    let matches = matched(before, &own.cases);
    let kept: BTreeSet<usize> = matches.iter().flatten().copied().collect();
    let has_tags = before.iter().any(|case| !case.tags.is_empty());
    let mut differences = Differences::default();
    let mut cases: Vec<Case> = own
        .cases
        .into_iter()
        .zip(matches)
        .map(|(case, index)| match index.and_then(|index| before.get(index)) {
            Some(base) => content(base, case, has_tags, &mut differences),
            None => Case { added: true, ..case },
        })
        .collect();
    let (mut removed, mut unrendered) = (Vec::new(), Vec::new());
    for (index, case) in before.iter().enumerate().filter(|(index, _)| !kept.contains(index)) {
        if !newer {
            removed.push(index);
        } else if template::verify(candidate, std::slice::from_ref(case)).is_empty() {
            let taken = cases.iter().any(|other| other.id == case.id);
            let id = if taken { format!("{} of the base", case.id) } else { case.id.clone() };
            cases.push(Case { id, ..case.clone() });
        } else {
            unrendered.push(index);
        }
    }
    let facts = promptgate_core::model::DatasetFacts {
        digest: files::digest(&cases),
        cases: cases.len(),
        ..own.facts
    };
    Combined { dataset: Dataset { facts, cases }, removed, unrendered, differences }
}

/// The base's case with the fields that only the change has. Whatever grades a case or groups it is the base's alone:
/// one group for all cases leaves no interval, further items of a checklist dilute those of the base, and criteria of
/// further checks take a share of alpha. So are messages, turns and images: they are sent with any prompt, also one that
/// does not name them.
fn content(base: &Case, own: Case, has_tags: bool, differences: &mut Differences) -> Case {
    let written = files::digest(&[Case { id: String::new(), ..own.clone() }]);
    // A case that is no turn at the base does not become one.
    let turn_of = base.turn_of.clone().map(|of| own.turn_of.unwrap_or(of));
    let mut case = Case { id: own.id, numbered: own.numbered, turn_of, added: false, ..base.clone() };
    let mut add = |field: &str| *differences.added_fields.entry(field.to_owned()).or_default() += 1;
    let has_conversation = !(case.messages.is_empty() && case.images.is_empty());
    if !case.has_query() && !has_conversation && !own.query.is_empty() {
        case.query = own.query;
        add("query");
    }
    if case.context.is_none() && own.context.is_some() {
        case.context = own.context;
        add("context");
    }
    if case.expected.is_none() && own.expected.is_some() {
        case.expected = own.expected;
        add("expected");
    }
    for (name, value) in own.vars {
        if !case.vars.contains_key(&name) {
            add(&name);
            case.vars.insert(name, value);
        }
    }
    // A tag on further cases would dilute a slice of the base.
    if !has_tags && !own.tags.is_empty() {
        case.tags = own.tags;
        add("tags");
    }
    // One criterion more, which has no share of alpha.
    case.must_pass |= own.must_pass;
    if files::digest(&[Case { id: String::new(), ..case.clone() }]) != written {
        differences.kept += 1;
    }
    case
}

/// Warns about differences that do not count, and about fields that only this change has.
fn report(differences: &Differences, spec: &str, findings: &mut Findings) {
    let Differences { kept, added_fields } = differences;
    if *kept > 0 {
        let cases = if *kept == 1 { "1 changed case is" } else { &format!("{kept} changed cases are") };
        let further =
            if added_fields.is_empty() { "" } else { ", and with the fields that only this change has" };
        findings.warnings.push(format!(
            "{cases} evaluated with the content at {spec}{further}: land the data alone first, then the prompt"
        ));
    }
    if !added_fields.is_empty() {
        let fields = added_fields.iter().take(NAMED);
        let fields: Vec<String> = fields
            .map(|(field, cases)| {
                format!("{} (in {cases} cases of the base)", neutral::clip(&neutral::terminal(field), 60))
            })
            .collect();
        let more = if added_fields.len() > NAMED { ", …" } else { "" };
        findings.notices.push(format!(
            "fields that the base does not have are those of this change: {}{more}",
            fields.join(", ")
        ));
    }
}

/// Why the base's cases cannot decide.
fn unusable(before: &[Case], combined: &Combined) -> Option<Fault> {
    let part = |indices: &[usize], what: &str| {
        let mut cases: Vec<&Case> = indices.iter().filter_map(|index| before.get(*index)).collect();
        if cases.is_empty() {
            return None;
        }
        cases.sort_by_key(|case| !case.must_pass);
        let must_pass = cases.iter().filter(|case| case.must_pass).count();
        let named: Vec<String> = cases
            .iter()
            .take(NAMED)
            .map(|case| {
                let id = neutral::clip(&neutral::terminal(&case.id), 60);
                if case.must_pass { format!("{id} (must pass)") } else { id }
            })
            .collect();
        let more = if cases.len() > NAMED { ", …" } else { "" };
        let noun = if cases.len() == 1 { "case" } else { "cases" };
        let must = match must_pass {
            0 => String::new(),
            count => format!(", {count} of which must pass"),
        };
        Some(format!("{what} {} {noun} of the base{must}: {}{more}", cases.len(), named.join(", ")))
    };
    let parts = [
        part(&combined.removed, "this change removes"),
        part(&combined.unrendered, "its prompt cannot be rendered for"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| rejection(parts.join("; ")))
}

fn rejection(message: String) -> Fault {
    Fault::new(FaultKind::DatasetChanged, message).help(
        "land the data alone first: a change that leaves the prompt as it is is judged on its own data. Then change the \
         prompt. `gate: {dataset: head}` in the base's configuration lets every change bring its own data",
    )
}

#[cfg(test)]
mod tests;
