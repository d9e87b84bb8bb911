//! What a run would take and what it could see: `promptgate.plan/v1`, and the same as tables for people.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::render::terminal::table;
use crate::render::terminal::tables::{line, note, write_table};
use crate::view::number;
use promptgate_core::text::neutral;

/// The value of `schema` in every plan of this version.
pub const SCHEMA: &str = "promptgate.plan/v1";

/// A plan: what a run takes at the least, likely and at the most, and the smallest drops that it can see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "promptgate plan v1")]
pub struct Plan {
    /// Always `promptgate.plan/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// Name of the suite.
    pub name: String,
    /// Cases.
    pub cases: usize,
    /// Cases that both variants answer with the same request, which is sent once.
    pub shared_cases: usize,
    /// Variants that are answered: 2 with a baseline, else 1.
    pub variants: usize,
    /// Metrics that a judge grades.
    pub judged: Vec<String>,
    /// Repeats at each look.
    pub looks: Vec<u32>,
    /// What the run takes if it ends at the first look.
    pub lowest: Amount,
    /// What it likely takes if the candidate is as good as the baseline.
    pub expected: Amount,
    /// What it takes if it goes to the last look with every judge.
    pub most: Amount,
    /// What the self-test of the judge takes besides, once a run; null without one.
    pub self_test: Option<Amount>,
    /// What a run takes in so many shards; null where none were asked about.
    #[serde(default)]
    pub shards: Option<Shards>,
    /// The smallest drops that this suite shows with 80 % power, for each noise.
    pub drops: Vec<Drop>,
    /// The same for other numbers of cases and of repeats, at the noise that decides.
    pub table: Vec<Row>,
    /// The share of failing traffic that so many cases without a failure cannot exclude.
    pub unseen_failure_share: f64,
    /// Where the numbers are from, and what to do about them.
    pub notes: Vec<String>,
}

/// A run in shards, which takes one look.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Shards {
    /// How many shards there are.
    pub of: u32,
    /// Cases of the one that takes most.
    pub cases: usize,
    /// What that one takes, without the self-test of the judge, which each of them runs.
    pub largest: Amount,
}

/// What so many repeats take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Amount {
    /// Repeats of every case.
    pub repeats: u32,
    /// Calls for answers.
    pub answers: u64,
    /// Calls for judgements, without second questions and retries.
    pub judgements: u64,
    /// Tokens of the requests, about.
    pub prompt_tokens: u64,
    /// Tokens of the answers, about.
    pub completion_tokens: u64,
    /// US dollars, about; null where a price is not known.
    pub cost_usd: Option<f64>,
}

/// The smallest drops at one noise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Drop {
    /// `quiet`, `moderate`, `noisy`, or the metric it was measured on.
    pub name: String,
    /// Whether it was measured, by the report of an earlier run.
    pub measured: bool,
    /// Standard deviation over the repeats of a case.
    pub noise: f64,
    /// The smallest drop in the scope `suite` by the last look; scores are in 0 to 1.
    pub suite: f64,
    /// Standard deviation over cases of the differences between the variants; null where it was not measured.
    pub spread: Option<f64>,
    /// The smallest drop in the scope `population`; null where the spread was not measured.
    pub population: Option<f64>,
}

/// The smallest drops of a suite of so many cases, in one look at so many repeats, in the scope `suite`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// Cases.
    pub cases: usize,
    /// Standard deviation over the repeats of a case.
    pub noise: f64,
    /// The smallest drop for each number of repeats.
    pub drops: Vec<AtRepeats>,
}

/// The smallest drop with so many repeats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AtRepeats {
    /// Repeats.
    pub repeats: u32,
    /// The drop; scores are in 0 to 1.
    pub drop: f64,
}

/// The JSON Schema of [`Plan`], draft 2020-12.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Plan);
    schema.insert("$id".to_owned(), Value::from("urn:promptgate:plan:v1"));
    schema.to_value()
}

/// Writes the plan as tables of at most `width` columns.
///
/// # Errors
/// Those of `out`.
pub fn write(plan: &Plan, out: &mut impl Write, width: usize) -> io::Result<()> {
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
