//! An nginx for one test: two local origins and a log of requests with their keys.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::prepared::{self, free_port, until};
use crate::support::{Folder, KEY, Outcome};

/// The attempts to start, as another process may take a free port first.
const MAX_STARTS: u32 = 5;

/// A running nginx; killed when dropped.
pub(crate) struct Nginx {
    child: Child,
    folder: tempfile::TempDir,
    /// The port of the site under test.
    pub(crate) port: u16,
    /// The port of another origin, which responds to every request.
    pub(crate) elsewhere: u16,
}

/// A line of nginx's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoggedRequest {
    pub(crate) port: u16,
    pub(crate) status: u16,
    pub(crate) path: String,
    pub(crate) authorization: String,
    /// The content encoding of the response.
    pub(crate) encoding: String,
    /// The number of its connection.
    pub(crate) connection: u64,
}

/// The ports of the site under test and of the other origin.
pub(crate) struct Ports {
    pub(crate) here: u16,
    pub(crate) elsewhere: u16,
}

impl Nginx {
    /// Starts nginx with a site: the lines within `server { … }`, without `listen`. Returns `None` if nginx is not
    /// installed.
    pub(crate) fn start(site: impl Fn(&Ports) -> String) -> Option<Self> {
        Self::listening("", "", site)
    }

    /// As [`Self::start`], with options of `listen` and with lines outside of `server`.
    pub(crate) fn listening(options: &str, outside: &str, site: impl Fn(&Ports) -> String) -> Option<Self> {
        let binary = prepared::folder("nginx")?.join("nginx");
        let folder = tempfile::tempdir().expect("a folder");
        for _ in 0..MAX_STARTS {
            let ports = Ports { here: free_port(), elsewhere: free_port() };
            let text = configuration(folder.path(), &ports, options, outside, &site(&ports));
            std::fs::write(folder.path().join("nginx.conf"), text).expect("a configuration");
            let mut child = spawn(&binary, folder.path());
            if is_up(&mut child, &ports) {
                return Some(Self { child, folder, port: ports.here, elsewhere: ports.elsewhere });
            }
        }
        panic!("nginx does not start:\n{}", read(&folder.path().join("error.log")));
    }

    /// `http://127.0.0.1:PORT/v1`.
    pub(crate) fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// Runs promptgate against the site, with a key.
    pub(crate) fn run(&self, folder: &Folder, arguments: &[&str]) -> Outcome {
        folder.against(&self.base_url(), arguments)
    }

    /// All requests so far. A single process logs them in sequence, so once the final one sent here is in the log, all
    /// others are.
    pub(crate) fn requests(&self) -> Vec<LoggedRequest> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.elsewhere)).expect("a connection");
        let path = format!("/final-request-{}", rand::random::<u64>());
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("a request");
        stream.read_to_end(&mut Vec::new()).expect("an answer");
        let logged = until("the log", || {
            let logged = read_log(&self.folder.path().join("seen.log"));
            logged.iter().any(|request| request.path == path).then_some(logged)
        });
        logged.into_iter().filter(|seen| !seen.path.starts_with("/final-request-")).collect()
    }

    /// The requests to the site under test.
    pub(crate) fn site_requests(&self) -> Vec<LoggedRequest> {
        self.requests().into_iter().filter(|request| request.port == self.port).collect()
    }

    /// Asserts that the other origin received no request, and that the log records keys.
    #[track_caller]
    pub(crate) fn assert_key_stayed(&self) {
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            self.requests().into_iter().partition(|request| request.port == self.port);
        assert!(here.iter().any(|request| request.authorization == format!("Bearer {KEY}")), "{here:?}");
        assert_eq!(elsewhere, []);
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(folder: &Path, ports: &Ports, options: &str, outside: &str, site: &str) -> String {
    let folder = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("    {name}_temp_path {folder}/{name};\n"))
        .collect();
    let Ports { here, elsewhere } = ports;
    format!(
        "daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\n\
         events {{ worker_connections 256; }}\n\
         http {{\n\
         {temporary}    \
         log_format seen '$server_port|$status|$request_uri|$http_authorization|$sent_http_content_encoding|$connection';\n    \
         access_log {folder}/seen.log seen;\n    \
         proxy_http_version 1.1;\n    proxy_set_header Connection '';\n    \
         {outside}\n    \
         server {{\n        listen 127.0.0.1:{here} {options};\n        {site}\n    }}\n    \
         server {{\n        listen 127.0.0.1:{elsewhere};\n        location / {{ return 200 '{{}}'; }}\n    }}\n\
         }}\n"
    )
}

fn spawn(binary: &PathBuf, folder: &Path) -> Child {
    Command::new(binary)
        .args(["-p", &folder.display().to_string(), "-c", "nginx.conf", "-e", "error.log"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("nginx runs")
}

/// Whether both ports accept connections; `false` if nginx exited, as it does if a port is taken.
fn is_up(child: &mut Child, ports: &Ports) -> bool {
    until("nginx", || {
        if child.try_wait().expect("a child").is_some() {
            return Some(false);
        }
        let open = |port| TcpStream::connect(("127.0.0.1", port)).is_ok();
        (open(ports.here) && open(ports.elsewhere)).then_some(true)
    })
}

fn read_log(path: &Path) -> Vec<LoggedRequest> {
    let text = read(path);
    // The last line may be incomplete.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<LoggedRequest> {
    let fields: Vec<&str> = line.split('|').collect();
    let [port, status, path, authorization, encoding, connection] = fields[..] else {
        panic!("unexpected line of the log: {line:?}");
    };
    // A connection without a request, from the check that the port is open.
    (!path.is_empty()).then(|| LoggedRequest {
        port: port.parse().expect("a port"),
        status: status.parse().expect("a status"),
        path: path.to_owned(),
        authorization: authorization.to_owned(),
        encoding: encoding.to_owned(),
        connection: connection.parse().expect("a number"),
    })
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
