//! `promptgate calibrate`: measures the judge against human labels.

use super::watched::watched;
use crate::app::calibrate::{self as calibrating, Measurement, Outcome};
use crate::app::{Environment, Failure, pretty_json};
use crate::cli::args::{CalibrateArguments, CalibrationFormat};
use crate::cli::exit::ExitStatus;
use crate::cli::output;
use promptgate_report::write_calibration;

/// Judges labeled answers, and measures the judge.
pub(super) async fn calibrate(
    arguments: &CalibrateArguments,
    environment: Environment,
) -> Result<ExitStatus, Failure> {
    let options = arguments.options();
    let prepared = calibrating::prepare(&options, &environment)?;
    output::warn(&prepared.warnings);
    let outcome = watched(arguments.quiet, environment, async |context| {
        calibrating::calibrate(&prepared, &options, context).await
    });
    let Some(outcome) = outcome.await? else { return Ok(ExitStatus::Interrupted) };
    match &outcome {
        Outcome::Measured(measurement) => {
            output::print(&render(measurement, arguments.format)?)?;
            if let Some(why) = &measurement.shortfall {
                output::info(&format!("FAIL  {why}"));
            }
            measurement.unwritten.iter().for_each(output::report);
        }
        Outcome::Incomplete(lines) => lines.iter().for_each(|line| output::info(line)),
        Outcome::Interrupted => output::info("interrupted: nothing was written"),
    }
    Ok(ExitStatus::of_calibration(&outcome))
}

fn render(measurement: &Measurement, format: CalibrationFormat) -> Result<String, Failure> {
    if format == CalibrationFormat::Json {
        return pretty_json(&measurement.calibration, "the calibration");
    }
    let mut text = Vec::new();
    write_calibration(&measurement.calibration, &mut text, output::width())
        .map_err(|error| Failure::Internal(format!("could not write the table: {error}")))?;
    let mut text = String::from_utf8_lossy(&text).into_owned();
    let here = std::env::current_dir().unwrap_or_default();
    for (index, path) in measurement.files.iter().enumerate() {
        let label = if index == 0 { "files" } else { "" };
        text.push_str(&format!("{label:5}  {}\n", path.strip_prefix(&here).unwrap_or(path).display()));
    }
    Ok(text)
}
