//! `promptgate plan`: estimates a run.

use crate::app::{Environment, Failure, plan as planning};
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
        PlanFormat::Json => render(&planning::plan(suite, &options).await?, true)?,
        PlanFormat::Terminal => render(&planning::plan(suite, &options).await?, false)?,
    };
    output::print(&text)?;
    Ok(ExitStatus::Pass)
}

fn render(plan: &Plan, json: bool) -> Result<String, Failure> {
    let failed = |error: String| Failure::Internal(format!("could not write the plan: {error}"));
    if json {
        let text = serde_json::to_string_pretty(plan).map_err(|error| failed(error.to_string()))?;
        return Ok(text + "\n");
    }
    let mut text = Vec::new();
    write_plan(plan, &mut text, output::width()).map_err(|error| failed(error.to_string()))?;
    String::from_utf8(text).map_err(|error| failed(error.to_string()))
}
