//! Checks a suite and everything around it that a run depends on: endpoints, cache, git, and the job of a CI system.

mod endpoint;
mod job;
mod machine;
mod probe;
mod suite;

use super::Context;
use super::sources::{NamedFiles, certificates, own_tokens, secrets};
use super::suite::{Suite, SuiteOptions};
use crate::config::Settings;
use promptgate_adapters::files::Tree;
use promptgate_core::model::{Diagnostic, PriceDate, Usage};
use promptgate_core::text::Redactor;
use promptgate_report::doctor::{Check, CheckStatus, Diagnosis, SCHEMA};

use endpoint::{Subject, check_endpoints};

/// Options of a diagnosis.
#[derive(Debug, Clone)]
pub(crate) struct DoctorOptions {
    /// Which suite.
    pub(crate) suite: SuiteOptions,
    /// No call is made, neither to endpoints nor to GitHub.
    pub(crate) offline: bool,
}

/// The kind of the most serious problem, in the order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// A run would be incomplete.
    Incomplete,
    /// There is nothing to evaluate.
    Nothing,
    /// Flags, configuration, dataset or prompt are invalid.
    Usage,
}

/// Checks with the calls that they took.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    checks: Vec<Check>,
    severity: Option<Severity>,
    calls: u64,
    /// The cost of the calls; `None` once one is not known.
    cost: Cost,
}

#[derive(Debug, Default)]
struct Cost {
    usd: f64,
    is_unknown: bool,
    /// The day of the built-in table, where a price is from it.
    as_of: Option<PriceDate>,
}

impl Findings {
    fn add(&mut self, check: Check) {
        self.checks.push(check);
    }

    fn ok(&mut self, name: &str, message: impl Into<String>) {
        self.add(Check::new(name, CheckStatus::Ok, message));
    }

    fn skip(&mut self, name: &str, message: impl Into<String>) {
        self.add(Check::new(name, CheckStatus::Skipped, message));
    }

    fn problem(&mut self, severity: Severity, check: Check) {
        self.severity = self.severity.max(Some(severity));
        self.add(Check { status: CheckStatus::Problem, ..check });
    }

    /// Adds a diagnostic as a problem.
    fn diagnostic(&mut self, severity: Severity, name: &str, diagnostic: &Diagnostic) {
        let place = diagnostic.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        let check = Check::new(name, CheckStatus::Problem, format!("{place}{}", diagnostic.message));
        self.problem(severity, Check { help: diagnostic.help.clone(), ..check });
    }

    /// Counts calls of a model with their tokens; `None` where the endpoint reported none.
    fn count(
        &mut self,
        settings: &Settings,
        calls: u64,
        model: &str,
        answered: Option<&str>,
        usage: Option<Usage>,
    ) {
        self.calls += calls;
        match (settings.prices.of_answer(model, answered), usage) {
            (Some(price), Some(usage)) => self.cost.usd += price.cost(usage),
            _ if calls == 0 => {}
            _ => self.cost.is_unknown = true,
        }
    }

    /// The kind of the most serious problem.
    pub(crate) fn severity(&self) -> Option<Severity> {
        self.severity
    }

    /// The result, without secrets.
    pub(crate) fn into_diagnosis(self, configuration: Option<String>, redactor: &Redactor) -> Diagnosis {
        let clean = |text: &str| redactor.redact(text).into_owned();
        let checks: Vec<Check> = self
            .checks
            .into_iter()
            .map(|check| Check {
                message: clean(&check.message),
                help: check.help.as_deref().map(clean),
                subject: check.subject.as_deref().map(clean),
                ..check
            })
            .collect();
        let count = |status| checks.iter().filter(|check| check.status == status).count();
        Diagnosis {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            configuration,
            problems: count(CheckStatus::Problem),
            warnings: count(CheckStatus::Warning),
            calls: self.calls,
            cost_usd: (!self.cost.is_unknown).then_some(self.cost.usd),
            prices_as_of: self.cost.as_of,
            exit_code: 0,
            checks,
        }
    }
}

/// Checks everything; returns the kind of the most serious problem too.
pub(crate) async fn doctor(options: &DoctorOptions, context: &Context) -> (Diagnosis, Option<Severity>) {
    let mut findings = Findings::default();
    let environment = &context.environment;
    let mut known: Vec<_> = environment.secrets().chain(own_tokens(environment)).collect();
    let configured = suite::configuration(options.suite.config.as_deref(), &mut findings);
    let mut shown = None;
    if let Some(configured) = &configured {
        known.extend(secrets(&configured.settings, environment));
        shown = Some(configured.shown.clone());
        let suite = suite::check(options, configured.is_valid, environment, &mut findings).await;
        let settings = suite.as_ref().map_or(&configured.settings, |suite| &suite.settings);
        let folder = configured.folder.as_path();
        let judged = suite.as_ref().is_none_or(|suite| !suite.scorers.judges.is_empty());
        let model = suite.as_ref().and_then(candidate_model);
        let uncalled = match &suite {
            _ if options.offline => Some("not called (--offline)"),
            // A part that cannot be read may be what says where a key goes.
            _ if !configured.is_valid => Some("not called: the configuration has errors"),
            Some(suite) => chooses_hosts(suite),
            // The settings are those of the change alone.
            None => options.suite.policy_from.as_ref().map(|_| "not called: the suite has errors"),
        };
        let own = NamedFiles::fetch(&Tree::work_tree(folder), certificates(settings));
        let files = suite.as_ref().map_or(&own, |suite| &suite.files);
        let subject = Subject { settings, files, judged, model, uncalled };
        check_endpoints(&subject, context, &mut findings).await;
        machine::cache(settings, folder, &mut findings);
        machine::git(folder, &mut findings);
        findings.cost.as_of = settings.prices_as_of();
    }
    job::check(options.offline, environment, &mut findings).await;
    let severity = findings.severity();
    (findings.into_diagnosis(shown, &Redactor::new(&known)), severity)
}

/// Checks the endpoints of a suite that is loaded, for `check --endpoint`.
pub(crate) async fn endpoints(suite: &Suite, context: &Context) -> (Diagnosis, Option<Severity>) {
    let mut findings = Findings::default();
    let environment = &context.environment;
    let subject = Subject {
        settings: &suite.settings,
        files: &suite.files,
        judged: !suite.scorers.judges.is_empty(),
        model: candidate_model(suite),
        uncalled: chooses_hosts(suite),
    };
    check_endpoints(&subject, context, &mut findings).await;
    findings.cost.as_of = suite.settings.prices_as_of();
    let severity = findings.severity();
    let known: Vec<_> = environment.secrets().chain(secrets(&suite.settings, environment)).collect();
    (findings.into_diagnosis(Some(suite.settings.file.clone()), &Redactor::new(&known)), severity)
}

/// Why a suite whose policy is from elsewhere is not called: there is none, so that the change would choose the hosts that
/// get keys.
fn chooses_hosts(suite: &Suite) -> Option<&'static str> {
    let is_new = suite.policy_source.as_ref().is_some_and(|source| source.new);
    is_new.then_some(
        "not called: the policy is new, and this change alone would choose the host that gets the key",
    )
}

/// The model that the candidate names, which may be that of its front matter.
fn candidate_model(suite: &Suite) -> Option<String> {
    let candidate = suite.plan.candidate();
    candidate.application.is_none().then(|| candidate.facts.model.clone())
}
