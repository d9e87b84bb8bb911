//! TLS by nginx, with a certificate authority for the test.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};

use crate::nginx::Nginx;
use crate::prepared::ExpectText as _;
use crate::support::{Folder, MockServer};

/// Without the cache, so that every judgement is a separate call.
const ONCE: [&str; 4] = ["run", "--no-cache", "--repeats", "1"];

/// A certificate authority and a certificate issued by it.
struct Issued {
    authority: String,
    folder: tempfile::TempDir,
}

impl Issued {
    fn new(names: &[&str], expired: bool) -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(parameters, key).expect("an authority");
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut parameters = CertificateParams::new(names).expect("names");
        if expired {
            parameters.not_before = date_time_ymd(2019, 1, 1);
            parameters.not_after = date_time_ymd(2020, 1, 1);
        }
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.signed_by(&key, &authority).expect("a certificate");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("server.pem"), certificate.pem()).expect("a file");
        std::fs::write(folder.path().join("key.pem"), key.serialize_pem()).expect("a file");
        Self { authority: authority.pem(), folder }
    }

    /// Starts nginx with this certificate in front of a mock server.
    fn nginx(&self, mock: &MockServer) -> Option<Nginx> {
        let folder = self.folder.path().display();
        Nginx::listening("ssl http2", "", |_| {
            format!(
                "ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/key.pem; \
                 location / {{ proxy_pass {}; }}",
                mock.base_url.trim_end_matches("/v1")
            )
        })
    }

    /// A suite that trusts the authority.
    fn trusting(&self) -> Folder {
        let folder = Folder::small(3).without_self_test();
        folder.write("authority.pem", &self.authority);
        folder.edit("promptgate.yaml", "timeout: 5s", "ca_cert: authority.pem, timeout: 5s");
        folder
    }
}

#[test]
fn configured_ca_is_trusted() {
    let issued = Issued::new(&["localhost", "127.0.0.1"], false);
    let mock = MockServer::start(&[]);
    let Some(nginx) = issued.nginx(&mock) else { return };
    for host in ["localhost", "127.0.0.1"] {
        let base_url = format!("https://{host}:{}/v1", nginx.port);
        let code = issued.trusting().against(&base_url, &ONCE).code;
        assert!([0, 11].contains(&code), "{host}: {code}");
    }
    assert_eq!(nginx.site_requests().len(), 2 * 18);
}

#[test]
fn untrusted_certificate_is_named_and_nothing_sent() {
    let issued = Issued::new(&["localhost"], false);
    let mock = MockServer::start(&[]);
    let Some(nginx) = issued.nginx(&mock) else { return };
    Folder::small(3)
        .against(&format!("https://localhost:{}/v1", nginx.port), &ONCE)
        .expect_code(12)
        .expect_text("the server's certificate was not accepted")
        .expect_text("endpoint.ca_cert");
    assert_eq!(nginx.site_requests(), []);
}

#[test]
fn wrong_name_or_expired_certificate_is_refused() {
    let mock = MockServer::start(&[]);
    for (names, expired, word) in
        [(["elsewhere.example"], false, "not valid for"), (["localhost"], true, "expired")]
    {
        let issued = Issued::new(&names, expired);
        let Some(nginx) = issued.nginx(&mock) else { return };
        issued
            .trusting()
            .against(&format!("https://localhost:{}/v1", nginx.port), &ONCE)
            .expect_code(12)
            .expect_text("the server's certificate was not accepted")
            .expect_text(word);
        assert_eq!(nginx.site_requests(), []);
    }
}

#[test]
fn wrong_scheme_is_named() {
    let issued = Issued::new(&["localhost"], false);
    let mock = MockServer::start(&[]);
    let Some(encrypted) = issued.nginx(&mock) else { return };
    encrypted
        .run(&Folder::small(3), &ONCE)
        .expect_code(12)
        .expect_text("400 Bad Request: an HTML page")
        .expect_text("The plain HTTP request was sent to HTTPS port");
    let Some(plain) = Nginx::start(|_| "return 204;".to_owned()) else { return };
    issued
        .trusting()
        .against(&format!("https://localhost:{}/v1", plain.port), &ONCE)
        .expect_code(12)
        .expect_text("does the server speak https on this port?");
}
