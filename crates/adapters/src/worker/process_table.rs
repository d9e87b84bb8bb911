//! The process table of Linux.

use std::fs;

/// A process, as `/proc/PID/stat` describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ProcessEntry {
    pub(super) id: u32,
    pub(super) parent: u32,
    pub(super) group: u32,
    pub(super) is_zombie: bool,
}

/// Returns all processes that can be read.
pub(super) fn processes() -> Vec<ProcessEntry> {
    let Ok(folder) = fs::read_dir("/proc") else { return Vec::new() };
    folder
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|id: u32| parse_stat(id, &fs::read_to_string(format!("/proc/{id}/stat")).ok()?))
        .collect()
}

/// Parses `PID (NAME) STATE PARENT GROUP …`; the name may contain anything, parentheses and spaces included.
fn parse_stat(id: u32, stat: &str) -> Option<ProcessEntry> {
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let is_zombie = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    Some(ProcessEntry { id, parent, group, is_zombie })
}

/// Whether the environment with which a process was started has this entry (`NAME=VALUE`).
pub(super) fn has_variable(id: u32, entry: &str) -> bool {
    fs::read(format!("/proc/{id}/environ"))
        .is_ok_and(|environment| environment.split(|byte| *byte == 0).any(|found| found == entry.as_bytes()))
}

/// Returns the peak resident memory of a process in bytes.
pub(super) fn peak_memory(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_is_parsed_behind_a_hostile_name() {
        let stat = "7 (a) Z 1 1 (b) S 3 5 7 0 -1";
        let expected = ProcessEntry { id: 7, parent: 3, group: 5, is_zombie: false };
        assert_eq!(parse_stat(7, stat), Some(expected));
        assert_eq!(parse_stat(7, "7 (sh) Z 3 5").map(|entry| entry.is_zombie), Some(true));
        assert_eq!(parse_stat(7, "7 (sh)"), None);
    }

    #[test]
    fn own_process_is_in_the_table() {
        let own = std::process::id();
        assert!(processes().iter().any(|entry| entry.id == own && !entry.is_zombie));
        assert!(peak_memory(own).is_some_and(|bytes| bytes > 1 << 20));
        assert!(!has_variable(own, "PROMPTGATE_WORKER=none"));
    }
}
