//! `promptgate plan`: estimates a run.

use std::io;
use std::path::PathBuf;

use super::suites::refuse_flag_of_one_suite;
use crate::app::suites::{self, Selected};
use crate::app::{Environment, Failure, plan as planning, pretty_json};
use crate::cli::args::{PlanArguments, PlanFormat};
use crate::cli::exit::ExitStatus;
use crate::cli::output;
use promptgate_core::model::Diagnostics;
use promptgate_report::plans::{PlannedSuite, Plans};
use promptgate_report::{write_plan, write_plans};

/// Plans a run of the suite, or of several.
pub(super) async fn plan(
    arguments: &PlanArguments,
    environment: &Environment,
) -> Result<ExitStatus, Failure> {
    let text = match suites::select(&arguments.suites.choice())? {
        Selected::One(config) => of_one(config, arguments, environment).await?,
        Selected::Several { configurations, .. } => {
            refuse_flag_of_one_suite(arguments.flag_of_one_suite())?;
            let plans = of_several(configurations, arguments, environment).await?;
            match arguments.format {
                PlanFormat::Json => pretty_json(&plans, "the plans")?,
                _ => table(|out, width| write_plans(&plans, out, width))?,
            }
        }
    };
    output::print(&text)?;
    Ok(ExitStatus::Pass)
}

async fn of_one(
    config: Option<PathBuf>,
    arguments: &PlanArguments,
    environment: &Environment,
) -> Result<String, Failure> {
    let options = arguments.options(config);
    let suite = planning::load(&options, environment).await?;
    output::warn(&suite.warnings);
    match arguments.format {
        PlanFormat::GithubMatrix => Ok(planning::matrix(options.shards)?),
        PlanFormat::Json => pretty_json(&planning::plan(suite, &options).await?, "the plan"),
        PlanFormat::Terminal => {
            let plan = planning::plan(suite, &options).await?;
            table(|out, width| write_plan(&plan, out, width))
        }
    }
}

/// Plans each suite; all are loaded first, so that all errors are reported.
async fn of_several(
    configurations: Vec<PathBuf>,
    arguments: &PlanArguments,
    environment: &Environment,
) -> Result<Plans, Failure> {
    let named = suites::named(configurations)?;
    let (mut loaded, mut errors) = (Vec::new(), Vec::new());
    for suite in &named {
        match planning::load(&arguments.options(Some(suite.config.clone())), environment).await {
            Ok(suite) => loaded.push(suite),
            Err(Failure::Diagnostics(diagnostics)) => errors.extend(diagnostics.0),
            Err(failure) => return Err(failure),
        }
    }
    if !errors.is_empty() {
        return Err(Diagnostics(errors).into());
    }
    let mut planned = Vec::new();
    for (named, suite) in named.into_iter().zip(loaded) {
        output::warn(&suite.warnings);
        let plan = planning::plan(suite, &arguments.options(Some(named.config))).await?;
        planned.push(PlannedSuite { config: named.shown, plan });
    }
    Ok(Plans::of(planned))
}

fn table(write: impl FnOnce(&mut Vec<u8>, usize) -> io::Result<()>) -> Result<String, Failure> {
    let mut text = Vec::new();
    write(&mut text, output::width())
        .map_err(|error| Failure::Internal(format!("could not write the plan: {error}")))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
