//! A plan and a simulation of a rollout.

use std::io::{self, Write};

use super::{short, writer};
use crate::release::rollout_plan::{PlannedStep, RolloutPlan, RolloutSimulation, SimulatedStep};
use crate::render::Style;
use crate::render::terminal::line_writer::{DIM, GREEN, PLAIN, RED, table};
use crate::view::number;

/// Writes a plan.
///
/// # Errors
/// Those of `out`.
pub fn write_rollout_plan(plan: &RolloutPlan, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let mut writer = writer(out, style);
    let RolloutPlan { name, kind, per_day, .. } = plan;
    writer.line(&format!("{name}: {kind} rollout at {} scored requests a day", whole(*per_day)), PLAIN)?;
    for rate in &plan.rates {
        let text = format!(
            "{}: {:.3} in production ({}), margin {}",
            short(&rate.guardrail, 60),
            rate.rate,
            rate.origin,
            rate.margin
        );
        writer.labelled(2, "", &text, DIM)?;
    }
    writer.blank()?;
    let names: Vec<String> =
        plan.rates.iter().map(|rate| format!("{} caught", short(&rate.guardrail, 20))).collect();
    let mut header = vec!["percent", "treated", "days", "in time"];
    header.extend(names.iter().map(String::as_str));
    let right: Vec<usize> = (0..header.len()).collect();
    let rows = plan.steps.iter().map(row).collect();
    writer.table(&table(&header, &right, header.len(), rows, writer.width))?;
    writer.blank()?;
    let least = |chance: f64| match percent(chance) {
        // More would be certain.
        whole if chance >= 0.995 => whole.replace("100", "above 99"),
        whole => format!("at least {whole}"),
    };
    let chance = |chance: Option<f64>| chance.map_or_else(|| "not known".to_owned(), least);
    let is_enough = plan.chance_to_finish.is_some_and(|chance| chance >= plan.required_chance);
    // Where it rounds to nothing, the days would promise an end.
    let is_hopeless = plan.chance_to_finish.is_some_and(|chance| chance < 0.005);
    let text = if is_hopeless {
        format!(
            "an equal version is not expected to reach all units (chance {} to be shown not worse)",
            chance(plan.chance_not_worse)
        )
    } else {
        format!(
            "an equal version reaches all units in {:.1} days: chance {} ({} to be shown not worse)",
            plan.days,
            chance(plan.chance_to_finish),
            chance(plan.chance_not_worse)
        )
    };
    writer.labelled(2, "", &text, if is_enough { GREEN } else { RED })?;
    writer.labelled(2, "", "in time: the chance that the samples of the step come before `max_hold`", DIM)?;
    writer.labelled(
        2,
        "",
        "caught: the smallest drop that is rolled back with 80 % probability by the end of the step",
        DIM,
    )?;
    for note in &plan.notes {
        writer.labelled(2, "", &short(note, 300), DIM)?;
    }
    Ok(())
}

/// Writes a simulation.
///
/// # Errors
/// Those of `out`.
pub fn write_rollout_simulation(
    simulation: &RolloutSimulation,
    out: &mut dyn Write,
    style: &Style,
) -> io::Result<()> {
    let mut writer = writer(out, style);
    let RolloutSimulation { name, kind, per_day, guardrail, drop, seed, runs, .. } = simulation;
    let truth = if *drop > 0.0 {
        format!("{} worse by {drop}", short(guardrail, 60))
    } else {
        "an equal version".to_owned()
    };
    let text = format!("{name}: {kind} rollout at {} scored requests a day, {truth}", whole(*per_day));
    writer.line(&text, PLAIN)?;
    writer.blank()?;
    let header = ["day", "percent", "treated", "decision", "why"];
    let rows = simulation.timeline.iter().map(decision).collect();
    writer.table(&table(&header, &[0, 1, 2], 4, rows, writer.width))?;
    writer.blank()?;
    let shares: Vec<String> = simulation
        .outcomes
        .iter()
        .map(|outcome| {
            let share = percent(outcome.runs as f64 / (*runs).max(1) as f64);
            format!("{} {share}", outcome.result.replace('_', " "))
        })
        .collect();
    let text = format!(
        "of {}: {}; median {:.1} days; the time line is that of seed {seed}",
        number::counted(*runs, "run"),
        shares.join(", "),
        simulation.days
    );
    writer.labelled(2, "", &text, PLAIN)
}

fn row(step: &PlannedStep) -> Vec<String> {
    let mut row = vec![
        format!("{} %", step.percent),
        whole(step.treated),
        format!("{:.1}", step.days),
        percent(step.chance),
    ];
    let caught =
        |drop: Option<f64>| drop.map_or_else(|| number::NONE.to_owned(), |drop| format!("{drop:.3}"));
    row.extend(step.detectable.iter().map(|detectable| caught(detectable.drop)));
    row
}

fn decision(step: &SimulatedStep) -> Vec<String> {
    vec![
        format!("{:.1}", step.day),
        format!("{} %", step.percent),
        step.treated.to_string(),
        step.result.replace('_', " "),
        short(&step.reasons.join("; "), 200),
    ]
}

fn whole(number: f64) -> String {
    number::count(number.round().max(0.0) as u64)
}

/// A share in whole percent.
fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}
