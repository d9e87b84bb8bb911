//! Sources whose credentials are not set or must not be sent, and files that are none.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use super::support::{EQUAL, METRICS, MONITORED, Story};

const TOKEN: &str = "tok-5d1e9a70c4b2";

/// A Prometheus at this address, which gets a token.
fn prometheus(url: &str) -> String {
    format!(
        "prometheus: {{url: \"{url}\", headers: {{authorization: {{env: PROM_TOKEN}}}}, \
         good: 'x{{v=\"$version\"}}[$window]', all: 'y{{v=\"$version\"}}[$window]'}}"
    )
}

/// A server that redirects every request to another origin, and what it received.
fn redirecting() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let received = Arc::new(Mutex::new(Vec::new()));
    let requests = received.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut bytes = [0; 8_192];
            let read = stream.read(&mut bytes).expect("a request");
            requests.lock().expect("no panic").push(String::from_utf8_lossy(&bytes[..read]).into_owned());
            let reply = "HTTP/1.1 302 Found\r\nlocation: http://localhost:1/x\r\ncontent-length: 0\r\n\
                         connection: close\r\n\r\n";
            stream.write_all(reply.as_bytes()).expect("a reply");
        }
    });
    (url, received)
}

#[test]
fn source_that_changed_gets_no_token() {
    let (url, received) = redirecting();
    let mut story = Story::in_folder();
    story.start(&[]);
    story.at(48);
    story.suite.set("PROM_TOKEN", TOKEN);
    story.suite.folder.edit("promptgate.yaml", "json: metrics.json", &prometheus(&url));
    story.stays(11, "stuck", "sources_changed");
    story.json(0, "status", &[]);
    assert!(received.lock().expect("no panic").is_empty());
    // A person who accepts the source sends it.
    story.json(0, "resume", &["--reason", "moved to Prometheus"]);
    story.rollout("advance", &[]).expect_code(12).says("the header was not sent there");
    assert!(received.lock().expect("no panic")[0].contains(TOKEN));
}

#[test]
fn unset_variable_of_a_source_does_not_hide_the_harm_of_others() {
    let release = MONITORED.replace("{json: metrics.json}", "{json: metrics.json}, requests: {URL}").replace(
        "source: scores}]",
        "source: scores}, {name: error_rate, better: lower, margin: 0.01, source: requests}]",
    );
    let release = release.replace("URL", &prometheus("http://127.0.0.1:9"));
    let mut story = Story::in_folder_with(&release);
    let not_set = "PROM_TOKEN is not set";
    story.rollout("plan", &["--per-day", "2000"]).expect_code(2).says(not_set);
    story.rollout("start", &["--anyway", "--allow-simulated"]).expect_code(2).says(not_set);
    story.suite.set("PROM_TOKEN", TOKEN);
    story.json(0, "start", &["--anyway", "--per-day", "2000", "--allow-simulated"]);
    story.suite.unset("PROM_TOKEN");
    story.at(12);
    story.scores(0, (855, 950), (45, 50));
    let failed = story.advance(12, "source_failed");
    assert!(failed["findings"].to_string().contains(not_set), "{failed:#}");
    story.rollout("status", &[]).says(not_set);
    assert_eq!(story.percent(), 5.0);
    story.at(24);
    story.scores(0, (1_710, 1_900), (60, 100));
    story.advance(10, "rolled_back");
    assert_eq!(story.served(), ("1.0.0".into(), "1.0.0".into(), 0.0));
}

#[cfg(unix)]
#[test]
fn device_or_pipe_is_no_file_of_metrics() {
    let mut story = Story::in_folder();
    story.start(&[]);
    story.at(48);
    let path = story.suite.folder.path().join(METRICS);
    std::os::unix::fs::symlink("/dev/zero", &path).expect("a link");
    let failed = story.advance(12, "source_failed");
    assert!(failed["findings"].to_string().contains("metrics.json: not a regular file"), "{failed:#}");
    std::fs::remove_file(&path).expect("a link");
    // Reading a pipe that nobody writes would never end.
    assert!(std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    let failed = story.advance(12, "source_failed");
    assert!(failed["findings"].to_string().contains("metrics.json: not a regular file"), "{failed:#}");
    std::fs::remove_file(&path).expect("a pipe");
    // A link to a file is one.
    story.scores(0, EQUAL[0].0, EQUAL[0].1);
    let target = path.with_file_name("written.json");
    std::fs::rename(&path, &target).expect("a file");
    std::os::unix::fs::symlink(&target, &path).expect("a link");
    story.advance(0, "advanced");
}
