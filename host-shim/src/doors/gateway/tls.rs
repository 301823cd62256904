//! TLS, towards clients and towards the server.

use std::fs::Metadata;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::config::Tls;

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// How a server's certificate is checked: by the authorities in `ca_file`, without it by the system's.
///
/// # Errors
/// Where there are none, in a sentence.
pub(super) fn client(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = ca_file {
        for certificate in certificates(file)? {
            roots
                .add(certificate)
                .map_err(|e| format!("`{}` holds a certificate that cannot be used: {e}", file.display()))?;
        }
    } else {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            return Err(
                "this machine has no certificate authorities; install them (Debian: `ca-certificates`), or name a file"
                    .into(),
            );
        }
    }
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|e| format!("TLS cannot be used: {e}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let err = |e: &dyn std::fmt::Display| format!("the certificate file `{}` cannot be read: {e}", file.display());
    let found: Vec<_> =
        CertificateDer::pem_file_iter(file).map_err(|e| err(&e))?.collect::<Result<_, _>>().map_err(|e| err(&e))?;
    if found.is_empty() {
        return Err(format!(
            "`{}` holds no certificate; it is to be a PEM file (`-----BEGIN CERTIFICATE-----`)",
            file.display()
        ));
    }
    Ok(found)
}

/// The gateway's own certificate, read again when its files change.
pub(super) fn server(files: &Tls) -> Result<Arc<ServerConfig>, String> {
    let certificate = OwnCertificate::read(files)?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|e| format!("TLS cannot be used: {e}"))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(certificate));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// What tells one state of a file from the next.
type Stamp = (Option<SystemTime>, u64, u64);

#[derive(Debug)]
struct OwnCertificate {
    files: Tls,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    key: Arc<CertifiedKey>,
    /// The files as they were looked at last, whether they could be used or not.
    stamps: [Option<Stamp>; 2],
}

fn stamp(file: &Path) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt as _;
    let known: Metadata = std::fs::metadata(file).ok()?;
    Some((known.modified().ok(), known.len(), known.ino()))
}

impl OwnCertificate {
    fn read(files: &Tls) -> Result<Self, String> {
        let stamps = [stamp(&files.certificate), stamp(&files.key)];
        let key = Arc::new(load(files)?);
        Ok(Self { files: files.clone(), current: Mutex::new(Current { key, stamps }) })
    }
}

fn load(files: &Tls) -> Result<CertifiedKey, String> {
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|e| format!("the key file `{}` cannot be read: {e}", files.key.display()))?;
    CertifiedKey::from_der(chain, key, &provider()).map_err(|e| {
        format!(
            "the key in `{}` does not go with the certificate in `{}`: {e}",
            files.key.display(),
            files.certificate.display()
        )
    })
}

impl ResolvesServerCert for OwnCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = [stamp(&self.files.certificate), stamp(&self.files.key)];
        if stamps != current.stamps {
            current.stamps = stamps;
            match load(&self.files) {
                Ok(key) => {
                    current.key = Arc::new(key);
                    tracing::info!("the certificate `{}` was read again", self.files.certificate.display());
                }
                // Half of a pair may have been replaced; the other half follows and is looked at then.
                Err(error) => tracing::warn!("the former certificate stays in use: {error}"),
            }
        }
        Some(Arc::clone(&current.key))
    }
}

/// Whether the files can be used.
///
/// # Errors
/// With what is wrong, in a sentence.
pub(super) fn look(files: &Tls) -> Result<(), String> {
    load(files).map(drop)
}
