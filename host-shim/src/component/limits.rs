//! How much one call may use: four clocks, memory, requests; and the accounts kept of it.
//!
//! | limit | what it counts | when it is used up |
//! | --- | --- | --- |
//! | guest time | the extension's own running, in processor time; not what the host does for it | the call is stopped |
//! | hook | the whole call, by the wall clock | no request leaves any more; whoever then goes on is stopped |
//! | request | one request | the sender's business: it is told a deadline that never lies beyond the hook's |
//! | memory | the extension's linear memories together | the call is stopped |
//!
//! Guest time is processor time, not wall time, so that a busy machine stops no honest extension.

use std::time::{Duration, Instant};

use wasmtime::ResourceLimiter;

use super::CallError;

/// How much one call may use. The defaults are the product's; tests shorten them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The extension's own running.
    pub guest_time: Duration,
    /// A whole hook, requests included.
    pub hook: Duration,
    /// One request, from the moment the extension asks for it.
    pub request: Duration,
    /// Requests in one hook.
    pub requests: u32,
    /// Checkpoints in one hook.
    pub saves: u32,
    /// Lines of log in one call.
    pub log_lines: u32,
    /// Linear memory in bytes.
    pub memory: usize,
    /// The extension's stack in bytes. Threads that call an extension need about 1 MiB more than that.
    pub stack: usize,
    /// What the extension may hand to the host at once, in bytes.
    pub handed_over: usize,
    /// Calls at the same time; more wait for a place.
    pub calls: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            guest_time: Duration::from_millis(250),
            hook: Duration::from_secs(60),
            request: Duration::from_secs(15),
            requests: 50,
            saves: 200,
            log_lines: 100,
            memory: 64 << 20,
            stack: 512 << 10,
            handed_over: 16 << 20,
            calls: 256,
        }
    }
}

/// The clocks of one call.
#[derive(Debug)]
pub(super) struct Clocks {
    guest_limit: Duration,
    request_limit: Duration,
    /// This thread's processor time when the call began.
    began: Duration,
    /// Processor time since then that went into the host's own work.
    host: Duration,
    hook_end: Instant,
}

impl Clocks {
    /// Starts them, on the thread that makes the call.
    pub(super) fn start(limits: &Limits) -> Self {
        Self {
            guest_limit: limits.guest_time,
            request_limit: limits.request,
            began: processor_time(),
            host: Duration::ZERO,
            hook_end: Instant::now() + limits.hook,
        }
    }

    /// Does the host's work, which is not the extension's time.
    pub(super) fn outside<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let before = processor_time();
        let value = work();
        self.host += processor_time().saturating_sub(before);
        value
    }

    /// How long the extension itself has been running.
    pub(super) fn guest_time(&self) -> Duration {
        processor_time().saturating_sub(self.began).saturating_sub(self.host)
    }

    /// When a request that begins now must be over; `None`: the hook is over already.
    pub(super) fn request_deadline(&self) -> Option<Instant> {
        let now = Instant::now();
        (now < self.hook_end).then(|| self.hook_end.min(now + self.request_limit))
    }

    /// Why the call has to be stopped, if it has to be.
    ///
    /// A hook that is over is given its guest time once more by the wall clock, to come to an orderly end: it has been told,
    /// by its last request, that the time is up.
    pub(super) fn check(&self) -> Result<(), CallError> {
        if self.guest_time() > self.guest_limit {
            return Err(CallError::OutOfTime(self.guest_limit));
        }
        if Instant::now() > self.hook_end + self.guest_limit {
            return Err(CallError::HookDeadline);
        }
        Ok(())
    }
}

/// Processor time of the calling thread.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The memory of one call.
#[derive(Debug)]
pub(super) struct Memory {
    limit: usize,
    used: usize,
    /// Whether the extension asked for more than it may have; it was stopped for it.
    pub(super) exceeded: bool,
}

/// Entries in one table: function pointers of the largest extension, with room.
pub(super) const TABLE_ENTRIES: usize = 20_000;

impl Memory {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { limit: limits.memory, used: 0, exceeded: false }
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        if used > self.limit {
            self.exceeded = true;
            return Err(wasmtime::Error::msg(format!("more than {} bytes of memory", self.limit)));
        }
        self.used = used;
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ENTRIES)
    }
}
