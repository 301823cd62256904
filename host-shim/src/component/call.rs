//! What the host knows of one call while it runs, and through which everything the extension asks for goes.

use std::sync::Arc;

use wasmtime::{StoreContextMut, UpdateDeadline};

use super::gate::Purpose;
use super::limits::{Clocks, Limits, Memory};
use super::recorder::Recording;
use super::{CallError, Description, Services};

scoped_tls_hkt::scoped_thread_local!(
    /// What the embedder supplies for the call this thread is making. A store of wasmtime's can hold nothing borrowed, so it
    /// is lent beside it.
    static mut SERVICES: for<'a> &'a mut (dyn Services + 'a)
);

/// One call. It lives as long as the instance: nothing is left for the next.
pub(super) struct Call {
    /// The item the host called, for messages.
    item: &'static str,
    purpose: Purpose,
    pub(super) about: Arc<About>,
    pub(super) clocks: Clocks,
    pub(super) memory: Memory,
    pub(super) requests: u32,
    pub(super) saves: u32,
    pub(super) log_lines: u32,
    pub(super) recording: Recording,
    /// Why the host stopped it; wasmtime would only say that it did.
    stopped: Option<CallError>,
}

/// What is the same for all calls of an extension.
#[derive(Debug)]
pub(super) struct About {
    pub(super) limits: Limits,
    /// `None` while the extension is being asked for it.
    pub(super) description: Option<Description>,
}

impl About {
    /// Whether the extension reads records of this format.
    pub(super) fn reads(&self, format: u16) -> bool {
        self.description.as_ref().is_some_and(|own| own.record_formats.contains(&format))
    }
}

impl Call {
    pub(super) fn new(item: &'static str, purpose: Purpose, about: Arc<About>, recording: Recording) -> Self {
        Self {
            item,
            purpose,
            clocks: Clocks::start(&about.limits),
            memory: Memory::new(&about.limits),
            requests: 0,
            saves: 0,
            log_lines: 0,
            recording,
            stopped: None,
            about,
        }
    }

    /// Runs `body` with `services` lent to this thread's call.
    pub(super) fn lend<T>(services: Option<&mut dyn Services>, body: impl FnOnce() -> T) -> T {
        match services {
            Some(services) => SERVICES.set(services, body),
            None => body(),
        }
    }

    /// An import is called: may it be?
    pub(super) fn enter(&mut self, import: &'static str) -> wasmtime::Result<()> {
        if self.purpose == Purpose::Pure || !SERVICES.is_set() {
            let text = format!("it called the import `{import}` in `{}`, which may call none", self.item);
            return Err(self.stop(CallError::Broken(text)));
        }
        self.clocks.check().map_err(|why| self.stop(why))
    }

    /// Has the embedder do something. Its time is not the extension's.
    pub(super) fn outside<T>(&mut self, work: impl FnOnce(&mut dyn Services) -> T) -> T {
        self.clocks.outside(|| SERVICES.with(|services| work(services)))
    }

    /// Stops the call: what is returned must be handed to wasmtime.
    pub(super) fn stop(&mut self, why: CallError) -> wasmtime::Error {
        let error = wasmtime::Error::msg(why.to_string());
        self.stopped = Some(why);
        error
    }

    /// Looks at the clocks, while the extension runs.
    pub(super) fn tick(mut context: StoreContextMut<'_, Self>) -> wasmtime::Result<UpdateDeadline> {
        let call = context.data_mut();
        match call.clocks.check() {
            Ok(()) => Ok(UpdateDeadline::Continue(1)),
            Err(why) => Err(call.stop(why)),
        }
    }

    /// What a failure of the instance means.
    pub(super) fn explain(&mut self, error: &wasmtime::Error) -> CallError {
        if let Some(why) = self.stopped.take() {
            return why;
        }
        if self.memory.exceeded {
            return CallError::OutOfMemory(self.about.limits.memory);
        }
        let text = error.root_cause().to_string();
        // A standard library that panics first looks for its settings, then for the standard error; neither is there, and which
        // comes first is its own affair.
        if text.contains("`wasi:cli/environment@") || text.contains("`wasi:cli/stderr@") {
            return CallError::Trap(format!("it panicked, or tried to use its surroundings ({text})"));
        }
        CallError::Trap(text)
    }
}
