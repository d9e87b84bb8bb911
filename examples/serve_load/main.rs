//! Latency of `promptgate serve` at a fixed rate: the server on one core, the load from another.
//!
//! ```text
//! cargo build --release
//! cargo run --release --example serve_load -- target/release/promptgate
//! cargo run --release --example serve_load -- target/release/promptgate --rate 5000 --seconds 20
//! ```
//!
//! Publishes prompts of 2 kB into a ledger in a temporary folder, serves it on core 0 and sends requests from core 1
//! (`taskset` of util-linux), for each route at the rate. Open loop: a request is due at its time whether the ones before
//! it were answered or not, and its latency counts from then, so that a stall is not hidden. The load is one thread that
//! polls its sockets without sleeping, because a timer would add to the latency.

#![expect(clippy::print_stdout, reason = "prints a table to standard output")]

mod ledger;
mod load;

use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use load::{Latencies, Load};

const USAGE: &str = "usage: serve_load BINARY [--rate N] [--seconds N] [--connections N]";

/// A server that is killed when it is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let binary = arguments.next().ok_or(USAGE)?;
    let mut load = Load { rate: 5000, seconds: 10, connections: 32 };
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?;
        match flag.as_str() {
            "--rate" => load.rate = value.parse()?,
            "--seconds" => load.seconds = value.parse()?,
            "--connections" => load.connections = value.parse()?,
            _ => return Err(USAGE.into()),
        }
    }
    let pinned = pin_to(1);
    let folder = tempfile::tempdir()?;
    ledger::write(folder.path())?;
    let (_server, address) = serve(&binary, folder.path())?;
    println!(
        "{} requests a second for {} s on {} connections; the server on core 0, the load {}",
        load.rate,
        load.seconds,
        load.connections,
        if pinned { "on core 1" } else { "on any core" }
    );
    println!("| request | sent | rate | errors | p50 µs | p90 µs | p99 µs | p99.9 µs | max µs |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for path in [
        "/v1/prompts/support/reply?unit=user-1",
        "/api/public/v2/prompts/support%2Freply?label=production",
        "/healthz",
    ] {
        let latencies = load.run(&address, path)?;
        println!("{}", row(path, &latencies, load.seconds));
    }
    Ok(())
}

/// Runs this process on a core; `false` where that is not possible.
fn pin_to(core: u32) -> bool {
    let process = std::process::id().to_string();
    let pin =
        Command::new("taskset").args(["-cp", &core.to_string(), &process]).stdout(Stdio::null()).status();
    pin.is_ok_and(|status| status.success())
}

/// Starts the server on core 0; returns its address.
fn serve(binary: &str, folder: &std::path::Path) -> Result<(Server, String), Box<dyn Error>> {
    let arguments = ["-c", "0", binary, "serve", "--listen", "127.0.0.1:0", "--config"];
    let child = Command::new("taskset").args(arguments).arg(folder).stdout(Stdio::piped()).spawn()?;
    let mut server = Server(child);
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    let address = line.trim().strip_prefix("http://").ok_or("the server did not print its address")?;
    Ok((server, address.to_owned()))
}

fn row(path: &str, latencies: &Latencies, seconds: u64) -> String {
    let [p50, p90, p99, p999, max] = [0.5, 0.9, 0.99, 0.999, 1.0].map(|share| latencies.percentile(share));
    format!(
        "| {path} | {} | {:.0} | {} | {p50:.0} | {p90:.0} | {p99:.0} | {p999:.0} | {max:.0} |",
        latencies.len(),
        latencies.len() as f64 / seconds as f64,
        latencies.errors,
    )
}
