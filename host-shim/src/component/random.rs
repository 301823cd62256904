//! Random numbers for a language's standard library, which seeds its hash maps with them.
//!
//! Three functions of `wasi:random`, at whatever 0.2.x the component names; the others trap like all of WASI.

use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

use super::CallError;
use super::call::Call;

/// More at once is no seed.
const MOST_BYTES: u64 = 4096;

/// Defines the three functions in the interface `name`, if it is one of those that hold them.
pub(super) fn add_to_linker(linker: &mut Linker<Call>, name: &str) -> wasmtime::Result<()> {
    match name.split('@').next() {
        Some("wasi:random/random") => {
            let mut interface = linker.instance(name)?;
            interface.func_wrap("get-random-u64", |mut context: StoreContextMut<'_, Call>, (): ()| {
                Ok((number(context.data_mut())?,))
            })?;
            interface.func_wrap("get-random-bytes", |mut context: StoreContextMut<'_, Call>, (length,): (u64,)| {
                Ok((bytes(context.data_mut(), length)?,))
            })
        }
        Some("wasi:random/insecure-seed") => {
            linker.instance(name)?.func_wrap("insecure-seed", |mut context: StoreContextMut<'_, Call>, (): ()| {
                let call = context.data_mut();
                Ok(((number(call)?, number(call)?),))
            })
        }
        _ => Ok(()),
    }
}

fn number(call: &mut Call) -> wasmtime::Result<u64> {
    let mut number = [0; 8];
    fill(call, &mut number)?;
    Ok(u64::from_ne_bytes(number))
}

fn bytes(call: &mut Call, length: u64) -> wasmtime::Result<Vec<u8>> {
    if length > MOST_BYTES {
        let text = format!("it asked for {length} random bytes at once; it may have {MOST_BYTES}");
        return Err(call.stop(CallError::Broken(text)));
    }
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    fill(call, &mut bytes)?;
    Ok(bytes)
}

fn fill(call: &mut Call, bytes: &mut [u8]) -> wasmtime::Result<()> {
    draw(call, bytes)?;
    call.recording.bytes("random: result", bytes);
    Ok(())
}

/// Random bytes of the machine's. Where it has none the call is stopped.
pub(super) fn draw(call: &mut Call, bytes: &mut [u8]) -> wasmtime::Result<()> {
    getrandom::fill(bytes)
        .map_err(|error| call.stop(CallError::Trap(format!("this machine has no random numbers for it: {error}"))))
}
