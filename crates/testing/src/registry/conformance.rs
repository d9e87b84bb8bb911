//! Runs the operations of the conformance suite over a registry, and prints the table.

use futures::future::BoxFuture;
use promptgate_release::ports::Registry;

use super::operations::OPERATIONS;

/// The result of an operation: a word for the table, or what went wrong.
pub(super) type OperationResult = Result<&'static str, String>;

/// One operation that every registry has to support.
pub(super) struct Operation {
    /// The name, for the table.
    pub(super) name: &'static str,
    /// Runs it with a prompt name that nothing else uses.
    pub(super) run: for<'a> fn(&'a dyn Registry, &'a str) -> BoxFuture<'a, OperationResult>,
}

/// The results of one registry.
#[derive(Debug)]
pub struct ConformanceReport {
    /// The kind of the registry.
    pub registry: &'static str,
    /// The results, in the order of the operations.
    results: Vec<(&'static str, OperationResult)>,
}

impl ConformanceReport {
    /// The operations that failed, with the reason.
    pub fn failures(&self) -> Vec<String> {
        let failed = self.results.iter().filter_map(|(name, result)| Some((name, result.as_ref().err()?)));
        failed.map(|(name, reason)| format!("{}: {name}: {reason}", self.registry)).collect()
    }

    /// The number of operations that were run.
    pub fn operations(&self) -> usize {
        self.results.len()
    }
}

/// Runs every operation over a registry, each with a prompt of its own; `prefix` makes the names unique.
pub async fn run(registry: &dyn Registry, prefix: &str) -> ConformanceReport {
    let mut results = Vec::with_capacity(OPERATIONS.len());
    for (index, operation) in OPERATIONS.iter().enumerate() {
        let name = format!("{prefix}-{index}");
        results.push((operation.name, (operation.run)(registry, &name).await));
    }
    ConformanceReport { registry: registry.kind(), results }
}

/// The table of registries by operations.
pub fn table(reports: &[ConformanceReport]) -> String {
    let mut text = format!("{:<52}", "operation");
    for report in reports {
        text.push_str(&format!("{:<12}", report.registry));
    }
    for (index, operation) in OPERATIONS.iter().enumerate() {
        text.push_str(&format!("\n{:<52}", operation.name));
        for report in reports {
            let cell = match report.results.get(index) {
                Some((_, Ok(word))) => word,
                Some((_, Err(_))) => "FAILED",
                None => "not run",
            };
            text.push_str(&format!("{cell:<12}"));
        }
    }
    text.push('\n');
    text
}
