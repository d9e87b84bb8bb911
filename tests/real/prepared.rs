//! What `.ci/servers` prepared, and the word about what it could not.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use crate::support::Outcome;

/// Tries of something that takes a moment, and the pause between two: a quarter of a minute in all.
const TRIES: u32 = 1500;
const PAUSE: Duration = Duration::from_millis(10);

/// What has been said already: once is enough.
static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The folder of a server; `None`, said aloud, where it is not there.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("PROMPTGATE_REAL_SERVERS").filter(|value| !value.is_empty()) else {
        skipped(
            name,
            "PROMPTGATE_REAL_SERVERS is not set; `bash .ci/servers` prepares them and prints the folder",
        );
        return None;
    };
    let folder = PathBuf::from(folder).join(name);
    if let Ok(reason) = std::fs::read_to_string(folder.join("missing")) {
        skipped(name, reason.trim());
        return None;
    }
    // A name that leads nowhere is a mistake, not a machine without a network.
    assert!(folder.is_dir(), "{} is not there", folder.display());
    Some(folder)
}

/// Past the test harness, which keeps what a passing test prints to itself.
fn skipped(name: &str, reason: &str) {
    assert_ne!(std::env::var("PROMPTGATE_REQUIRE_ALL").as_deref(), Ok("1"), "{name}: {reason}");
    let line = format!("skipped, all tests with {name}: {reason}\n");
    if SAID.lock().expect("nobody panics here").insert(line.clone()) {
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}

/// Tries until something is there, but not for ever.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    for _ in 0..TRIES {
        if let Some(found) = attempt() {
            return found;
        }
        std::thread::sleep(PAUSE);
    }
    panic!("{what}: not in time");
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Looks for words whose lines may be broken to fit a terminal.
pub(crate) trait Tells {
    /// Asserts that the output contains the text.
    fn tells(self, words: &str) -> Self;
}

impl Tells for Outcome {
    #[track_caller]
    fn tells(self, words: &str) -> Self {
        let text = self.text();
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(line.contains(words), "no {words:?} in:\n{text}");
        self
    }
}
