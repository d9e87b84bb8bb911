//! `promptgate plan`: estimates a run.

use crate::app::{Environment, Failure, plan as planning, pretty_json};
use crate::cli::args::{PlanArguments, PlanFormat};
use crate::cli::exit::ExitStatus;
use crate::cli::output;
use promptgate_report::plan::Plan;
use promptgate_report::write_plan;

/// Plans a run of the suite.
pub(super) async fn plan(
    arguments: &PlanArguments,
    environment: &Environment,
) -> Result<ExitStatus, Failure> {
    let options = arguments.options();
    let suite = planning::load(&options, environment).await?;
    output::warn(&suite.warnings);
    let text = match arguments.format {
        PlanFormat::GithubMatrix => planning::matrix(options.shards)?,
        PlanFormat::Json => pretty_json(&planning::plan(suite, &options).await?, "the plan")?,
        PlanFormat::Terminal => table(&planning::plan(suite, &options).await?)?,
    };
    output::print(&text)?;
    Ok(ExitStatus::Pass)
}

fn table(plan: &Plan) -> Result<String, Failure> {
    let mut text = Vec::new();
    write_plan(plan, &mut text, output::width())
        .map_err(|error| Failure::Internal(format!("could not write the plan: {error}")))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
