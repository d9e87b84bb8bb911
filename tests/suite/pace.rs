//! Endpoints that refuse, fail and cut answers: everything is graded and no call is wasted.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::support::{Folder, MockServer};

/// The counters of a mock server.
fn stats(server: &MockServer) -> Value {
    let address = server.base_url.trim_start_matches("http://").trim_end_matches("/v1");
    let mut stream = TcpStream::connect(address).expect("the mock server");
    write!(stream, "GET /stats HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    serde_json::from_str(answer.split_once("\r\n\r\n").expect("a body").1).expect("JSON")
}

fn count(stats: &Value, name: &str) -> u64 {
    stats[name].as_u64().unwrap_or_else(|| panic!("no {name} in {stats}"))
}

/// A suite with the default endpoint settings.
fn patient(cases: usize) -> Folder {
    let folder = Folder::small(cases).without_self_test();
    folder.edit("promptgate.yaml", "endpoint: {timeout: 5s, attempts: 2, max_wait: 2s}\n", "");
    folder
}

#[track_caller]
fn assert_all_graded(report: &Value) {
    for case in report["cases"].as_array().expect("cases") {
        for trial in case["trials"].as_array().expect("trials") {
            assert!(trial["error"].is_null(), "{trial}");
            let grades = trial["grades"].as_array().expect("grades");
            assert_eq!(grades.len(), 3, "{trial}");
            assert!(grades.iter().all(|grade| grade["score"].is_number()), "{trial}");
        }
    }
}

#[test]
fn thousand_calls_amid_faults_are_all_graded() {
    let folder = patient(167);
    let whole = MockServer::start(&[]);
    folder.against(&whole.base_url, &["run", "--no-cache", "--repeats", "1"]);
    let needed = count(&stats(&whole), "requests");
    assert!(needed > 900, "{needed}");

    let faulty = MockServer::start(&[
        "--fault",
        "429=0.2",
        "--fault",
        "retry-after=1",
        "--fault",
        "500=0.05",
        "--fault",
        "cut=0.02",
    ]);
    let outcome = folder.against(&faulty.base_url, &["run", "--no-cache", "--repeats", "1"]);
    let report = folder.report();
    assert_eq!(report["exit_code"], outcome.code, "{}", outcome.text());
    assert_all_graded(&report);
    let stats = stats(&faulty);
    let (requests, faults) = (count(&stats, "requests"), count(&stats, "faults"));
    assert_eq!(requests - faults, needed, "every good answer was asked for once: {stats}");
    assert_eq!(report["usage"]["calls"], requests);
    assert!(count(&stats, "refused") > 100 && faults > count(&stats, "refused"), "{stats}");
}

#[test]
fn unannounced_rate_limit_costs_no_answer() {
    let folder = patient(50);
    let limited = MockServer::start(&["--fault", "rate-limit=50"]);
    folder.against(&limited.base_url, &["run", "--no-cache", "--repeats", "1"]);
    assert_all_graded(&folder.report());
    let stats = stats(&limited);
    let (requests, refused) = (count(&stats, "requests"), count(&stats, "refused"));
    // How few are refused depends on the machine; the adaptive rate is tested with simulated time (endpoint::adaptive_rate).
    assert!(refused > 0, "{stats}");
    assert_eq!(requests - refused, 300, "{stats}");
}
