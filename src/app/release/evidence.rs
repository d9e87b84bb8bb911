//! Evidence of a version, from the report of its evaluation.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::decided_again::require_same_decision;
use super::wire::time;
use crate::app::{Failure, mismatch, report_files};
use promptgate_core::model::{Diagnostic, Place};
use promptgate_core::stats::nearest_rank;
use promptgate_core::text::neutral;
use promptgate_release::{
    ActorSource, Digest, Evidence, EvidenceBaseline, EvidenceCriterion, EvidenceVerdict, GateScope, Name,
};
use promptgate_report::Report;
use promptgate_report::v1::{CriterionVerdict, EndedKind, Release, ReleaseGate, Role, Variant, Verdict};

/// The next step after a report that cannot be used.
const RUN_AGAIN: &str =
    "run the gate again, with this version of promptgate, and publish the report that it writes";

/// How far the clock of the machine that evaluated may be ahead.
const MAX_AHEAD: SignedDuration = SignedDuration::from_mins(10);

/// Reads a report.json as evidence of a version of the prompt `name`, evaluated where `source` says.
///
/// # Errors
/// A file that cannot be read, is cut or is not a report, a report that is no evidence, and one whose grades decide
/// otherwise than it says.
pub(crate) fn read(
    path: &Path,
    name: &Name,
    source: ActorSource,
    now: Timestamp,
) -> Result<(Report, Evidence), Failure> {
    let (report, digest) = report_files::read_with_digest(path)?;
    let place = Place::file(path.display().to_string());
    let evidence =
        of_report(&report, &digest, name, source).map_err(|diagnostic| diagnostic.or_at(&place))?;
    require_same_decision(&report).map_err(|diagnostics| diagnostics.at(&place))?;
    // The newest evaluation counts: one from the future would count for ever.
    if evidence.at.duration_since(now) > MAX_AHEAD {
        let message = format!("the run of this report ended in the future, at {}", time(evidence.at));
        return Err(Diagnostic::new(message).at(place).help("set the clock, and run the gate again").into());
    }
    Ok((report, evidence))
}

/// The evidence in a report, whose bytes have `digest`.
fn of_report(
    report: &Report,
    digest: &str,
    name: &Name,
    source: ActorSource,
) -> Result<Evidence, Diagnostic> {
    mismatch::partial(&report.dataset).map_or(Ok(()), Err)?;
    if let Some(overridden) = &report.overridden {
        let message = format!(
            "{} overrode the verdict of this run, which does not count as evidence",
            shown(&overridden.by)
        );
        return Err(Diagnostic::new(message).help("publish the report of a run on the default branch"));
    }
    let release = released(report, name)?;
    let scope = examined(release)?;
    let verdict = verdict(report)?;
    let variants = &report.variants;
    let baseline = variants.baseline.as_ref().map(|baseline| compared(baseline, release)).transpose()?;
    let criteria = report.criteria.iter().map(|criterion| EvidenceCriterion {
        name: criterion.id.clone(),
        verdict: of_criterion(criterion.verdict),
        estimate: criterion.estimate,
        interval: criterion.lower.zip(criterion.upper).map(|(lower, upper)| [lower, upper]),
    });
    let cost = report.metrics.iter().find(|metric| metric.name == "cost_usd");
    Ok(Evidence {
        report: parsed(digest)?,
        candidate: content(&variants.candidate)?,
        verdict,
        scope,
        baseline,
        waived: verdict == EvidenceVerdict::Inconclusive && release.inconclusive_passes,
        simulated: report.simulated,
        source,
        commit: release.commit.clone(),
        dataset: report.dataset.digest.clone(),
        cases: report.dataset.cases as u64,
        judge: report.judge.as_ref().map(|judge| judge.fingerprint.clone()),
        criteria: criteria.collect(),
        latency_p95_ms: latency_p95(report)?,
        cost_per_case_usd: cost.and_then(|metric| metric.candidate.mean),
        at: ended_at(report)?,
    })
}

/// The release of a report, if it is that of `name`.
fn released<'r>(report: &'r Report, name: &Name) -> Result<&'r Release, Diagnostic> {
    let Some(release) = &report.release else {
        return Err(Diagnostic::new("this report was written without `release:` in the configuration")
            .help(RUN_AGAIN));
    };
    if release.name != name.to_string() {
        let message = format!("this report is of the prompt {}, not of {name}", shown(&release.name));
        return Err(Diagnostic::new(message).help(RUN_AGAIN));
    }
    Ok(release)
}

fn examined(release: &Release) -> Result<GateScope, Diagnostic> {
    match release.examined {
        Some(ReleaseGate::Checks) => Ok(GateScope::Checks),
        Some(ReleaseGate::Full) => Ok(GateScope::Full),
        None => Err(Diagnostic::new(
            "this report is of a part of the suite, or of other minimums than the configured ones",
        )
        .help("run the gate without `--case`, `--only-failed`, `--filter`, `--tag` and `--min`")),
    }
}

/// The verdict, if the criteria and the end of the run allow it.
fn verdict(report: &Report) -> Result<EvidenceVerdict, Diagnostic> {
    let verdict = match report.verdict {
        Verdict::Pass => EvidenceVerdict::Pass,
        Verdict::Fail => EvidenceVerdict::Fail,
        Verdict::Inconclusive => EvidenceVerdict::Inconclusive,
        Verdict::Incomplete => EvidenceVerdict::Incomplete,
        Verdict::Unchanged => {
            return Err(Diagnostic::new("nothing was evaluated: the report says `unchanged`").help(RUN_AGAIN));
        }
    };
    let contradicts = |message: String| Err(Diagnostic::new(message).help(RUN_AGAIN));
    if verdict == EvidenceVerdict::Pass {
        if let Some(criterion) = report.criteria.iter().find(|it| it.verdict != CriterionVerdict::Pass) {
            let (id, found) = (shown(&criterion.id), criterion.verdict.as_str());
            return contradicts(format!(
                "the report contradicts itself: it passes, but criterion `{id}` is {found}"
            ));
        }
        if report.ended.kind != EndedKind::Completed {
            let ended = report.ended.kind.as_str();
            return contradicts(format!(
                "the report contradicts itself: it passes, but the run ended as {ended}"
            ));
        }
    }
    Ok(verdict)
}

fn of_criterion(verdict: CriterionVerdict) -> EvidenceVerdict {
    match verdict {
        CriterionVerdict::Pass => EvidenceVerdict::Pass,
        CriterionVerdict::Fail => EvidenceVerdict::Fail,
        CriterionVerdict::Inconclusive => EvidenceVerdict::Inconclusive,
        CriterionVerdict::Incomplete => EvidenceVerdict::Incomplete,
    }
}

/// The baseline, with its version if it is one of the same prompt.
fn compared(baseline: &Variant, release: &Release) -> Result<EvidenceBaseline, Diagnostic> {
    let published = baseline.published.as_ref().filter(|published| published.name == release.name);
    let version = published.map(|published| published.version.parse()).transpose();
    let version =
        version.map_err(|error| Diagnostic::new(format!("the baseline has an {error}")).help(RUN_AGAIN))?;
    Ok(EvidenceBaseline { digest: content(baseline)?, version })
}

/// The digest of the content of a variant.
fn content(variant: &Variant) -> Result<Digest, Diagnostic> {
    match &variant.content_digest {
        Some(digest) => parsed(digest),
        None => Err(Diagnostic::new(
            "this report does not say which content was evaluated: it has no `content_digest`",
        )
        .help(RUN_AGAIN)),
    }
}

fn parsed(digest: &str) -> Result<Digest, Diagnostic> {
    digest.parse().map_err(|_| {
        Diagnostic::new(format!("invalid digest in the report: `{}`", shown(digest))).help(RUN_AGAIN)
    })
}

/// 95th percentile of the candidate's latency in milliseconds; cached answers do not count.
fn latency_p95(report: &Report) -> Result<Option<f64>, Diagnostic> {
    let mut latencies = Vec::new();
    for case in &report.cases {
        for trial in case.trials.iter() {
            let trial = trial.map_err(|error| {
                Diagnostic::new(format!("the trials of the report cannot be read: {error}")).help(RUN_AGAIN)
            })?;
            if trial.role == Role::Candidate && !trial.cached {
                latencies.extend(trial.latency_ms);
            }
        }
    }
    latencies.sort_by(f64::total_cmp);
    Ok(nearest_rank(&latencies, 0.95))
}

fn ended_at(report: &Report) -> Result<Timestamp, Diagnostic> {
    let started = report.started_at.parse::<Timestamp>().ok();
    let ended = started.and_then(|at| at.checked_add(Duration::from_millis(report.duration_ms)).ok());
    ended.ok_or_else(|| {
        let started = shown(&report.started_at);
        Diagnostic::new(format!("invalid time in the report: `started_at` is `{started}`")).help(RUN_AGAIN)
    })
}

/// Text of a report, as messages show it.
fn shown(text: &str) -> String {
    neutral::clip(&neutral::terminal(text), 80)
}

#[cfg(test)]
mod tests {
    use promptgate_core::model::{CaseChoice, PartialDataset};
    use promptgate_report::v1::{PublishedVersion, ReleaseControls, ReleaseLevel};

    use super::*;

    const CANDIDATE: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const PRODUCTION: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn fixture(name: &str) -> Report {
        let mut report =
            report_files::read(Path::new(&format!("tests/fixtures/reports/{name}.json"))).unwrap();
        report.variants.candidate.content_digest = Some(CANDIDATE.to_owned());
        if let Some(baseline) = &mut report.variants.baseline {
            let (name, version) = ("support/reply".to_owned(), "2.3.1".to_owned());
            baseline.content_digest = Some(PRODUCTION.to_owned());
            baseline.published = Some(PublishedVersion { name, version, level: ReleaseLevel::Minor });
        }
        report.release = Some(Release {
            name: "support/reply".to_owned(),
            production: Some("2.3.1".to_owned()),
            version: Some("2.4.0".to_owned()),
            published: false,
            level: Some(ReleaseLevel::Minor),
            least_level: Some(ReleaseLevel::Minor),
            reasons: Vec::new(),
            requires: Some(ReleaseControls { gate: ReleaseGate::Full, approvals: 0 }),
            examined: Some(ReleaseGate::Full),
            inconclusive_passes: false,
            commit: Some("0123".to_owned()),
        });
        report
    }

    fn of(report: &Report) -> Result<Evidence, String> {
        let name = "support/reply".parse().unwrap();
        of_report(report, CANDIDATE, &name, ActorSource::DefaultBranch)
            .map_err(|diagnostic| diagnostic.message)
    }

    #[test]
    fn passing_report_becomes_evidence_with_its_numbers() {
        let report = fixture("pass");
        let evidence = of(&report).unwrap();
        assert_eq!((evidence.verdict, evidence.scope), (EvidenceVerdict::Pass, GateScope::Full));
        assert_eq!(evidence.candidate.as_str(), CANDIDATE);
        let baseline = evidence.baseline.unwrap();
        assert_eq!(
            (baseline.digest.as_str(), baseline.version),
            (PRODUCTION, Some("2.3.1".parse().unwrap()))
        );
        assert_eq!(evidence.dataset, report.dataset.digest);
        assert_eq!(evidence.cases, report.dataset.cases as u64);
        assert_eq!(evidence.judge, report.judge.as_ref().map(|judge| judge.fingerprint.clone()));
        assert_eq!(evidence.criteria.len(), report.criteria.len());
        assert_eq!(evidence.criteria[0].name, report.criteria[0].id);
        assert_eq!(evidence.criteria[0].estimate, report.criteria[0].estimate);
        assert_eq!((evidence.simulated, evidence.waived), (report.simulated, false));
        assert_eq!(evidence.commit.as_deref(), Some("0123"));
        let started: Timestamp = report.started_at.parse().unwrap();
        assert_eq!(evidence.at.as_millisecond() - started.as_millisecond(), report.duration_ms as i64);
    }

    #[test]
    fn latency_counts_the_answers_of_the_candidate_that_are_not_cached() {
        let mut report = fixture("pass");
        let fresh = |report: &Report| {
            let trials = report.cases.iter().flat_map(|case| case.trials.readable());
            let of_candidate = trials.filter(|trial| trial.role == Role::Candidate && !trial.cached);
            of_candidate.filter_map(|trial| trial.latency_ms).collect::<Vec<f64>>()
        };
        let mut latencies = fresh(&report);
        latencies.sort_by(f64::total_cmp);
        assert!(latencies.len() > 10);
        // The smallest value with 95 % of all at or below it.
        let below = |limit: f64| latencies.iter().filter(|latency| **latency <= limit).count() as f64;
        let p95 = of(&report).unwrap().latency_p95_ms.unwrap();
        assert!(latencies.contains(&p95) && below(p95) >= 0.95 * latencies.len() as f64);
        for case in &mut report.cases {
            let cached = case.trials.readable().map(|trial| {
                let trial = trial.into_owned();
                promptgate_report::v1::Trial { cached: true, ..trial }
            });
            case.trials = cached.collect::<Vec<_>>().into();
        }
        assert_eq!(of(&report).unwrap().latency_p95_ms, None);
    }

    #[test]
    fn other_verdicts_are_kept_and_only_the_policy_waives() {
        for (name, verdict) in [
            ("fail", EvidenceVerdict::Fail),
            ("inconclusive", EvidenceVerdict::Inconclusive),
            ("incomplete", EvidenceVerdict::Incomplete),
        ] {
            let mut report = fixture(name);
            report.exit_code = 0; // as with --advisory
            let evidence = of(&report).unwrap();
            assert_eq!((evidence.verdict, evidence.waived), (verdict, false), "{name}");
            report.release.as_mut().unwrap().inconclusive_passes = true;
            assert_eq!(of(&report).unwrap().waived, verdict == EvidenceVerdict::Inconclusive, "{name}");
        }
    }

    #[test]
    fn scope_is_the_examined_one() {
        let mut report = fixture("no_baseline");
        report.release.as_mut().unwrap().examined = Some(ReleaseGate::Checks);
        let evidence = of(&report).unwrap();
        assert_eq!((evidence.scope, evidence.baseline), (GateScope::Checks, None));
    }

    #[test]
    fn report_that_is_no_evidence_is_refused() {
        let refused = |edit: &dyn Fn(&mut Report)| {
            let mut report = fixture("pass");
            edit(&mut report);
            of(&report).unwrap_err()
        };
        let release =
            |report: &mut Report, edit: &dyn Fn(&mut Release)| edit(report.release.as_mut().unwrap());
        let contains = |message: String, part: &str| assert!(message.contains(part), "{message}");
        contains(refused(&|it| it.variants.candidate.content_digest = None), "which content was evaluated");
        contains(
            refused(&|it| it.variants.candidate.content_digest = Some("sha256:x".to_owned())),
            "invalid digest",
        );
        contains(
            refused(&|it| it.variants.baseline.as_mut().unwrap().content_digest = None),
            "which content",
        );
        contains(refused(&|it| it.release = None), "without `release:`");
        contains(
            refused(&|it| release(it, &|release| release.name = "other".to_owned())),
            "prompt other, not of",
        );
        contains(refused(&|it| release(it, &|release| release.examined = None)), "a part of the suite");
        let partial = |it: &mut Report| {
            it.dataset.partial = Some(PartialDataset {
                selected_by: CaseChoice::Named,
                of: 60,
                whole_digest: it.dataset.digest.clone(),
            });
        };
        contains(refused(&partial), "of a partial run: 6 of 60 cases");
        contains(
            refused(&|it| {
                it.overridden = Some(promptgate_report::v1::Override {
                    by: "grace".to_owned(),
                    at: "2026-11-01T10:00:00Z".to_owned(),
                    label: "promptgate-override".to_owned(),
                    verdict_without: Verdict::Pass,
                });
            }),
            "grace overrode the verdict",
        );
        contains(refused(&|it| it.verdict = Verdict::Unchanged), "nothing was evaluated");
        contains(refused(&|it| it.criteria[0].verdict = CriterionVerdict::Fail), "contradicts itself");
        contains(refused(&|it| it.ended.kind = EndedKind::Interrupted), "contradicts itself");
        contains(refused(&|it| it.started_at = "yesterday".to_owned()), "invalid time");
        contains(
            refused(&|it| {
                it.variants.baseline.as_mut().unwrap().published.as_mut().unwrap().version = "2".to_owned()
            }),
            "invalid version",
        );
    }

    #[test]
    fn cut_report_is_refused_and_a_whole_one_has_the_digest_of_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        let text = serde_json::to_string(&fixture("pass")).unwrap();
        let name = "support/reply".parse().unwrap();
        std::fs::write(&path, &text[..text.len() / 2]).unwrap();
        assert!(read(&path, &name, ActorSource::Local, Timestamp::now()).is_err());
        std::fs::write(&path, &text).unwrap();
        let (_, evidence) = read(&path, &name, ActorSource::Local, Timestamp::now()).unwrap();
        assert_eq!(evidence.report.as_str(), promptgate_adapters::files::digest_of_bytes(text.as_bytes()));
        assert_eq!(evidence.source, ActorSource::Local);
    }
}
