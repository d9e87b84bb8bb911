//! A simulated GitHub API over a real git repository: merged pull requests and their reviews, people of commits, members
//! of teams, labels and their events, deployments and trees.
//!
//! The address `NAME@example.com` is verified for the account `NAME`, and those that GitHub gives out for theirs; all
//! others belong to nobody. Lists have two elements a page.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

/// The one repository.
pub const REPOSITORY: &str = "acme/support";
const PER_PAGE: usize = 2;

/// Status and body of a response, and its headers, each with its line break.
pub type Response = (u16, Value, String);
/// Answers a request, `METHOD /path?query`, in place of GitHub.
type Fault = Box<dyn Fn(&str) -> Option<Response> + Send + Sync>;

/// A simulated GitHub.
pub struct GitHub {
    /// `http://127.0.0.1:PORT`.
    pub api_url: String,
    data: Arc<Mutex<Data>>,
}

#[derive(Default)]
struct Data {
    api_url: String,
    git: PathBuf,
    pull_requests: BTreeMap<u64, (PullRequest, Vec<Value>)>,
    members: BTreeMap<String, &'static str>,
    deployments: Vec<Value>,
    issues: BTreeMap<u64, Issue>,
    fault: Option<Fault>,
    requests: Vec<String>,
}

/// Labels of a pull request and its events.
#[derive(Debug, Clone, Default)]
struct Issue {
    labels: Vec<String>,
    events: Vec<Value>,
}

/// A merged pull request.
#[derive(Debug, Clone)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// Who opened it.
    pub opened_by: String,
    /// The commit that it started from.
    pub base: String,
    /// Its last commit.
    pub head: String,
    /// The commits that it brought to the default branch.
    pub merged_as: Vec<String>,
    /// When it was merged; null for an open one.
    pub merged_at: Option<&'static str>,
    /// The branch that it was merged into; the default branch is `main`.
    pub base_branch: &'static str,
}

impl GitHub {
    /// Starts, over the repository in a folder.
    ///
    /// # Panics
    /// If no port is free.
    pub fn start(git: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let api_url = format!("http://{}", listener.local_addr().expect("an address"));
        let data = Data { api_url: api_url.clone(), git: git.to_owned(), ..Data::default() };
        let data = Arc::new(Mutex::new(data));
        let shared = Arc::clone(&data);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let Some((request, body)) = read(&mut stream) else { continue };
                let response = lock(&shared).respond(&request, &body);
                write(&mut stream, &response);
            }
        });
        Self { api_url, data }
    }

    fn data(&self) -> MutexGuard<'_, Data> {
        lock(&self.data)
    }

    /// Adds a pull request.
    pub fn add(&self, pull_request: PullRequest) {
        self.data().pull_requests.insert(pull_request.number, (pull_request, Vec::new()));
    }

    /// Adds a review, a minute after the one before.
    ///
    /// # Panics
    /// If there is no such pull request.
    pub fn review(&self, number: u64, login: &str, state: &str, commit: &str) {
        let mut data = self.data();
        let (_, reviews) = data.pull_requests.get_mut(&number).expect("a pull request");
        let at = format!("2026-11-01T10:{:02}:00Z", reviews.len());
        reviews.push(json!({
            "user": {"login": login, "type": "User"}, "state": state, "commit_id": commit, "submitted_at": at,
        }));
    }

    /// Sets the label of a pull request at a time.
    pub fn label(&self, number: u64, login: &str, label: &str, at: &str) {
        self.issue_event(
            number,
            json!({
                "event": "labeled", "label": {"name": label}, "created_at": at,
                "actor": {"login": login, "type": "User"}, "performed_via_github_app": null,
            }),
        );
        self.data().issues.entry(number).or_default().labels.push(label.to_owned());
    }

    /// Adds an event of a pull request; its id is the next one.
    pub fn issue_event(&self, number: u64, mut event: Value) {
        let mut data = self.data();
        let events = &mut data.issues.entry(number).or_default().events;
        event["id"] = (events.len() + 1).into();
        events.push(event);
    }

    /// Makes somebody a member of a team `org/slug`, in a state: `active` or `pending`.
    pub fn member(&self, team: &str, login: &str, state: &'static str) {
        self.data().members.insert(format!("/orgs/{}/{login}", team.replacen('/', "/teams/", 1)), state);
    }

    /// Adds the decision of a reviewer about a deployment of every run: `approved` or `rejected`.
    pub fn deployment(&self, login: &str, environment: &str, state: &str) {
        let review =
            json!({"state": state, "user": {"login": login}, "environments": [{"name": environment}]});
        self.data().deployments.push(review);
    }

    /// From now on, requests for which this returns a response get it.
    pub fn set_fault(&self, fault: impl Fn(&str) -> Option<Response> + Send + Sync + 'static) {
        self.data().fault = Some(Box::new(fault));
    }

    /// The requests so far, `METHOD /path?query`.
    pub fn requests(&self) -> Vec<String> {
        self.data().requests.clone()
    }
}

impl Data {
    fn respond(&mut self, request: &str, body: &Value) -> Response {
        self.requests.push(request.to_owned());
        if let Some(response) = self.fault.as_ref().and_then(|fault| fault(request)) {
            return response;
        }
        let (method, target) = request.split_once(' ').unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let below = path.strip_prefix(&format!("/repos/{REPOSITORY}/")).unwrap_or_default();
        let parts: Vec<&str> = below.split('/').collect();
        let list = match (method, parts.as_slice()) {
            ("POST", [""]) if path == "/graphql" => return self.graphql(body),
            ("GET", ["commits", commit, "pulls"]) => self.pulls_of(commit),
            ("GET", ["pulls", number, "reviews"]) => number
                .parse()
                .ok()
                .and_then(|number| self.pull_requests.get(&number))
                .map(|(_, all)| all.clone()),
            ("GET", ["pulls", number]) => return self.pull(number.parse().unwrap_or_default()),
            ("GET", ["issues", number, "events"]) => {
                let issue = number.parse().ok().and_then(|number: u64| self.issues.get(&number));
                Some(issue.cloned().unwrap_or_default().events)
            }
            ("GET", ["actions", "runs", _, "approvals"]) => Some(self.deployments.clone()),
            ("GET", ["git", "trees", id]) => return self.tree(id),
            ("GET", _) if self.members.contains_key(&path.replace("/memberships/", "/")) => {
                let state = self.members[&path.replace("/memberships/", "/")];
                return (200, json!({"state": state, "role": "member"}), String::new());
            }
            _ => None,
        };
        match list {
            Some(list) => self.page(path, query, &list),
            None => not_found(),
        }
    }

    /// A page of a list, with the link to the next one.
    fn page(&self, path: &str, query: &str, list: &[Value]) -> Response {
        let number = query.split('&').find_map(|pair| pair.strip_prefix("page=")?.parse::<usize>().ok());
        let number = number.unwrap_or(1);
        let shown: Vec<Value> = list.iter().skip((number - 1) * PER_PAGE).take(PER_PAGE).cloned().collect();
        let link = match number * PER_PAGE < list.len() {
            true => format!("link: <{}{path}?page={}>; rel=\"next\"\r\n", self.api_url, number + 1),
            false => String::new(),
        };
        (200, Value::from(shown), link)
    }

    fn pull(&self, number: u64) -> Response {
        let Some((pull_request, _)) = self.pull_requests.get(&number) else { return not_found() };
        let issue = self.issues.get(&number).cloned().unwrap_or_default();
        let labels: Vec<Value> = issue.labels.iter().map(|label| json!({"name": label})).collect();
        let pull_request = json!({
            "number": number, "user": {"login": pull_request.opened_by}, "head": {"sha": pull_request.head},
            "base": {"ref": pull_request.base_branch},
            "state": if pull_request.merged_at.is_some() { "closed" } else { "open" },
            "labels": labels,
        });
        (200, pull_request, String::new())
    }

    fn pulls_of(&self, commit: &str) -> Option<Vec<Value>> {
        let brought = self.pull_requests.values().filter(|(pull_request, _)| {
            pull_request.head == commit || pull_request.merged_as.iter().any(|merged| merged == commit)
        });
        let describe = |(pull_request, _): &(PullRequest, Vec<Value>)| {
            json!({
                "number": pull_request.number,
                "merged_at": pull_request.merged_at,
                "user": {"login": pull_request.opened_by},
                "head": {"sha": pull_request.head},
                "base": {
                    "ref": pull_request.base_branch,
                    "repo": {"full_name": REPOSITORY, "default_branch": "main"},
                },
            })
        };
        Some(brought.map(describe).collect())
    }

    fn tree(&self, id: &str) -> Response {
        let Some(listed) = git(&self.git, &["ls-tree", "-z", id]) else { return not_found() };
        let entry = |line: &str| {
            let (fields, path) = line.split_once('\t')?;
            let fields: Vec<&str> = fields.split(' ').collect();
            Some(json!({"mode": fields[0], "type": fields[1], "sha": fields[2], "path": path}))
        };
        let entries: Vec<Value> = listed.split('\0').filter_map(entry).collect();
        (200, json!({"sha": id, "tree": entries, "truncated": false}), String::new())
    }

    /// The two queries that promptgate sends, told apart by their variables.
    fn graphql(&self, body: &Value) -> Response {
        let variables = &body["variables"];
        let data = if let Some(number) = variables["number"].as_u64() {
            let Some((pull_request, _)) = self.pull_requests.get(&number) else { return graphql_error() };
            let range = format!("{}..{}", pull_request.base, pull_request.head);
            let all = git(&self.git, &["rev-list", &range]).unwrap_or_default();
            let all: Vec<&str> = all.lines().collect();
            let start = variables["after"].as_str().and_then(|after| after.parse().ok()).unwrap_or(0);
            let shown = all.iter().skip(start).take(PER_PAGE);
            let nodes: Vec<Value> = shown.map(|commit| json!({"commit": self.people(commit)})).collect();
            let end = start + nodes.len();
            let page = json!({"hasNextPage": end < all.len(), "endCursor": end.to_string()});
            let commits = json!({"totalCount": all.len(), "pageInfo": page, "nodes": nodes});
            json!({"repository": {"pullRequest": {"commits": commits}}})
        } else {
            json!({"repository": {"object": self.people(variables["oid"].as_str().unwrap_or_default())}})
        };
        (200, json!({"data": data}), String::new())
    }

    fn people(&self, commit: &str) -> Value {
        let format = "--format=%H%n%an <%ae>%n%cn <%ce>%n%(trailers:key=Co-authored-by,valueonly)";
        let Some(text) = git(&self.git, &["log", "-1", format, commit]) else { return Value::Null };
        let lines: Vec<&str> = text.lines().collect();
        let authors: Vec<Value> =
            lines.iter().skip(1).take(1).chain(lines.iter().skip(3)).map(|text| person(text)).collect();
        json!({
            "oid": lines.first(),
            "authors": {"pageInfo": {"hasNextPage": false}, "nodes": authors},
            "committer": lines.get(2).map(|text| person(text)),
        })
    }
}

/// The person of `NAME <ADDRESS>`, with the account whose address it is.
fn person(text: &str) -> Value {
    let (name, email) = text.trim_end_matches('>').rsplit_once(" <").unwrap_or_default();
    let (local, host) = email.split_once('@').unwrap_or_default();
    let user = (host == "example.com").then(|| json!({"login": local}));
    json!({"name": name, "email": email, "user": user})
}

fn not_found() -> Response {
    (404, json!({"message": "Not Found"}), String::new())
}

fn graphql_error() -> Response {
    (
        200,
        json!({"data": null, "errors": [{"type": "NOT_FOUND", "message": "Could not resolve"}]}),
        String::new(),
    )
}

fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

fn lock(data: &Mutex<Data>) -> MutexGuard<'_, Data> {
    data.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(stream: &mut TcpStream) -> Option<(String, Value)> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    let head = String::from_utf8(head).ok()?;
    let lower = head.to_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    let mut words = head.split(' ');
    let request = format!("{} {}", words.next()?, words.next()?);
    Some((request, serde_json::from_slice(&body).unwrap_or_default()))
}

fn write(stream: &mut TcpStream, (status, body, headers): &Response) {
    let body = body.to_string();
    let length = body.len();
    // The client may be gone.
    let _ = write!(
        stream,
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
    );
}
