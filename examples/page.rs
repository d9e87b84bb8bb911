//! report.html of many cases: how long it takes to write and to open, and the memory that writing takes.
//!
//! ```text
//! cargo run --release --example page
//! cargo run --release --example page -- 50000
//! ```
//!
//! The report is that of a failing run whose cases are repeated, 10,000 in total or as many as are named. Opening is the
//! time from the start of the navigation in headless Chromium until the page has loaded, run its script and been laid out:
//! the median of three. Without Chromium only writing is measured.

#![expect(clippy::print_stdout, reason = "prints a table to standard output")]

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use promptgate_report::v1::Case;
use promptgate_report::{Format, Report, Style};

const REPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/reports/fail.json");

/// Replaces the loaded page by the time since the start of its navigation, in milliseconds of a real clock.
const CLOCK: &str = "<script>addEventListener('load', () => { document.body.getBoundingClientRect(); \
     const time = performance.now(); document.documentElement.textContent = `opened:${time}`; });</script>";

fn main() -> Result<(), Box<dyn Error>> {
    let cases = std::env::args().nth(1).map_or(Ok(10_000), |text| text.parse())?;
    let report = report(cases)?;
    let folder = tempfile::tempdir()?;
    let page = folder.path().join("report.html");
    let before = peak_memory();
    let started = Instant::now();
    let mut out = BufWriter::new(File::create(&page)?);
    promptgate_report::write(&report, Format::Html, &mut out, Style::default())?;
    drop(out);
    println!("{cases} cases, {:.1} MB", std::fs::metadata(&page)?.len() as f64 / 1e6);
    println!("written in {:.2} s", started.elapsed().as_secs_f64());
    if let Some((before, after)) = before.zip(peak_memory()) {
        println!("peak memory {:.1} MB, {:.1} MB above that of the report", after, after - before);
    }
    match opened(&page)? {
        Some(time) => println!("opened in {time:.2} s"),
        None => println!("not opened: chromium did not run"),
    }
    Ok(())
}

/// A failing report with this number of cases.
fn report(cases: usize) -> Result<Report, Box<dyn Error>> {
    let text = std::fs::read_to_string(REPORT)?;
    let mut report = promptgate_report::read(REPORT, &text, |_| Err(std::io::ErrorKind::NotFound.into()))
        .map_err(|diagnostics| diagnostics.to_string())?;
    let some = report.cases.clone();
    let case = |(index, case): (usize, &Case)| Case { id: format!("{}-{index}", case.id), ..case.clone() };
    report.cases = some.iter().cycle().take(cases).enumerate().map(case).collect();
    report.dataset.cases = cases;
    Ok(report)
}

/// The largest memory of this process so far in MB; `None` where the system does not say.
fn peak_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<f64>().ok().map(|kilobytes| kilobytes / 1024.0)
}

/// The median time of three in which Chromium opens a page, in seconds; `None` where it does not run.
fn opened(page: &Path) -> Result<Option<f64>, Box<dyn Error>> {
    // The policy of the page allows no other script than its own.
    let text = std::fs::read_to_string(page)?;
    let text = text.replacen("Content-Security-Policy", "no-policy", 1) + CLOCK;
    let timed = page.with_file_name("timed.html");
    std::fs::write(&timed, text)?;
    let chromium = std::env::var("PROMPTGATE_CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
    let mut times = Vec::new();
    for _ in 0..3 {
        let output = Command::new(&chromium)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
            .arg(format!("file://{}", timed.display()))
            .stderr(Stdio::null())
            .output();
        let Ok(output) = output else { return Ok(None) };
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let time =
            printed.split("opened:").nth(1).and_then(|rest| rest.split('<').next()?.parse::<f64>().ok());
        let Some(time) = time else { return Ok(None) };
        times.push(time / 1000.0);
    }
    times.sort_by(f64::total_cmp);
    Ok(times.get(1).copied())
}
