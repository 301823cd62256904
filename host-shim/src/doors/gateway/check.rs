//! `teams-mirror gateway --check`: what holds, what does not, and what to do about it.

use std::sync::Arc;

use super::calendar;
use super::config::{GatewayConfig, Origin};
use super::upstream::Upstream;
use super::{GatewayError, health, tls, watch};
use crate::config::Endpoint;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether it is as it has to be.
    pub holds: bool,
    /// A sentence; where it does not hold, with what to do.
    pub says: String,
}

impl Finding {
    /// It is as it has to be, or good to know.
    pub fn remark(says: impl Into<String>) -> Self {
        Self { holds: true, says: says.into() }
    }

    /// It is not as it has to be.
    pub fn problem(says: impl Into<String>) -> Self {
        Self { holds: false, says: says.into() }
    }
}

/// Looks at everything the configuration names, and asks the server and the hook. Changes nothing.
///
/// # Errors
/// Where the machine gives no threads.
pub fn check(config: GatewayConfig) -> Result<Vec<Finding>, GatewayError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| GatewayError(format!("the machine gives no threads: {e}")))?;
    Ok(runtime.block_on(look(Arc::new(config))))
}

async fn look(config: Arc<GatewayConfig>) -> Vec<Finding> {
    let mut found = vec![own_door(&config)];
    let upstream = match Upstream::new(&config.upstream, config.upstream_ca_file.as_deref(), &config.limits()) {
        Ok(upstream) => upstream,
        Err(why) => {
            found.push(Finding::problem(format!("`upstream`: {why}")));
            return found;
        }
    };
    found.push(match health::asked(&upstream).await {
        Ok(said) => Finding::remark(server(&config, &said)),
        Err(why) => Finding::problem(format!(
            "the server at `{}` does not answer: {why}; start it, or correct `upstream`",
            config.upstream
        )),
    });
    if let Origin::Tcp { tls: false, .. } = config.upstream
        && !config.upstream.is_local()
    {
        found.push(Finding::problem(format!(
            "`upstream` is `{}`: users' passwords cross the network readable; use `https`, or have the gateway on the server's \
             machine",
            config.upstream
        )));
    }
    found.extend(calendar::check::findings(&config).await);
    found.push(watch::check(&config, &upstream).await);
    found
}

fn own_door(config: &GatewayConfig) -> Finding {
    let listen = String::from(config.listen.clone());
    match &config.tls {
        Some(files) => match tls::look(files) {
            Ok(()) => Finding::remark(format!(
                "clients come in at `{listen}` by TLS, with the certificate `{}`",
                files.certificate.display()
            )),
            Err(why) => Finding::problem(format!("`[tls]`: {why}")),
        },
        None => match &config.listen {
            Endpoint::Tcp(address) if !address.ip().is_loopback() => Finding::problem(format!(
                "`listen` is `{listen}` without `[tls]`: users' passwords cross the network readable; name a certificate and its \
                 key in `[tls]`, or listen on `127.0.0.1` behind a reverse proxy that ends TLS"
            )),
            _ => Finding::remark(format!("clients come in at `{listen}`, through the reverse proxy that ends TLS")),
        },
    }
}

fn server(config: &GatewayConfig, said: &hyper::Response<bytes::Bytes>) -> String {
    let header = |name| said.headers().get(name).and_then(|value: &hyper::header::HeaderValue| value.to_str().ok());
    let named = header("server").map(|name| format!(" ({name})")).unwrap_or_default();
    let calendars = match header("dav") {
        Some(dav) if dav.split(',').any(|class| class.trim() == "calendar-access") => "; it has calendars",
        // Many servers say what they are only below the paths of their calendars, or to those who have logged in.
        _ => "; whether it has calendars it tells only to those who log in",
    };
    format!("the server at `{}` answers with {}{named}{calendars}", config.upstream, said.status().as_u16())
}
