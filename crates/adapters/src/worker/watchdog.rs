//! A shell that ends the process groups when promptgate is killed.
//!
//! A signal that cannot be caught leaves no time to stop workers, and one that ignores the end of its input would live
//! on. The watchdog reads the groups from a pipe; its end is the end of promptgate, whatever the reason.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, Stdio};

/// Reads `+ GROUP` and `- GROUP`; at the end of its input it kills the groups that are left.
pub(super) const SCRIPT: &str = r#"groups=
while read -r change group; do
  if [ "$change" = + ]; then groups="$groups $group"; continue; fi
  rest=
  for other in $groups; do [ "$other" = "$group" ] || rest="$rest $other"; done
  groups=$rest
done
for group in $groups; do kill -KILL "-$group"; done"#;

/// A running watchdog.
pub(super) struct Watchdog {
    child: Child,
    input: ChildStdin,
}

impl Watchdog {
    /// Starts the shell; `None` where there is none, so that nothing guards against a kill of promptgate.
    pub(super) fn start() -> Option<Self> {
        let mut child = Command::new("/bin/sh")
            .args(["-c", SCRIPT])
            .env_clear()
            .current_dir("/")
            .process_group(0) // Ctrl-C must not end it before promptgate
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let input = child.stdin.take()?;
        Some(Self { child, input })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn add(&mut self, group: u32) {
        drop(writeln!(self.input, "+ {group}"));
    }

    pub(super) fn remove(&mut self, group: u32) {
        drop(writeln!(self.input, "- {group}"));
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
