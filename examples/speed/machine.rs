//! Description of the machine.

use std::fs::read_to_string;

/// One line: cores, processor, memory, kernel and load.
pub(crate) fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let memory = field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok())
        .map_or_else(
            || "unknown memory".to_owned(),
            |kilobytes| format!("{:.0} GiB", kilobytes / 1_048_576.0),
        );
    let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown").to_owned();
    format!(
        "{cores} cores of {processor}, {memory}, {} {}, load {load} before",
        std::env::consts::OS,
        kernel.trim()
    )
}

/// The first value of `name` in a file of `name: value` lines.
fn field(path: &str, name: &str) -> Option<String> {
    let text = read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
