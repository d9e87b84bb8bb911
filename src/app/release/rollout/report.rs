//! Rollouts as they are printed.

use std::fmt::Display;

use crate::app::release::wire::{percent, time, word};
use promptgate_core::model::{Diagnostic, Diagnostics};
use promptgate_release::Name;
use promptgate_release::limits::LimitFinding;
use promptgate_release::rollout::{
    Decision, Finding, Look, Observations, Reading, Rollout, Sample, Status, TestKind, Variants,
};
use promptgate_report::release::rollout as wire;
use promptgate_report::release::rollout::{RolloutResult, SCHEMA};

/// A rollout without findings.
pub(super) fn rollout(name: &Name, result: RolloutResult, rollout: Option<&Rollout>) -> wire::Rollout {
    wire::Rollout {
        schema: SCHEMA.to_owned(),
        name: name.to_string(),
        result,
        version: None,
        rollout: rollout.map(position),
        findings: Vec::new(),
        metrics: Vec::new(),
        looks: Vec::new(),
        obstacles: Vec::new(),
        gate: None,
        monitor: None,
        notes: Vec::new(),
        dry_run: false,
    }
}

/// How far a rollout is.
pub(in crate::app::release) fn position(rollout: &Rollout) -> wire::RolloutPosition {
    let start = &rollout.start;
    wire::RolloutPosition {
        number: start.number,
        kind: if start.is_fixed() { "fixed".to_owned() } else { start.kind.as_str().to_owned() },
        treatment: start.treatment.to_string(),
        control: start.control.to_string(),
        percent: percent(rollout.basis_points),
        step: rollout.step + 1,
        steps: start.steps.len(),
        started_at: time(rollout.started_at),
        step_started_at: time(rollout.step_started_at),
        paused: rollout.paused.clone(),
    }
}

/// Adds a decision and what it is about.
pub(super) fn add_decision(report: &mut wire::Rollout, decision: &Decision, observations: &Observations) {
    report.findings = decision.findings.iter().map(finding).collect();
    report.looks = decision.looks.iter().map(look).collect();
    let samples = observations.readings.iter().filter_map(|(name, reading)| match reading {
        Reading::Observed(samples) => Some(metric(name, samples)),
        Reading::Missing(_) | Reading::Failed(_) => None,
    });
    report.metrics = samples.collect();
}

fn finding(Finding { metric, kind }: &Finding) -> wire::Finding {
    written(metric.as_deref(), kind.status(), kind.code(), kind)
}

/// Findings about limits.
pub(super) fn limit_findings(findings: &[LimitFinding]) -> Vec<wire::Finding> {
    let one = |LimitFinding { metric, kind }: &LimitFinding| {
        written(metric.as_deref(), kind.status(), kind.code(), kind)
    };
    findings.iter().map(one).collect()
}

fn written(metric: Option<&str>, status: Status, code: &str, text: &dyn Display) -> wire::Finding {
    wire::Finding {
        metric: metric.map(str::to_owned),
        status: match status {
            Status::Pass => wire::FindingStatus::Pass,
            Status::Inconclusive => wire::FindingStatus::Inconclusive,
            Status::Hold => wire::FindingStatus::Hold,
            Status::Error => wire::FindingStatus::Error,
            Status::Fail => wire::FindingStatus::Fail,
        },
        code: code.to_owned(),
        text: text.to_string(),
    }
}

/// Diagnostics as remarks, each with its next step.
pub(super) fn sentences(diagnostics: &Diagnostics) -> Vec<String> {
    let one = |diagnostic: &Diagnostic| match &diagnostic.help {
        Some(help) => format!("{}; {help}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    diagnostics.0.iter().map(one).collect()
}

fn metric(name: &str, samples: &Variants<Sample>) -> wire::MetricSamples {
    let figure = |sample: &Sample| sample.value().filter(|value| value.is_finite());
    wire::MetricSamples {
        name: name.to_owned(),
        control_n: samples.control.n(),
        control: figure(&samples.control),
        treatment_n: samples.treatment.n(),
        treatment: figure(&samples.treatment),
    }
}

fn look(look: &Look) -> wire::Look {
    let test: &TestKind = &look.test;
    wire::Look {
        guardrail: look.guardrail.clone(),
        test: word(test),
        fraction: look.fraction,
        z: look.z,
        bound: look.bound,
        shown: look.is_shown(),
    }
}
