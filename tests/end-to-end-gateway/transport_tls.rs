//! TLS, towards clients and towards the server.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
};

use crate::in_process::{start, start_in, written};
use crate::wire::{Server, Wire};

/// An authority, and what it signs.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Writes a certificate for these names, and its key.
    fn sign(&self, names: &[&str], certificate: &Path, key: &Path) {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let pair = KeyPair::generate().unwrap();
        let signed = CertificateParams::new(names).unwrap().signed_by(&pair, &self.0).unwrap();
        std::fs::write(certificate, signed.pem()).unwrap();
        std::fs::write(key, pair.serialize_pem()).unwrap();
    }

    fn write(&self, file: &Path) {
        std::fs::write(file, self.0.pem()).unwrap();
    }
}

/// A client that trusts this authority alone.
fn client(address: SocketAddr, authority: &Authority) -> Wire<StreamOwned<ClientConnection, TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.0.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("calendar.example.org").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    Wire::over(StreamOwned::new(connection, TcpStream::connect(address).unwrap()))
}

fn server_config(certificate: &Path, key: &Path) -> Arc<ServerConfig> {
    let chain = CertificateDer::pem_file_iter(certificate).unwrap().map(Result::unwrap).collect();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key).unwrap());
    Arc::new(config.unwrap())
}

#[test]
fn tls_is_spoken_on_both_sides() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let (outer, inner) = (Authority::new("outer"), Authority::new("inner"));
    outer.sign(&["calendar.example.org"], &at("front.pem"), &at("front.key"));
    inner.sign(&["localhost"], &at("back.pem"), &at("back.key"));
    inner.write(&at("inner.pem"));
    let config = server_config(&at("back.pem"), &at("back.key"));
    let server = Server::start(move |_, wire| {
        let stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), wire.stream);
        let mut wire = Wire::over(stream);
        while let Some(head) = wire.head() {
            assert_eq!(head.value("x-forwarded-proto"), Some("https"));
            let body = wire.exactly(head.value("content-length").map_or(0, |length| length.parse().unwrap()));
            wire.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()));
            wire.send(body);
        }
    });
    let tls = format!("[tls]\ncertificate = {:?}\nkey = {:?}", at("front.pem"), at("front.key"));
    let ca = format!("upstream_ca_file = {:?}", at("inner.pem"));
    let port = server.address.port();
    let gateway = start(&format!("https://localhost:{port}"), &format!("{ca}\n{tls}"));
    let mut wire = client(gateway.address(), &outer);
    let much = "x".repeat(3 << 20);
    for body in ["", "abc", &much] {
        let (head, echoed) = wire.ask(format!(
            "REPORT /x HTTP/1.1\r\nHost: calendar.example.org\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        assert_eq!(head.status(), 200);
        assert!(echoed == body.as_bytes());
    }
    assert_eq!(server.connections(), 2, "connections with TLS are kept as well, for what may leave on them");
    // Somebody who does not speak TLS gets nothing.
    let mut plain = TcpStream::connect(gateway.address()).unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let mut said = Vec::new();
    let _ = plain.read_to_end(&mut said);
    assert!(!said.windows(4).any(|four| four == b"HTTP"), "{said:?}");
    drop(wire);
    gateway.stop();
    server.finished();
}

#[test]
fn a_server_that_is_somebody_else_is_told_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let (known, other) = (Authority::new("known"), Authority::new("other"));
    known.write(&at("known.pem"));
    for (authority, name) in [(&other, "localhost"), (&known, "elsewhere.example.org")] {
        authority.sign(&[name], &at("back.pem"), &at("back.key"));
        let config = server_config(&at("back.pem"), &at("back.key"));
        let server = Server::start(move |_, wire| {
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), wire.stream);
            let mut heard = Vec::new();
            let _ = stream.read_to_end(&mut heard);
            assert_eq!(heard, b"", "not one octet of a request");
        });
        let url = format!("https://localhost:{}", server.address.port());
        let gateway = start(&url, &format!("upstream_ca_file = {:?}", at("known.pem")));
        let (head, body) = Wire::to(gateway.address())
            .ask("PUT /x HTTP/1.1\r\nHost: h\r\nAuthorization: Basic YWxpY2U6c2VjcmV0\r\nContent-Length: 3\r\n\r\nabc");
        assert_eq!(head.status(), 502, "{}", String::from_utf8(body).unwrap());
        gateway.stop();
        server.finished();
    }
}

#[test]
fn a_new_certificate_is_used_from_the_next_connection_on() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::echo();
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let (certificate, key) = (dir.path().join("front.pem"), dir.path().join("front.key"));
    old.sign(&["calendar.example.org"], &certificate, &key);
    let tls = format!("[tls]\ncertificate = {certificate:?}\nkey = {key:?}");
    let gateway = start_in(dir, &server.url(), &tls);
    let asks = |authority: &Authority| {
        client(gateway.address(), authority).ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").0.status()
    };
    let mut lasting = client(gateway.address(), &old);
    assert_eq!(lasting.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").0.status(), 200);
    // One file after the other: in between they do not go together, and the former pair stays.
    let next = gateway.dir().join("next.key");
    new.sign(&["calendar.example.org"], &gateway.dir().join("next.pem"), &next);
    std::fs::rename(gateway.dir().join("next.pem"), &certificate).unwrap();
    assert_eq!(asks(&old), 200);
    std::fs::rename(&next, &key).unwrap();
    assert_eq!(asks(&new), 200);
    assert_eq!(lasting.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").0.status(), 200, "who is in stays in");
    // Rubbish is not taken.
    std::fs::write(&certificate, "rubbish").unwrap();
    assert_eq!(asks(&new), 200);
}

#[test]
fn what_cannot_be_used_is_said_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let authority = Authority::new("x");
    authority.sign(&["calendar.example.org"], &at("a.pem"), &at("a.key"));
    authority.sign(&["calendar.example.org"], &at("b.pem"), &at("b.key"));
    for (certificate, key, says) in [
        ("missing.pem", "a.key", "missing.pem` cannot be read"),
        ("a.pem", "missing.key", "missing.key` cannot be read"),
        ("a.key", "a.key", "holds no certificate"),
        ("a.pem", "b.key", "does not go with the certificate"),
    ] {
        let tls = format!("[tls]\ncertificate = {:?}\nkey = {:?}", at(certificate), at(key));
        let file = written(dir.path(), "http://127.0.0.1:1", &tls);
        let config = host_shim::doors::gateway::config::GatewayConfig::read(&file).unwrap();
        let error = host_shim::doors::gateway::Gateway::open(config).err().unwrap().to_string();
        assert!(error.contains(says), "{error}");
    }
    let file = written(dir.path(), "https://127.0.0.1:1", &format!("upstream_ca_file = {:?}", at("a.key")));
    let config = host_shim::doors::gateway::config::GatewayConfig::read(&file).unwrap();
    let error = host_shim::doors::gateway::Gateway::open(config).err().unwrap().to_string();
    assert!(error.contains("holds no certificate"), "{error}");
}
