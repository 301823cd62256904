//! Connecting: TCP, TLS, Unix socket.

use std::io;
use std::path::{Path, PathBuf};

use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::doors::gateway::config::Origin;
use crate::doors::gateway::tls;
use crate::listen::Stream;

/// How a server is connected to.
pub(super) enum Connector {
    Tcp { host: String, port: u16, tls: Option<(TlsConnector, ServerName<'static>)> },
    Unix(PathBuf),
}

impl Connector {
    /// # Errors
    /// Where the authorities cannot be read, in a sentence.
    pub(super) fn new(origin: &Origin, ca_file: Option<&Path>) -> Result<Self, String> {
        Ok(match origin {
            Origin::Unix(path) => Self::Unix(path.clone()),
            Origin::Tcp { tls, host, port } => {
                let tls = if *tls {
                    let name = ServerName::try_from(host.clone())
                        .map_err(|_| format!("`{host}` is no name a certificate can have"))?;
                    Some((TlsConnector::from(tls::client(ca_file)?), name))
                } else {
                    None
                };
                Self::Tcp { host: host.clone(), port: *port, tls }
            }
        })
    }

    pub(super) async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        match self {
            Self::Unix(path) => Ok(Box::new(UnixStream::connect(path).await?)),
            Self::Tcp { host, port, tls } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                let stream: Box<dyn Stream> = match tls {
                    None => Box::new(stream),
                    Some((connector, name)) => Box::new(connector.connect(name.clone(), stream).await?),
                };
                Ok(stream)
            }
        }
    }
}
