//! Trusted certificates.

use reqwest::{Certificate, Client, ClientBuilder};

use super::address::BaseUrl;
use super::error::SettingNames;
use promptgate_core::model::{Diagnostic, Place};
use promptgate_core::text::root_cause;

/// Builds a client that trusts the system's roots and the certificates in `ca_cert` (PEM).
pub(super) fn build(
    builder: impl Fn() -> ClientBuilder,
    ca_cert: Option<&[u8]>,
    base: &BaseUrl,
    names: &SettingNames,
) -> Result<Client, Diagnostic> {
    // An error means that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let extra = ca_cert.map(|pem| certificates(pem, names)).transpose()?.unwrap_or_default();
    let without_roots = || builder().tls_certs_only(extra.iter().cloned()).build();
    let client = if !base.is_encrypted() && base.is_loopback() {
        // Neither the server nor a proxy uses TLS, so the system's roots need not be read.
        without_roots()
    } else {
        match builder().tls_certs_merge(extra.iter().cloned()).build() {
            // A minimal container without roots can still reach a plain server.
            Err(_) if !base.is_encrypted() => without_roots(),
            other => other,
        }
    };
    client.map_err(|error| {
        let install = "install the system's certificates (package ca-certificates)";
        let help =
            names.ca_cert.map_or_else(|| install.to_owned(), |name| format!("{install}, or set {name}"));
        let message = format!("cannot create a client for {}: {}", base.authority(), root_cause(&error));
        Diagnostic::new(message).at(Place::file(names.url)).help(help)
    })
}

fn certificates(pem: &[u8], names: &SettingNames) -> Result<Vec<Certificate>, Diagnostic> {
    let invalid = |message: String| {
        Diagnostic::new(message)
            .at(Place::file(names.ca_cert.unwrap_or(names.url)))
            .help("expected a PEM file: -----BEGIN CERTIFICATE----- …")
    };
    let certificates = Certificate::from_pem_bundle(pem)
        .map_err(|error| invalid(format!("the file has no usable certificate: {}", root_cause(&error))))?;
    if certificates.is_empty() {
        return Err(invalid("the file has no certificate".to_owned()));
    }
    Ok(certificates)
}
