//! Reasons why two runs cannot be compared: other cases, another judge, a simulated model.

use std::collections::{BTreeMap, BTreeSet};

use promptgate_core::model::{DatasetFacts, Diagnostic, Diagnostics, JudgeFacts, Place};

/// Refuses a saved baseline for any of these reasons; `file` names its report.
pub(super) fn refuse(
    file: &str,
    diagnostics: impl IntoIterator<Item = Option<Diagnostic>>,
) -> Result<(), Diagnostics> {
    let diagnostics: Vec<Diagnostic> =
        diagnostics.into_iter().flatten().map(|diagnostic| diagnostic.at(Place::file(file))).collect();
    if diagnostics.is_empty() { Ok(()) } else { Err(Diagnostics(diagnostics)) }
}

/// A difference of the cases.
pub(super) fn dataset(saved: &DatasetFacts, ours: &DatasetFacts) -> Option<Diagnostic> {
    (saved.digest != ours.digest).then(|| {
        Diagnostic::new(format!(
            "the dataset differs: {} cases with digest {} there, {} cases with digest {} here",
            saved.cases, saved.digest, ours.cases, ours.digest
        ))
        .help("answer the baseline again on this dataset: a difference over other cases means nothing")
    })
}

/// A partial run, which is no evidence about the suite.
pub(super) fn partial(saved: &DatasetFacts) -> Option<Diagnostic> {
    let partial = saved.partial.as_ref()?;
    let message = format!("this report is of a partial run: {} of {} cases", saved.cases, partial.of);
    Some(
        Diagnostic::new(message)
            .help("run the whole suite, without `--case` and `--only-failed`, and name its report"),
    )
}

/// A difference of the judges; a run without a judge differs from none.
pub(super) fn judge(saved: Option<&JudgeFacts>, ours: Option<&JudgeFacts>) -> Option<Diagnostic> {
    let (saved, ours) = saved.zip(ours)?;
    (saved.fingerprint != ours.fingerprint).then(|| {
        Diagnostic::new(format!(
            "the judge differs in {}: {} with fingerprint {} there, {} with fingerprint {} here",
            differing(&saved.parts, &ours.parts),
            saved.model(),
            saved.fingerprint,
            ours.model(),
            ours.fingerprint
        ))
        .help("judge the baseline again with this judge: two judges can differ by more than two prompts")
    })
}

/// The parts of the fingerprint that differ, by name.
pub(super) fn differing(saved: &BTreeMap<String, String>, ours: &BTreeMap<String, String>) -> String {
    let names: BTreeSet<&String> = saved.keys().chain(ours.keys()).collect();
    let differ = names.into_iter().filter(|name| saved.get(*name) != ours.get(*name));
    let listed: Vec<&str> = differ.map(String::as_str).collect();
    if listed.is_empty() { "its fingerprint".to_owned() } else { listed.join(", ") }
}

/// A difference of the models: simulated or not.
pub(super) fn simulation(saved: bool, ours: bool) -> Option<Diagnostic> {
    (saved != ours).then(|| {
        Diagnostic::new("one of the two runs was answered by the simulated model, the other was not")
            .help("the simulated model measures nothing; compare like with like")
    })
}
