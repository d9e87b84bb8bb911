//! `promptgate reconcile`: compares the registry with the ledger, and repairs it.

use crate::app::release::{Reconciled, reconcile as comparing};
use crate::app::{Environment, Failure, pretty_json};
use crate::cli::args::{LedgerFormat, ReconcileArguments};
use crate::cli::exit::ExitStatus;
use crate::cli::output;
use promptgate_report::release::reconciliation::{Difference, Reconciliation, SCHEMA};

/// Reconciles a registry.
pub(super) async fn reconcile(
    arguments: &ReconcileArguments,
    environment: &Environment,
) -> Result<ExitStatus, Failure> {
    let reconciled = comparing(&arguments.options(), environment).await?;
    match arguments.format {
        LedgerFormat::Json => output::print(&pretty_json(&json(&reconciled), "the reconciliation")?)?,
        LedgerFormat::Terminal => output::print_lines(&text(&reconciled))?,
    }
    Ok(if reconciled.agree() { ExitStatus::Pass } else { ExitStatus::Fail })
}

fn text(reconciled: &Reconciled) -> String {
    let Reconciled { name, registry, differences } = reconciled;
    if differences.is_empty() {
        return format!("{name}: the registry agrees with the ledger ({registry})\n");
    }
    let count = match differences.len() {
        1 => "1 difference".to_owned(),
        count => format!("{count} differences"),
    };
    let mut text = format!("{name}: {count} between registry and ledger ({registry})\n");
    for difference in differences {
        text.push_str(&format!("  {}\n", difference.text));
        match (&difference.repair, difference.done) {
            (Some(repair), true) => text.push_str(&format!("    done: {repair}\n")),
            (Some(repair), false) => text.push_str(&format!("    repair: {repair}\n")),
            (None, _) => text.push_str("    this has to be repaired by hand\n"),
        }
    }
    text
}

fn json(reconciled: &Reconciled) -> Reconciliation {
    let difference = |found: &crate::app::release::Difference| Difference {
        message: found.text.clone(),
        repair: found.repair.clone(),
        done: found.done,
    };
    Reconciliation {
        schema: SCHEMA.to_owned(),
        name: reconciled.name.to_string(),
        registry: reconciled.registry.clone(),
        agree: reconciled.agree(),
        differences: reconciled.differences.iter().map(difference).collect(),
    }
}
