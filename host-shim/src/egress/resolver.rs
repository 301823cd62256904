//! Names to addresses, remembered for a minute: ureq's own resolver starts a thread for each request.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ArrayVec, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::address_guard::is_public;

const FOUND_FOR: Duration = Duration::from_secs(60);
const MISSING_FOR: Duration = Duration::from_secs(5);
/// Names come from connectors only, so there are few; more than this is a mistake that must not eat memory.
const MOST_NAMES: usize = 1_024;

/// How a name is looked up; another one in tests.
pub(super) type Lookup = dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// A name leads to where requests must not go.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` resolves to an address that is not public, which is refused")]
pub(super) struct NotPublic(pub(super) String);

enum Known {
    /// A thread is looking it up.
    Asked,
    Found(Vec<SocketAddr>, Instant),
    Missing(String, Instant),
}

/// The names known so far; shared by all agents.
#[derive(Clone)]
pub(super) struct Names(Arc<Inner>);

struct Inner {
    known: Mutex<HashMap<(String, u16), Known>>,
    answered: Condvar,
    lookup: Box<Lookup>,
}

impl Names {
    pub(super) fn of_the_system() -> Self {
        Self::looked_up_by(Box::new(|host, port| Ok((host, port).to_socket_addrs()?.collect())))
    }

    pub(super) fn looked_up_by(lookup: Box<Lookup>) -> Self {
        Self(Arc::new(Inner { known: Mutex::default(), answered: Condvar::new(), lookup }))
    }

    /// The addresses of a name, at the latest after `timeout`.
    fn addresses(&self, host: &str, port: u16, timeout: Duration) -> Result<Vec<SocketAddr>, Missing> {
        let deadline = Instant::now().checked_add(timeout);
        let key = (host.to_owned(), port);
        let mut known = lock(&self.0.known);
        loop {
            let now = Instant::now();
            match known.get(&key) {
                Some(Known::Found(addresses, until)) if *until > now => return Ok(addresses.clone()),
                Some(Known::Missing(why, until)) if *until > now => return Err(Missing::No(why.clone())),
                Some(Known::Asked) => {}
                _ => {
                    if known.len() >= MOST_NAMES {
                        known.retain(|_, entry| matches!(entry, Known::Asked));
                    }
                    self.ask(&key).map_err(|e| Missing::No(e.to_string()))?;
                    known.insert(key.clone(), Known::Asked);
                }
            }
            let left = deadline.map_or(Duration::from_secs(60), |d| d.saturating_duration_since(now));
            if left.is_zero() {
                return Err(Missing::TooSlow);
            }
            known = self.0.answered.wait_timeout(known, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The system's lookup cannot be given a deadline, so it runs apart; one per name, however many wait for it.
    fn ask(&self, key: &(String, u16)) -> io::Result<()> {
        let (names, key) = (self.clone(), key.clone());
        std::thread::Builder::new().name("resolve".into()).spawn(move || {
            let found = (names.0.lookup)(&key.0, key.1);
            let now = Instant::now();
            let until = |ttl| now.checked_add(ttl).unwrap_or(now);
            let entry = match found {
                Ok(addresses) if !addresses.is_empty() => Known::Found(addresses, until(FOUND_FOR)),
                Ok(_) => Known::Missing("the name has no address".into(), until(MISSING_FOR)),
                Err(e) => Known::Missing(e.to_string(), until(MISSING_FOR)),
            };
            lock(&names.0.known).insert(key, entry);
            names.0.answered.notify_all();
        })?;
        Ok(())
    }
}

enum Missing {
    No(String),
    TooSlow,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The resolver of one connector's agent.
pub(super) struct GuardedResolver {
    pub(super) names: Names,
    /// The connector's proxy, which the administrator named and which may be inside.
    pub(super) proxy: Option<(String, u16)>,
}

impl fmt::Debug for GuardedResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedResolver").finish_non_exhaustive()
    }
}

impl Resolver for GuardedResolver {
    fn resolve(&self, uri: &Uri, _: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().ok_or(ureq::Error::HostNotFound)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
        let addresses = match bare.parse() {
            Ok(literal) => vec![SocketAddr::new(literal, port)],
            Err(_) => self.names.addresses(host, port, *timeout.after).map_err(|missing| match missing {
                Missing::No(why) => ureq::Error::Io(io::Error::new(io::ErrorKind::NotFound, why)),
                Missing::TooSlow => ureq::Error::Timeout(timeout.reason),
            })?,
        };
        let trusted =
            super::is_literal_loopback(host) || self.proxy.as_ref().is_some_and(|(h, p)| h == host && *p == port);
        let mut allowed = ArrayVec::from_fn(|_| SocketAddr::from(([0, 0, 0, 0], 0)));
        for address in addresses.into_iter().filter(|a| trusted || is_public(a.ip())) {
            if allowed.try_push(address).is_err() {
                break;
            }
        }
        if allowed.is_empty() {
            let refused = NotPublic(host.to_owned());
            return Err(ureq::Error::Io(io::Error::new(io::ErrorKind::PermissionDenied, refused)));
        }
        Ok(allowed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn counted(answer: impl Fn() -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static) -> (Names, Arc<AtomicUsize>) {
        let count = Arc::new(AtomicUsize::new(0));
        let counter = count.clone();
        let names = Names::looked_up_by(Box::new(move |_, _| {
            counter.fetch_add(1, Ordering::SeqCst);
            answer()
        }));
        (names, count)
    }

    #[test]
    fn one_lookup_serves_all_who_wait_and_is_remembered() {
        let (names, count) = counted(|| {
            std::thread::sleep(Duration::from_millis(50));
            Ok(vec!["20.190.128.1:443".parse().unwrap()])
        });
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| assert!(names.addresses("x.example", 443, Duration::from_secs(5)).is_ok()));
            }
        });
        assert_eq!(count.load(Ordering::SeqCst), 1);
        assert!(names.addresses("x.example", 443, Duration::ZERO).is_ok());
        assert!(names.addresses("y.example", 443, Duration::from_secs(5)).is_ok());
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_missing_name_is_remembered_for_a_while() {
        let (names, count) = counted(|| Err(io::Error::other("no such name")));
        for _ in 0..3 {
            let missing = names.addresses("x.example", 443, Duration::from_secs(5));
            assert!(matches!(missing, Err(Missing::No(why)) if why == "no such name"));
        }
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_stalled_lookup_holds_nobody_beyond_the_deadline() {
        let (names, count) = counted(|| {
            std::thread::sleep(Duration::from_secs(2));
            Ok(Vec::new())
        });
        let begun = Instant::now();
        for _ in 0..3 {
            assert!(matches!(names.addresses("x.example", 443, Duration::from_millis(30)), Err(Missing::TooSlow)));
        }
        assert!(begun.elapsed() < Duration::from_secs(1));
        assert_eq!(count.load(Ordering::SeqCst), 1, "the stalled lookup is not asked again");
    }
}
