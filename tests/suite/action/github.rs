//! A server with GitHub's REST API for the comments of one pull request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// The token that the server accepts.
pub(crate) const TOKEN: &str = "ghs_canary0123456789abcdef";

#[derive(Default)]
struct State {
    comments: Vec<Value>,
    /// Method and path of every request.
    requests: Vec<String>,
    read_only: bool,
}

/// The server; it has pull request 7 of `acme/prompts`.
pub(crate) struct GitHub {
    /// `GITHUB_API_URL`.
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

impl GitHub {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(Mutex::new(State::default()));
        let (shared, base) = (Arc::clone(&state), url.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let (state, base) = (Arc::clone(&shared), base.clone());
                std::thread::spawn(move || serve(stream, &state, &base));
            }
        });
        Self { url, state }
    }

    /// Makes the token read-only, like that of a fork.
    pub(crate) fn read_only(&self) {
        self.state.lock().expect("the state").read_only = true;
    }

    /// Adds a comment by `login`.
    pub(crate) fn comment(&self, login: &str, kind: &str, body: &str) {
        let comments = &mut self.state.lock().expect("the state").comments;
        let number = comments.len() + 1;
        comments.push(one(number, login, kind, body));
    }

    /// Logins and bodies of all comments.
    pub(crate) fn comments(&self) -> Vec<(String, String)> {
        let state = self.state.lock().expect("the state");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        state.comments.iter().map(|of| (text(&of["user"]["login"]), text(&of["body"]))).collect()
    }

    /// The bodies of the action's own comments.
    pub(crate) fn own(&self) -> Vec<String> {
        let own = self.comments().into_iter().filter(|(login, _)| login == "github-actions[bot]");
        own.map(|(_, body)| body).collect()
    }

    /// Every request about comments so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        let requests = &self.state.lock().expect("the state").requests;
        requests.iter().filter(|request| request.contains("/comments")).cloned().collect()
    }
}

fn one(number: usize, login: &str, kind: &str, body: &str) -> Value {
    json!({
        "id": number,
        "html_url": format!("https://github.example/acme/prompts/pull/7#issuecomment-{number}"),
        "user": {"login": login, "type": kind},
        "performed_via_github_app": if kind == "Bot" { json!({"slug": "github-actions"}) } else { Value::Null },
        "body": body,
    })
}

fn serve(stream: TcpStream, state: &Mutex<State>, base: &str) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
    }
    let header = |name: &str| {
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}: ")));
        line.map(|line| line[name.len() + 2..].to_owned())
    };
    let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let mut words = head.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut state = state.lock().expect("the state");
    state.requests.push(format!("{method} {path}"));
    let known = header("authorization").is_some_and(|value| value.ends_with(TOKEN));
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let (status, answer, link) = if known {
        answer(method, path, &body, &mut state, base)
    } else {
        (401, json!({"message": "Bad credentials"}), None)
    };
    drop(state);
    let answer = answer.to_string();
    let link = link.map_or_else(String::new, |link| format!("link: {link}\r\n"));
    let _ = write!(
        reader.get_mut(),
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{link}content-length: {}\r\nconnection: close\r\n\r\n{answer}",
        answer.len()
    );
}

fn answer(
    method: &str,
    path: &str,
    body: &Value,
    state: &mut State,
    base: &str,
) -> (u16, Value, Option<String>) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let parameter = |name: &str, default: usize| {
        let found = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        found.and_then(|value| value.parse().ok()).unwrap_or(default)
    };
    let refused = json!({"message": "Resource not accessible by integration"});
    let list = "/repos/acme/prompts/issues/7/comments";
    let single =
        path.strip_prefix("/repos/acme/prompts/issues/comments/").and_then(|id| id.parse::<usize>().ok());
    match (method, path, single) {
        ("GET", path, _) if path == list => {
            let (size, page) = (parameter("per_page", 30).min(100), parameter("page", 1));
            let comments: Vec<Value> =
                state.comments.iter().skip(size * (page - 1)).take(size).cloned().collect();
            let more = state.comments.len() > size * page;
            let next =
                more.then(|| format!("<{base}{list}?per_page={size}&page={}>; rel=\"next\"", page + 1));
            (200, Value::Array(comments), next)
        }
        ("POST", path, _) if path == list => {
            if state.read_only {
                return (403, refused, None);
            }
            let text = body["body"].as_str().expect("a body");
            if text.chars().count() > 65_536 {
                return (422, json!({"message": "Validation Failed"}), None);
            }
            let comment = one(state.comments.len() + 1, "github-actions[bot]", "Bot", text);
            state.comments.push(comment.clone());
            (201, comment, None)
        }
        ("PATCH", _, Some(id)) => {
            let read_only = state.read_only;
            let Some(comment) = state.comments.get_mut(id - 1) else {
                return (404, json!({"message": "Not Found"}), None);
            };
            if read_only || comment["user"]["login"] != "github-actions[bot]" {
                return (403, refused, None);
            }
            comment["body"] = body["body"].clone();
            (200, comment.clone(), None)
        }
        ("POST", "/graphql", _) if body["query"].as_str().is_some_and(|query| query.contains("viewer")) => {
            (200, json!({"data": {"viewer": {"login": "github-actions[bot]"}}}), None)
        }
        // A token of a job belongs to no user.
        ("GET", "/user", _) => (403, refused, None),
        _ => (404, json!({"message": "Not Found"}), None),
    }
}
