//! The import `mirror-record`: the host's memory of the event in hand, between two requests.

use super::call::Call;
use super::record_format;

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
