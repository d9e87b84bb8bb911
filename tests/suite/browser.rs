//! Headless Chromium, driven over the DevTools protocol through a pipe.
//!
//! The page runs in a browser context of its own with a proxy of its own. The browser's background requests (start
//! page, updates, accounts) go to another proxy, where nothing listens, and never count as requests of the page.

mod proxy;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use self::proxy::RecordingProxy;

/// The time limit for one message of the browser.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(120);

/// The time limit for closing the browser before it is killed.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// The address that marks the end of the page's requests at the proxy.
const MARKER: &str = "http://marker.example/";

/// Records policy violations before any script of the page runs.
const VIOLATION_LISTENER: &str = "window.violations = []; document.addEventListener(\
     'securitypolicyviolation', (event) => window.violations.push(event.violatedDirective));";

/// Returns the browser's executable, or `None` with a message printed once.
pub(crate) fn chromium() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            let configured = std::env::var_os("PROMPTGATE_CHROMIUM").filter(|value| !value.is_empty());
            let candidates = configured.map_or_else(
                || ["chromium", "chromium-browser", "google-chrome"].map(PathBuf::from).to_vec(),
                |path| vec![path.into()],
            );
            let runs = |path: &PathBuf| {
                let output = Command::new(path).arg("--version").stderr(Stdio::null()).output();
                output.is_ok_and(|output| output.status.success())
            };
            let found = candidates.into_iter().find(runs);
            if found.is_none() {
                let required = std::env::var("PROMPTGATE_REQUIRE_ALL").as_deref() == Ok("1");
                assert!(!required, "chromium not found");
                // Written directly: the test harness hides the output of passing tests.
                let message =
                    "skipped all browser tests: chromium not found (set PROMPTGATE_CHROMIUM to its path)\n";
                let _ = std::io::stderr().write_all(message.as_bytes());
            }
            found
        })
        .as_deref()
}

/// The profile that the browser starts with; both are empty.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Profile {
    /// A folder named by `--user-data-dir`.
    Named,
    /// The default folder below the home folder.
    Default,
}

/// Everything that a page without network access and without errors leaves empty.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Activity {
    /// Directives of the content security policy that the page violated.
    pub(crate) violations: Vec<String>,
    /// Uncaught exceptions and errors in the page's log.
    pub(crate) errors: Vec<Value>,
    /// Addresses of network requests by the page, including those its policy blocked.
    pub(crate) requests: Vec<String>,
    /// Request lines that reached the proxy of the page, including those of frames, workers and popups.
    pub(crate) proxied: Vec<String>,
}

/// A page and its DevTools session; both are null for the browser itself.
#[derive(Default, Clone)]
struct Target {
    id: Value,
    session: Value,
}

/// A browser with one page to test; closed when dropped.
pub(crate) struct Browser {
    child: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    last_id: u64,
    page: Target,
    /// A blank page in the same context, whose policy lets the marker request through.
    blank: Target,
    /// Events of the page since [`Browser::open`].
    events: Vec<Value>,
    /// The request that loaded the page itself.
    page_request: Value,
    proxy: RecordingProxy,
    _home: tempfile::TempDir,
}

impl Browser {
    /// Starts the browser with a blank page.
    pub(crate) fn start(chromium: &Path, profile: Profile) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        // The protocol uses file descriptors 3 and 4, which a shell can make of stdin and stdout.
        let mut command = Command::new("sh");
        command
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1"])
            .arg(chromium)
            .args([
                "--headless",
                "--remote-debugging-pipe",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
            ])
            .args(["--no-first-run", "--disable-background-networking", "--disable-component-update"])
            .args(["--disable-sync", "--disable-default-apps", "--disable-dev-shm-usage", "--no-pings"])
            .args(["--disable-extensions", "--window-size=1280,900"])
            // The discard port: background requests fail at once.
            .args(["--proxy-server=http://127.0.0.1:9", "--proxy-bypass-list=<-loopback>"])
            .env("HOME", home.path())
            .env("TMPDIR", home.path())
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_CACHE_HOME")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Profile::Named = profile {
            command.arg(format!("--user-data-dir={}", home.path().join("profile").display()));
        }
        let mut child = command.spawn().expect("the browser starts");
        let commands = child.stdin.take().expect("piped stdin");
        let output = BufReader::new(child.stdout.take().expect("piped stdout"));
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            for message in output.split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice(&message) else { return };
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut browser = Self {
            child,
            commands,
            messages,
            last_id: 0,
            page: Target::default(),
            blank: Target::default(),
            events: Vec::new(),
            page_request: Value::Null,
            proxy: RecordingProxy::start(),
            _home: home,
        };
        browser.attach_pages();
        browser
    }

    /// Creates both pages in a context of their own and subscribes to the events of the one to test.
    fn attach_pages(&mut self) {
        let proxy = json!({"proxyServer": self.proxy.address, "proxyBypassList": "<-loopback>"});
        let context = self.call("Target.createBrowserContext", proxy)["browserContextId"].clone();
        let blank = self.create_page(&context);
        self.page = self.create_page(&context);
        self.blank = blank;
        for method in ["Page.enable", "Runtime.enable", "Log.enable", "Network.enable"] {
            self.call(method, json!({}));
        }
        self.call("Page.addScriptToEvaluateOnNewDocument", json!({"source": VIOLATION_LISTENER}));
    }

    fn create_page(&mut self, context: &Value) -> Target {
        let parameters = json!({"url": "about:blank", "browserContextId": context});
        let id = self.call("Target.createTarget", parameters)["targetId"].clone();
        let attached = self.call("Target.attachToTarget", json!({"targetId": id, "flatten": true}));
        Target { id, session: attached["sessionId"].clone() }
    }

    /// Sends a command to the page and returns its result.
    #[track_caller]
    pub(crate) fn call(&mut self, method: &str, parameters: Value) -> Value {
        let session = self.page.session.clone();
        self.call_session(&session, method, parameters)
    }

    #[track_caller]
    fn call_session(&mut self, session: &Value, method: &str, parameters: Value) -> Value {
        self.last_id += 1;
        let mut command = json!({"id": self.last_id, "method": method, "params": parameters});
        if session.is_string() {
            command["sessionId"] = session.clone();
        }
        let text = command.to_string() + "\0";
        self.commands.write_all(text.as_bytes()).expect("the browser reads commands");
        loop {
            let message = self.receive();
            if message["id"] == json!(self.last_id) {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
        }
    }

    /// Returns the next message and records it if it is an event of the page.
    #[track_caller]
    fn receive(&mut self) -> Value {
        let message = self.messages.recv_timeout(MESSAGE_TIMEOUT).expect("a message from the browser");
        if message["method"].is_string() && message["sessionId"] == self.page.session {
            self.events.push(message.clone());
        }
        message
    }

    /// Opens a file and waits for its load event.
    #[track_caller]
    pub(crate) fn open(&mut self, path: &Path, fragment: &str) {
        self.events.clear();
        let address = format!("file://{}{fragment}", path.display());
        let navigation = self.call("Page.navigate", json!({"url": address}));
        assert!(navigation["errorText"].is_null(), "{address}: {}", navigation["errorText"]);
        self.page_request = navigation["loaderId"].clone();
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            self.receive();
        }
    }

    /// Evaluates an expression in the page.
    #[track_caller]
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let result = self.call("Runtime.evaluate", parameters);
        assert!(result["exceptionDetails"].is_null(), "{expression}: {}", result["exceptionDetails"]);
        result["result"]["value"].clone()
    }

    /// Presses a key and waits for the page to handle it.
    #[track_caller]
    pub(crate) fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Escape" => (27, ""),
            "ArrowDown" => (40, ""),
            "ArrowUp" => (38, ""),
            "Tab" => (9, ""),
            letter => (letter.chars().next().map_or(0, |letter| letter.to_ascii_uppercase() as u32), letter),
        };
        let event = |kind: &str, text: &str| json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
        self.call("Input.dispatchKeyEvent", event("keyDown", text));
        self.call("Input.dispatchKeyEvent", event("keyUp", ""));
        self.settle();
    }

    /// Types text into the focused element.
    #[track_caller]
    pub(crate) fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
        self.settle();
    }

    /// Waits for the page's pending frame and tasks.
    #[track_caller]
    pub(crate) fn settle(&mut self) {
        self.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))");
    }

    /// Returns everything that the page has done since it was opened, and that a quiet page does not do.
    #[track_caller]
    pub(crate) fn activity(&mut self) -> Activity {
        let violations = self.evaluate("window.violations");
        let violations = serde_json::from_value(violations).expect("a list of directives");
        let proxied = self.take_proxied();
        Activity { violations, errors: self.errors(), requests: self.requests(), proxied }
    }

    fn errors(&self) -> Vec<Value> {
        let is_error = |event: &&Value| {
            event["method"] == "Runtime.exceptionThrown"
                || (event["method"] == "Log.entryAdded" && event["params"]["entry"]["level"] == "error")
        };
        self.events.iter().filter(is_error).cloned().collect()
    }

    /// Returns the addresses of the page's network requests, except the one for the page itself.
    pub(crate) fn requests(&self) -> Vec<String> {
        let sent = self.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        sent.filter(|event| event["params"]["requestId"] != self.page_request)
            .map(|event| event["params"]["request"]["url"].as_str().expect("an address").to_owned())
            .collect()
    }

    /// Returns the lines of requests that reached the page's proxy since the last call.
    ///
    /// A request for [`MARKER`] from the same context ends the list; it proves that the proxy can be reached.
    #[track_caller]
    pub(crate) fn take_proxied(&mut self) -> Vec<String> {
        let options = json!({"disableCache": true, "includeCredentials": false});
        // The ID of a page is also the ID of its main frame.
        let marker = json!({"frameId": self.blank.id, "url": MARKER, "options": options});
        let session = self.blank.session.clone();
        self.call_session(&session, "Network.loadNetworkResource", marker);
        let (markers, lines): (Vec<_>, Vec<_>) =
            self.proxy.take_requests().into_iter().partition(|line| line.contains(MARKER));
        assert!(!markers.is_empty(), "the page's proxy received no marker request");
        lines
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // An orderly end first: a killed browser leaves processes that write to the profile while it is removed.
        let _ = self.commands.write_all(b"{\"id\": 0, \"method\": \"Browser.close\"}\0");
        while self.messages.recv_timeout(CLOSE_TIMEOUT).is_ok() {}
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
