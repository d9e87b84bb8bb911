//! Benchmark of whole runs, next to the ideal on the same machine at the same time.
//!
//! ```text
//! just bench [ROW…]      schedule jitter throughput memory large cached start version size (default: all)
//! ```
//!
//! Runs the released binary against its own mock server, as two processes on one machine. Throughput is compared with a
//! bare `reqwest` loop. `--binary PATH` measures another binary, `--times N` sets how often short work is repeated; the
//! median counts.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "prints a table to standard output")]

mod bare;
mod machine;
mod process;
mod rows;
mod server;
mod suite;
mod table;

use std::process::ExitCode;

use process::Binary;
use rows::Bench;

/// A result whose error is only printed.
pub(crate) type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Fallible<()> {
    let (mut binary, mut times, mut selected) = (None, 5, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--binary" => binary = arguments.next().map(Into::into),
            "--times" => {
                times =
                    arguments.next().and_then(|text| text.parse().ok()).ok_or("--times requires a number")?
            }
            name if rows::NAMES.contains(&name) => selected.push(argument),
            name => {
                return Err(
                    format!("unknown row {name:?}; expected one of {}", rows::NAMES.join(", ")).into()
                );
            }
        }
    }
    // reqwest needs a crypto provider; an error means that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let bench = Bench::new(Binary::find(binary)?, times.max(1))?;
    let machine = machine::describe();
    let mut table = Vec::new();
    for name in rows::NAMES.iter().filter(|name| selected.is_empty() || selected.iter().any(|it| it == *name))
    {
        eprintln!("measuring {name} …");
        table.extend(bench.measure(name)?);
    }
    println!("{machine}\n\n{}", table::markdown(&table));
    Ok(())
}
