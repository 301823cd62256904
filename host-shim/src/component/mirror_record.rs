//! The import `mirror-record`: the host's memory of the event in hand, between two requests, and names for what is created.

use std::time::Instant;

use super::call::Call;
use super::types::{HttpError, Request, Response};
use super::{Services, hexadecimal, random, record_format};

/// A record is ids, a link, digests: far below this.
pub(super) const MOST_BYTES: usize = 1 << 20;

/// Replaces the record; returns when the embedder says that it is on disk.
pub(super) fn save(call: &mut Call, mirrored: Option<Vec<u8>>) -> wasmtime::Result<Result<(), String>> {
    call.enter("mirror-record.save")?;
    let answer = match check(call, mirrored.as_deref()) {
        Ok(()) => {
            call.saves += 1;
            call.outside(|services| services.save(mirrored))
        }
        Err(text) => Err(text),
    };
    call.recording.value("mirror-record.save: result", &answer);
    Ok(answer)
}

/// A name for something that is about to be created.
pub(super) fn new_id(call: &mut Call) -> wasmtime::Result<String> {
    call.enter("mirror-record.new-id")?;
    let mut bytes = [0; 16];
    random::draw(call, &mut bytes)?;
    let id = hexadecimal(&bytes);
    call.recording.value("mirror-record.new-id: result", &id);
    Ok(id)
}

/// What a call is given that is about no event: nothing can be saved.
pub(super) struct NoEvent<'a>(pub(super) &'a mut dyn Services);

impl Services for NoEvent<'_> {
    fn send(&mut self, request: Request, deadline: Instant) -> Result<Response, HttpError> {
        self.0.send(request, deadline)
    }

    fn save(&mut self, _: Option<Vec<u8>>) -> Result<(), String> {
        Err("there is no event in hand".into())
    }
}

fn check(call: &Call, mirrored: Option<&[u8]>) -> Result<(), String> {
    if call.saves >= call.about.limits.saves {
        return Err(format!("this call has saved {} times already", call.saves));
    }
    mirrored.map_or(Ok(()), |record| writable(&call.about, record))
}

/// Whether a record may be kept: a later call could only hand it back to the extension if the extension reads its format.
pub(super) fn writable(about: &super::call::About, record: &[u8]) -> Result<(), String> {
    if record.len() > MOST_BYTES {
        return Err(format!("a record may have {MOST_BYTES} bytes, this one has {}", record.len()));
    }
    match record_format(record) {
        Some(format) if about.reads(format) => Ok(()),
        Some(format) => Err(format!("the extension does not declare that it reads records of format {format}")),
        None => Err("a record begins with two bytes that name its format".into()),
    }
}
