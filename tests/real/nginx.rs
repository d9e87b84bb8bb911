//! An nginx of a test's own: two origins on this machine, and a log of what came and with which key.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::prepared::{self, free_port, until};
use crate::support::{Folder, KEY, Outcome};

/// Starts that may meet a port which somebody else took in between.
const STARTS: u32 = 5;

/// A running nginx; killed when dropped.
pub(crate) struct Nginx {
    child: Child,
    folder: tempfile::TempDir,
    /// The port of the site under test.
    pub(crate) port: u16,
    /// The port of another origin, which answers everything.
    pub(crate) elsewhere: u16,
}

/// What nginx saw of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) port: u16,
    pub(crate) status: u16,
    pub(crate) path: String,
    pub(crate) authorization: String,
    /// The encoding of the answer.
    pub(crate) encoding: String,
    /// The number of the connection that it came on.
    pub(crate) connection: u64,
}

/// Where the site under test may point to.
pub(crate) struct Ports {
    pub(crate) here: u16,
    pub(crate) elsewhere: u16,
}

impl Nginx {
    /// Starts one whose site is written by the function: the lines within `server { … }`, without `listen`. `None`
    /// where there is no nginx.
    pub(crate) fn start(site: impl Fn(&Ports) -> String) -> Option<Self> {
        Self::listening("", "", site)
    }

    /// The same with words behind the port in `listen`, and with lines outside of `server`.
    pub(crate) fn listening(options: &str, outside: &str, site: impl Fn(&Ports) -> String) -> Option<Self> {
        let binary = prepared::folder("nginx")?.join("nginx");
        let folder = tempfile::tempdir().expect("a folder");
        for _ in 0..STARTS {
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

    /// Runs promptgate against it, with a key.
    pub(crate) fn run(&self, folder: &Folder, arguments: &[&str]) -> Outcome {
        folder.against(&self.base_url(), arguments)
    }

    /// All requests until now. One process serves and logs them one after the other: when the last one, which is
    /// sent here, stands in the log, all others do.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.elsewhere)).expect("a connection");
        let path = format!("/the-last-{}", rand::random::<u64>());
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("a request");
        stream.read_to_end(&mut Vec::new()).expect("an answer");
        let all = until("the log", || {
            let all = log(&self.folder.path().join("seen.log"));
            all.iter().any(|seen| seen.path == path).then_some(all)
        });
        all.into_iter().filter(|seen| !seen.path.starts_with("/the-last-")).collect()
    }

    /// Requests that came to the site under test.
    pub(crate) fn seen_here(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.port == self.port).collect()
    }

    /// Asserts that the other origin was not called at all, and that the log would have shown a key.
    #[track_caller]
    pub(crate) fn assert_key_stayed(&self) {
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            self.seen().into_iter().partition(|seen| seen.port == self.port);
        assert!(here.iter().any(|seen| seen.authorization == format!("Bearer {KEY}")), "{here:?}");
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

/// Whether both ports answer; not, if it ended, as it does when a port is taken.
fn is_up(child: &mut Child, ports: &Ports) -> bool {
    until("nginx", || {
        if child.try_wait().expect("a child").is_some() {
            return Some(false);
        }
        let open = |port| TcpStream::connect(("127.0.0.1", port)).is_ok();
        (open(ports.here) && open(ports.elsewhere)).then_some(true)
    })
}

fn log(path: &Path) -> Vec<Seen> {
    let text = read(path);
    // The last line may still be in the making.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().filter_map(seen).collect()
}

fn seen(line: &str) -> Option<Seen> {
    let fields: Vec<&str> = line.split('|').collect();
    let [port, status, path, authorization, encoding, connection] = fields[..] else {
        panic!("a line of the log: {line:?}");
    };
    // A look whether the port is open is no request.
    (!path.is_empty()).then(|| Seen {
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
