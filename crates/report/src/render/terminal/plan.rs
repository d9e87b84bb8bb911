//! A plan as tables.

use std::io::{self, Write};

use super::table;
use super::tables::{line, note, write_table};
use crate::plan::Plan;
use crate::view::number;
use promptgate_core::text::neutral;

/// Writes the plan as tables of at most `width` columns.
///
/// # Errors
/// Those of `out`.
pub fn write_plan(plan: &Plan, out: &mut impl Write, width: usize) -> io::Result<()> {
    let width = u16::try_from(width.max(60)).unwrap_or(u16::MAX);
    let name = neutral::clip(&neutral::terminal(&plan.name), 40);
    let looks: Vec<String> = plan.looks.iter().map(u32::to_string).collect();
    let judged = if plan.judged.is_empty() { "nothing judged".to_owned() } else { plan.judged.join(", ") };
    let shared = match plan.shared_cases {
        0 => String::new(),
        shared => format!(" ({shared} with the same request)"),
    };
    line(out, &format!("PLAN  {name}"))?;
    line(
        out,
        &format!(
            "      {}{shared}, {}, {}",
            number::counted(plan.cases as u64, "case"),
            number::counted(plan.variants as u64, "variant"),
            neutral::clip(&neutral::terminal(&judged), 60),
        ),
    )?;
    let repeats = if looks == ["1"] { "repeat" } else { "repeats" };
    line(
        out,
        &format!(
            "      {} at {} {repeats}\n",
            if looks.len() == 1 { "one look" } else { "looks" },
            looks.join(", ")
        ),
    )?;
    let amounts = [("lowest", &plan.lowest), ("expected", &plan.expected), ("most", &plan.most)];
    let self_test = plan.self_test.iter().map(|amount| ("self-test, besides", amount));
    let shards = plan.shards.as_ref().map(|shards| {
        (format!("largest of {}", number::counted(shards.of.into(), "shard")), &shards.largest)
    });
    let own = amounts.into_iter().chain(self_test).map(|(name, amount)| (name.to_owned(), amount));
    let rows = own.chain(shards).map(|(name, amount)| {
        vec![
            name,
            if amount.answers == 0 { number::NONE.to_owned() } else { amount.repeats.to_string() },
            number::count(amount.answers),
            number::count(amount.judgements),
            number::count(amount.prompt_tokens),
            number::count(amount.completion_tokens),
            amount.cost_usd.map_or_else(|| "not known".to_owned(), number::dollars),
        ]
    });
    let header = ["a run takes", "repeats", "answers", "judgements", "tokens in", "out", "price"];
    write_table(out, &table(&header, &[1, 2, 3, 4, 5, 6], 0, rows.collect(), width))?;
    let points = |drop: f64| format!("{:.1}", drop * 100.0);
    let rows = plan.drops.iter().map(|drop| {
        let measured = |value: Option<String>| value.unwrap_or_else(|| number::NONE.to_owned());
        vec![
            neutral::clip(&neutral::terminal(&drop.name), 32),
            format!("{:.3}", drop.noise),
            points(drop.suite),
            measured(drop.spread.map(|spread| format!("{spread:.3}"))),
            measured(drop.population.map(points)),
        ]
    });
    let header = ["smallest drop, in points", "noise", "this suite", "spread", "new cases"];
    write_table(out, &table(&header, &[1, 2, 3, 4], 0, rows.collect(), width))?;
    if let Some(first) = plan.table.first() {
        let columns: Vec<String> = first.drops.iter().map(|at| format!("{} repeats", at.repeats)).collect();
        let label = format!("noise {:.3}, one look", first.noise);
        let header: Vec<&str> =
            std::iter::once(label.as_str()).chain(columns.iter().map(String::as_str)).collect();
        let rows = plan.table.iter().map(|row| {
            let drops = row.drops.iter().map(|at| points(at.drop));
            std::iter::once(number::counted(row.cases as u64, "case")).chain(drops).collect()
        });
        let right: Vec<usize> = (1..header.len()).collect();
        write_table(out, &table(&header, &right, 0, rows.collect(), width))?;
    }
    for text in &plan.notes {
        note(out, text, width)?;
    }
    Ok(())
}
