//! The machine that runs extensions: its configuration, and the tick by which it looks at the clock.

use std::thread;
use std::time::Duration;

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::LoadError;
use super::limits::{Limits, TABLE_ENTRIES};

/// How often running code is made to look at the clock, and so how exactly guest time is kept.
const TICK: Duration = Duration::from_millis(10);

/// Core modules and tables in one component: the extension itself and the thin ones its toolchain wraps around it.
const PARTS: u32 = 8;

/// Bytes of a used memory that stay mapped for the next call, reset. More is faster and larger. Where the kernel tells which
/// pages were written (Linux 6.7), these bytes are those pages; elsewhere they are the first ones, which helps less.
const KEPT_WARM: usize = 256 << 10;

/// An engine that keeps the limits, and its ticker.
///
/// Memory for all calls is reserved (not used) at once, which makes a fresh instance cheap. Where such a reservation is not
/// to be had, as under a limit on address space, memory is taken call by call.
pub(super) fn new(limits: &Limits) -> Result<Engine, LoadError> {
    let mut pooled = config(limits);
    pooled.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
    let engine = match Engine::new(&pooled) {
        Ok(engine) => engine,
        Err(error) => {
            tracing::warn!(
                error = %error.root_cause(),
                "cannot reserve memory for {} calls; taking it call by call, which is slower", limits.calls
            );
            Engine::new(&config(limits)).map_err(|error| LoadError::Engine(format!("{error:#}")))?
        }
    };
    tick(&engine)?;
    Ok(engine)
}

fn config(limits: &Limits) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(limits.stack)
        .parallel_compilation(true)
        .wasm_backtrace_max_frames(None);
    config
}

fn pool(limits: &Limits) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(limits.calls)
        .total_core_instances(limits.calls.saturating_mul(PARTS))
        .total_memories(limits.calls)
        .total_tables(limits.calls.saturating_mul(PARTS))
        .max_memories_per_component(1)
        .max_tables_per_component(PARTS)
        .max_core_instances_per_component(PARTS)
        .max_memory_size(limits.memory)
        .table_elements(TABLE_ENTRIES)
        .linear_memory_keep_resident(KEPT_WARM)
        .table_keep_resident(KEPT_WARM)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// Ticks for as long as the engine lives: the thread holds it weakly.
fn tick(engine: &Engine) -> Result<(), LoadError> {
    let weak = engine.weak();
    let ticker = move || {
        loop {
            thread::sleep(TICK);
            let Some(engine) = weak.upgrade() else { return };
            engine.increment_epoch();
        }
    };
    thread::Builder::new()
        .name("extension-clock".into())
        .spawn(ticker)
        .map(drop)
        .map_err(|error| LoadError::Engine(format!("cannot start the thread that keeps its time: {error}")))
}
