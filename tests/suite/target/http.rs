//! Servers as targets.

use super::{application, commit};
use crate::support::Folder;

const SERVER: &str = r#"import http.server, json, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.reply({"ready": True})
    def do_POST(self):
        case = json.loads(self.rfile.read(int(self.headers["content-length"])))
        text = "Refunded within 30 UNIT: " + case["question"]
        self.reply({"answer": {"text": text}, "sources": [{"text": text}], "usage": {"prompt_tokens": 9, "completion_tokens": 4}})
    def reply(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"#;

fn server() -> Folder {
    let folder = application(4);
    folder.write("server.py", &SERVER.replace("UNIT", "days"));
    let target = "  http:\n    start: [python3, server.py, \"{port}\"]\n    url: \"http://127.0.0.1:{port}/answer\"\n    \
                  ready: /health\n    body: {question: \"{{query}}\"}\n    output: $.answer.text\n    \
                  contexts: \"$.sources[*].text\"\n    usage: $.usage\n";
    folder.edit("promptgate.yaml", "  command: [python3, answer.py]\n", target);
    commit(&folder, "server");
    folder.git(&["branch", "--force", "main"]);
    folder
}

#[test]
fn server_is_started_at_both_commits() {
    let folder = server();
    folder.write("server.py", &SERVER.replace("UNIT", "weeks"));
    folder.promptgate(&["run", "--offline"]).expect_code(10).says("says-days");
    let report = folder.report();
    let trial = &report["cases"][0]["trials"][0];
    assert_eq!(trial["contexts"][0], trial["output"]);
    assert_eq!(trial["usage"]["prompt_tokens"], 9);
    #[cfg(target_os = "linux")]
    assert_eq!(super::processes_with(&format!("server.py {}", "")), [""; 0]);
}

#[test]
fn server_that_does_not_start_is_incomplete() {
    let folder = server();
    folder.write("server.py", "import sys\nsys.exit('no index here')\n");
    folder.append("promptgate.yaml", "baseline: none\n");
    folder.promptgate(&["run", "--offline"]).expect_code(12).says("no index here");
}

#[test]
fn mistakes_of_a_server_target_are_named() {
    for (from, to, words) in [
        ("http://127.0.0.1:{port}/answer", "http://127.0.0.1:8000/answer", "`{port}`"),
        ("http://127.0.0.1:{port}/answer", "ftp://127.0.0.1:{port}/answer", "http or https"),
        ("output: $.answer.text", "output: answer..text", "output"),
        ("    ready: /health\n", "    ready: /health\n    headers: {x-key: {env: APP_KEY}}\n", "target.env"),
    ] {
        let folder = server();
        folder.edit("promptgate.yaml", from, to);
        folder.promptgate(&["check"]).expect_code(2).says(words);
    }
}
