//! A simulated GitHub API: the comments of one pull request, with faults on request.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// The login behind the token of a workflow.
pub(super) const BOT: &str = "github-actions[bot]";

/// A received request.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: String,
    /// With the query.
    pub(super) path: String,
    /// In lower case.
    pub(super) head: String,
    pub(super) body: String,
}

/// A response.
#[derive(Debug, Clone)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Value,
}

impl Response {
    pub(super) fn new(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Intercepts a request before the server; `None` lets it through. The number counts requests from 0; the
/// comments allow a fault that still carries the request out.
type Fault = dyn Fn(usize, &Request, &mut Vec<Value>) -> Option<Response> + Send + Sync;

pub(super) struct GitHub {
    /// `http://127.0.0.1:PORT`.
    pub(super) api_url: String,
    comments: Arc<Mutex<Vec<Value>>>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl GitHub {
    pub(super) fn start() -> Self {
        Self::with_faults(|_, _, _| None)
    }

    pub(super) fn with_faults(
        fault: impl Fn(usize, &Request, &mut Vec<Value>) -> Option<Response> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let api_url = format!("http://{}", listener.local_addr().expect("an address"));
        let github = Self { api_url, comments: Arc::default(), requests: Arc::default() };
        let (comments, requests) = (Arc::clone(&github.comments), Arc::clone(&github.requests));
        let (fault, base): (Box<Fault>, String) = (Box::new(fault), github.api_url.clone());
        std::thread::spawn(move || {
            // One after the other: what a test sees is what was asked, in that order.
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let Some(request) = read(&mut stream) else { continue };
                let number = {
                    let mut requests = requests.lock().expect("no panic");
                    requests.push(request.clone());
                    requests.len() - 1
                };
                let response = {
                    let mut comments = comments.lock().expect("no panic");
                    fault(number, &request, &mut comments)
                        .unwrap_or_else(|| answer(&base, &request, &mut comments))
                };
                write(&mut stream, &response);
            }
        });
        github
    }

    /// Adds an existing comment and returns its id.
    pub(super) fn add(&self, login: &str, kind: &str, body: &str) -> u64 {
        let mut comments = self.comments.lock().expect("no panic");
        push(&mut comments, login, kind, body)
    }

    /// The current body of a comment.
    #[track_caller]
    pub(super) fn body(&self, id: u64) -> String {
        let comments = self.comments.lock().expect("no panic");
        let found = comments.iter().find(|comment| comment["id"] == id).expect("the comment");
        found["body"].as_str().expect("a text").to_owned()
    }

    pub(super) fn bodies(&self) -> Vec<String> {
        let comments = self.comments.lock().expect("no panic");
        comments.iter().map(|comment| comment["body"].as_str().expect("a text").to_owned()).collect()
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no panic").clone()
    }

    /// `GET /user`, without the query.
    pub(super) fn asked(&self) -> Vec<String> {
        let path = |request: &Request| request.path.split('?').next().unwrap_or_default().to_owned();
        self.requests().iter().map(|request| format!("{} {}", request.method, path(request))).collect()
    }
}

pub(super) fn push(comments: &mut Vec<Value>, login: &str, kind: &str, body: &str) -> u64 {
    let id = 1000 + comments.len() as u64;
    comments.push(json!({"id": id, "user": {"login": login, "type": kind}, "body": body}));
    id
}

fn answer(base: &str, request: &Request, comments: &mut Vec<Value>) -> Response {
    const LIST: &str = "/repos/acme/support/issues/7/comments";
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let said = serde_json::from_str::<Value>(&request.body).unwrap_or_default();
    let said = said["body"].as_str().unwrap_or_default();
    match (request.method.as_str(), path) {
        ("GET", "/user") => Response::new(403, json!({"message": "Resource not accessible by integration"})),
        ("POST", "/graphql") => Response::new(200, json!({"data": {"viewer": {"login": BOT}}})),
        ("GET", LIST) => {
            let parameter = |name: &str| {
                let value = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")))?;
                value.parse::<usize>().ok()
            };
            let (size, page) = (parameter("per_page").unwrap_or(30).min(100), parameter("page").unwrap_or(1));
            let shown: Vec<Value> = comments.iter().skip((page - 1) * size).take(size).cloned().collect();
            let response = Response::new(200, Value::from(shown));
            if page * size >= comments.len() {
                return response;
            }
            let link =
                |page: usize, rel: &str| format!("<{base}{LIST}?per_page={size}&page={page}>; rel=\"{rel}\"");
            response.with(
                "link",
                format!("{}, {}", link(page + 1, "next"), link(comments.len().div_ceil(size), "last")),
            )
        }
        ("POST", LIST) => {
            let id = push(comments, BOT, "Bot", said);
            Response::new(201, json!({"id": id}))
        }
        ("PATCH", path) => {
            let id = path
                .strip_prefix("/repos/acme/support/issues/comments/")
                .and_then(|id| id.parse::<u64>().ok());
            match comments.iter_mut().find(|comment| comment["id"].as_u64() == id) {
                Some(comment) => {
                    comment["body"] = Value::from(said);
                    Response::new(200, json!({"id": id}))
                }
                None => Response::new(404, json!({"message": "Not Found"})),
            }
        }
        _ => Response::new(404, json!({"message": "Not Found"})),
    }
}

fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        let read = stream.read(&mut buffer).ok()?;
        bytes.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lower = head.to_ascii_lowercase();
            let length = lower.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length = length.and_then(|length| length.trim().parse::<usize>().ok()).unwrap_or_default();
            if body.len() >= length {
                let mut words = head.split_whitespace();
                return Some(Request {
                    method: words.next()?.to_owned(),
                    path: words.next()?.to_owned(),
                    head: lower,
                    body: body.to_owned(),
                });
            }
        }
        if read == 0 {
            return None;
        }
    }
}

fn write(stream: &mut TcpStream, response: &Response) {
    let body = response.body.to_string();
    let headers: String =
        response.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let text = format!(
        "HTTP/1.1 {} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
        response.status,
        body.len()
    );
    // The client may have gone.
    let _ = stream.write_all(text.as_bytes());
}
