//! Finds the servers that `.ci/servers` installed, and skips tests without one.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use crate::support::Outcome;

/// The attempts of [`until`] and the pause between two: 15 seconds in all.
const MAX_ATTEMPTS: u32 = 1500;
const PAUSE: Duration = Duration::from_millis(10);

/// Messages already printed; each is printed once.
static PRINTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The folder of a server; `None` with a message if it is not installed.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("PROMPTGATE_REAL_SERVERS").filter(|value| !value.is_empty()) else {
        skip(
            name,
            "PROMPTGATE_REAL_SERVERS is not set; `bash .ci/servers` installs the servers and prints the folder",
        );
        return None;
    };
    let folder = PathBuf::from(folder).join(name);
    if let Ok(reason) = std::fs::read_to_string(folder.join("missing")) {
        skip(name, reason.trim());
        return None;
    }
    // A folder that does not exist is a wrong setting, not a missing network.
    assert!(folder.is_dir(), "{} does not exist", folder.display());
    Some(folder)
}

/// Prints a message past the test harness, which hides the output of passing tests.
fn skip(name: &str, reason: &str) {
    assert_ne!(std::env::var("PROMPTGATE_REQUIRE_ALL").as_deref(), Ok("1"), "{name}: {reason}");
    let line = format!("skipped, all tests with {name}: {reason}\n");
    if PRINTED.lock().expect("nobody panics here").insert(line.clone()) {
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}

/// Repeats an attempt until it succeeds; panics after 15 seconds.
#[track_caller]
pub(crate) fn until<T>(subject: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    for _ in 0..MAX_ATTEMPTS {
        if let Some(value) = attempt() {
            return value;
        }
        std::thread::sleep(PAUSE);
    }
    panic!("{subject}: timed out");
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Searches output that may be wrapped to the width of a terminal.
pub(crate) trait ExpectText {
    /// Asserts that the output contains a text.
    fn expect_text(self, text: &str) -> Self;
}

impl ExpectText for Outcome {
    #[track_caller]
    fn expect_text(self, text: &str) -> Self {
        let output = self.text();
        let line = output.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(line.contains(text), "no {text:?} in:\n{output}");
        self
    }
}
