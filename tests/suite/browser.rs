//! Debian's Chromium without a window, driven by its DevTools protocol over a pipe.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

/// A browser that says nothing for this long is dead.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where the browser is; `None`, said aloud once, where there is none.
pub(crate) fn chromium() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            let named = std::env::var_os("PROMPTGATE_CHROMIUM").filter(|value| !value.is_empty());
            let names = named.map_or_else(
                || ["chromium", "chromium-browser", "google-chrome"].map(PathBuf::from).to_vec(),
                |named| vec![named.into()],
            );
            let runs = |name: &PathBuf| {
                let output = Command::new(name).arg("--version").stderr(Stdio::null()).output();
                output.is_ok_and(|output| output.status.success())
            };
            let found = names.into_iter().find(runs);
            if found.is_none() {
                assert_ne!(std::env::var("PROMPTGATE_REQUIRE_ALL").as_deref(), Ok("1"), "there is no chromium");
                // Past the test harness, which keeps what a passing test prints to itself.
                let line = "skipped, all tests with a browser: there is no chromium (PROMPTGATE_CHROMIUM names one)\n";
                let _ = std::io::stderr().write_all(line.as_bytes());
            }
            found
        })
        .as_deref()
}

/// A browser with one page; killed when dropped.
pub(crate) struct Browser {
    child: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    session: String,
    number: u64,
    /// What was told without being asked for: method and parameters.
    events: Vec<Value>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one whose every request goes to a proxy.
    pub(crate) fn start(chromium: &Path, proxy: &str) -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder");
        // The protocol wants descriptors 3 and 4, which a shell can make of the ordinary ones.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1"])
            .arg(chromium)
            .args([
                "--headless",
                "--remote-debugging-pipe",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
            ])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--disable-default-apps", "--disable-dev-shm-usage", "--no-pings", "--disable-extensions"])
            .arg(format!("--proxy-server={proxy}"))
            // Nothing passes the proxy by, not even what is on this machine.
            .args(["--proxy-bypass-list=<-loopback>", "--window-size=1280,900"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the browser starts");
        let commands = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output"));
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
            session: String::new(),
            number: 0,
            events: Vec::new(),
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}));
        let target = json!({"targetId": target["targetId"], "flatten": true});
        let session = browser.call("Target.attachToTarget", target);
        session["sessionId"].as_str().expect("a session").clone_into(&mut browser.session);
        for domain in ["Page.enable", "Runtime.enable", "Log.enable", "Network.enable"] {
            browser.call(domain, json!({}));
        }
        let listening = json!({"source": "window.violations = []; document.addEventListener(\
             'securitypolicyviolation', (event) => window.violations.push(event.violatedDirective));"});
        browser.call("Page.addScriptToEvaluateOnNewDocument", listening);
        browser
    }

    /// Sends a command and gives its result.
    #[track_caller]
    pub(crate) fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.number += 1;
        let mut command = json!({"id": self.number, "method": method, "params": parameters});
        if !self.session.is_empty() {
            command["sessionId"] = json!(self.session);
        }
        let text = command.to_string() + "\0";
        self.commands.write_all(text.as_bytes()).expect("the browser listens");
        loop {
            let message = self.next();
            if message["id"] == json!(self.number) {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
        }
    }

    /// The next message; one that answers nothing is kept as an event.
    #[track_caller]
    fn next(&mut self) -> Value {
        let message = self.messages.recv_timeout(PATIENCE).expect("the browser answers");
        if message["method"].is_string() {
            self.events.push(message.clone());
        }
        message
    }

    /// Opens a file and waits until it is there.
    #[track_caller]
    pub(crate) fn open(&mut self, path: &Path, fragment: &str) {
        self.events.clear();
        self.call("Page.navigate", json!({"url": format!("file://{}{fragment}", path.display())}));
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            self.next();
        }
    }

    /// The value of an expression in the page.
    #[track_caller]
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let result = self.call("Runtime.evaluate", parameters);
        assert!(result["exceptionDetails"].is_null(), "{expression}: {}", result["exceptionDetails"]);
        result["result"]["value"].clone()
    }

    /// Presses a key and lets the page see to it.
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

    /// Types a text where the focus is.
    #[track_caller]
    pub(crate) fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
        self.settle();
    }

    /// Until the page has done what was waiting to be done.
    #[track_caller]
    pub(crate) fn settle(&mut self) {
        self.value("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))");
    }

    /// What went wrong in the page: exceptions, and entries of its log that are errors.
    pub(crate) fn troubles(&self) -> Vec<&Value> {
        let trouble = |event: &&Value| {
            event["method"] == "Runtime.exceptionThrown"
                || (event["method"] == "Log.entryAdded" && event["params"]["entry"]["level"] == "error")
        };
        self.events.iter().filter(trouble).collect()
    }

    /// The addresses that the page asked for, itself left out.
    pub(crate) fn requests(&self) -> Vec<&str> {
        let sent = self.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        sent.filter_map(|event| event["params"]["request"]["url"].as_str())
            .filter(|address| !address.ends_with("report.html") && !address.contains("report.html#"))
            .collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A proxy that answers nothing and remembers who was asked for.
pub(crate) struct Canary {
    /// `http://127.0.0.1:PORT`.
    pub(crate) address: String,
    asked: Receiver<String>,
}

impl Canary {
    /// Listens on a free port.
    pub(crate) fn new() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let (sender, asked) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut line = String::new();
                let _ = BufReader::new(stream).read_line(&mut line);
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { address, asked }
    }

    /// The first line of every request so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.try_iter().collect()
    }

    /// The next request; waits for it.
    #[track_caller]
    pub(crate) fn next(&self) -> String {
        self.asked.recv_timeout(PATIENCE).expect("a request")
    }
}
