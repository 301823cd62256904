//! The import `log`: lines of the extension's, in the host's log.

use tracing::Level;

use super::call::Call;

/// Longer lines are cut.
const MOST_CHARACTERS: usize = 1_000;

/// Writes one line, if the call has any left. What is dropped is the extension's own time.
pub(super) fn write(call: &mut Call, level: Level, message: &str) -> wasmtime::Result<()> {
    call.enter("log.write")?;
    let most = call.about.limits.log_lines;
    call.log_lines = call.log_lines.saturating_add(1);
    let name = call.about.description.as_ref().map_or("", |own| own.name.as_str());
    if call.log_lines > most {
        if call.log_lines == most + 1 {
            tracing::warn!(target: "extension", name, "wrote more than {most} lines in one call; the rest is dropped");
        }
        return Ok(());
    }
    let line = clean(message);
    match level {
        Level::ERROR => tracing::error!(target: "extension", name, "{line}"),
        Level::WARN => tracing::warn!(target: "extension", name, "{line}"),
        Level::INFO => tracing::info!(target: "extension", name, "{line}"),
        _ => tracing::debug!(target: "extension", name, "{line}"),
    }
    Ok(())
}

/// One line, of bounded length, that does nothing to a terminal: no control characters, no line or paragraph separators, no
/// marks that turn the direction of writing.
fn clean(message: &str) -> String {
    let harmless = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    message.chars().filter(harmless).take(MOST_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(clean("a\r\nb\u{1b}[31mc\u{0}\u{85}\u{202e}\u{2028}é"), "ab[31mcé");
        assert_eq!(clean(&"ü".repeat(5_000)).chars().count(), MOST_CHARACTERS);
    }
}
