//! How fast promptgate is, beside what is possible on the same machine in the same minute.
//!
//! ```text
//! just bench [ROW…]      schedule jitter throughput memory large cached start version size; none: all of them
//! ```
//!
//! Drives the release binary against its own mock server, each a process of its own; both share the machine, and so
//! does the loop over bare `reqwest` that the throughput is compared with. `--binary PATH` measures another binary,
//! `--times N` sets how often short work is done: the median counts.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a table on standard output is what it is for"
)]

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

/// A result whose error is only shown.
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
    let (mut binary, mut times, mut wanted) = (None, 5, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--binary" => binary = arguments.next().map(Into::into),
            "--times" => {
                times = arguments.next().and_then(|text| text.parse().ok()).ok_or("--times takes a number")?
            }
            name if rows::NAMES.contains(&name) => wanted.push(argument),
            name => return Err(format!("no row {name:?}; there are {}", rows::NAMES.join(", ")).into()),
        }
    }
    // A client of reqwest needs it; an error means that it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let bench = Bench::new(Binary::find(binary)?, times.max(1))?;
    let machine = machine::describe();
    let mut table = Vec::new();
    for name in rows::NAMES.iter().filter(|name| wanted.is_empty() || wanted.iter().any(|it| it == *name)) {
        eprintln!("measuring {name} …");
        table.extend(bench.measure(name)?);
    }
    println!("{machine}\n\n{}", table::markdown(&table));
    Ok(())
}
