//! nginx as a reverse proxy, as it is usually configured: connections to the server are kept.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::process::Process;

const PLACES: [&str; 3] = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"];

/// Starts one before `server`, with everything it writes in `dir`. `None` where none is installed.
pub(crate) fn start(dir: &Path, server: SocketAddr) -> Result<Option<Process>, String> {
    let Some(program) = PLACES.iter().find(|place| Path::new(place).exists()) else { return Ok(None) };
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map_err(|e| e.to_string())?;
    let at = dir.display();
    let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
    let config = format!(
        "{user}
daemon off;
worker_processes auto;
worker_rlimit_nofile 20000;
pid {at}/nginx.pid;
error_log {at}/error.log;
events {{ worker_connections 10500; }}
http {{
    access_log off;
    client_body_temp_path {at}/body;
    proxy_temp_path {at}/proxy;
    fastcgi_temp_path {at}/fastcgi;
    uwsgi_temp_path {at}/uwsgi;
    scgi_temp_path {at}/scgi;
    keepalive_requests 10000000;
    upstream server {{ server {server}; keepalive 256; keepalive_requests 10000000; }}
    server {{
        listen {port} backlog=4096;
        location / {{
            proxy_pass http://server;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
        }}
    }}
}}
"
    );
    let file = dir.join("nginx.conf");
    std::fs::write(&file, config).map_err(|e| e.to_string())?;
    let mut command = Command::new(program);
    command.arg("-c").arg(&file).arg("-e").arg(dir.join("error.log"));
    Process::other(&mut command, port).map(Some).map_err(|why| format!("nginx: {why}"))
}
