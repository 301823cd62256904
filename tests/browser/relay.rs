//! A wire between the webmail and the hook API that can be cut.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Wire {
    cut: bool,
    open: Vec<TcpStream>,
}

/// Passes connections on, as long as it is not cut.
pub struct Relay {
    wire: Arc<Mutex<Wire>>,
    address: SocketAddr,
}

impl Relay {
    pub fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let wire = Arc::new(Mutex::new(Wire::default()));
        let shared = Arc::clone(&wire);
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let mut wire = shared.lock().unwrap();
                // Whoever connects while it is cut sees the connection closed at once.
                let Some(far) = (!wire.cut).then(|| TcpStream::connect(target).ok()).flatten() else { continue };
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    wire.open.push(from.try_clone().unwrap());
                    std::thread::spawn(move || pass_on(from, to));
                }
            }
        });
        Self { wire, address }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Cuts every connection, and refuses new ones.
    pub fn cut(&self) {
        let mut wire = self.wire.lock().unwrap();
        wire.cut = true;
        for stream in wire.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Passes on again.
    pub fn mend(&self) {
        self.wire.lock().unwrap().cut = false;
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
