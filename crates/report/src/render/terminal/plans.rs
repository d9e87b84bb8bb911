//! The plans of several suites as one table.

use std::io::{self, Write};

use super::table;
use super::tables::{line, note, write_table};
use crate::plans::{Plans, Sum};
use crate::view::number;
use promptgate_core::text::neutral;

/// Writes a row for each suite and one for their sum, at most `width` columns wide.
///
/// # Errors
/// Those of `out`.
pub fn write_plans(plans: &Plans, out: &mut impl Write, width: usize) -> io::Result<()> {
    let width = u16::try_from(width.max(60)).unwrap_or(u16::MAX);
    let cases: usize = plans.suites.iter().map(|suite| suite.plan.cases).sum();
    line(out, &format!("PLAN  {}\n", number::counted(plans.suites.len() as u64, "suite")))?;
    let price = |sum: Sum| sum.cost_usd.map_or_else(|| "not known".to_owned(), number::dollars);
    let row = |name: &str, cases: usize, [lowest, expected, most]: [Sum; 3]| {
        vec![
            neutral::clip(&neutral::terminal(name), 32),
            cases.to_string(),
            number::count(lowest.calls),
            number::count(expected.calls),
            number::count(most.calls),
            price(expected),
            price(most),
        ]
    };
    let mut rows: Vec<Vec<String>> = plans
        .suites
        .iter()
        .map(|suite| {
            let plan = &suite.plan;
            let sums =
                [&plan.lowest, &plan.expected, &plan.most].map(|amount| Sum::with_self_test(plan, amount));
            row(&plan.name, plan.cases, sums)
        })
        .collect();
    rows.push(row("all", cases, [plans.lowest, plans.expected, plans.most]));
    let header = ["suite", "cases", "calls: lowest", "expected", "most", "price: expected", "most"];
    write_table(out, &table(&header, &[1, 2, 3, 4, 5, 6], 0, rows, width))?;
    note(out, "calls: answers, judgements and the self-test of each judge; retries are not counted", width)?;
    let suite = plans.suites.first().map_or("SUITE".to_owned(), |suite| neutral::terminal(&suite.config));
    note(
        out,
        &format!(
            "`promptgate plan {suite}` shows the drops that this suite detects, and where these numbers come from"
        ),
        width,
    )
}
