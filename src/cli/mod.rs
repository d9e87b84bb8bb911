//! The command line: parses, wires, prints, and maps what happened to an exit code.

use std::process::ExitCode;

/// Runs promptgate.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
