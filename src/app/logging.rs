//! The log: to standard error, as logfmt or JSON. What the network says is in it, and is no command to a terminal.

use std::io::{self, Write, stderr};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use super::arguments::{LogFormat, LogLevel};
use crate::report::harmless;

/// Takes a line of the log at a time, and leaves out what a terminal would obey.
struct Harmless<W>(W);

/// Starts logging. Of the libraries only what is wrong is heard: what a network does to them is told by
/// outcomes, once, and not by a line for each odd packet.
pub(super) fn start(level: LogLevel, format: LogFormat) {
    let targets = Targets::new()
        .with_default(LevelFilter::ERROR)
        .with_target("reachd", filter(level));
    let layer = layer(format, || Harmless(stderr()));
    let registry: Registry = tracing_subscriber::registry();
    // Only a second start in one process can fail, and then the log runs already.
    registry.with(layer.with_filter(targets)).try_init().ok();
}

fn layer<W>(
    format: LogFormat,
    writer: impl for<'w> MakeWriter<'w, Writer = Harmless<W>> + Send + Sync + 'static,
) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: Write + 'static,
{
    match format {
        LogFormat::Logfmt => tracing_logfmt::builder()
            .with_target(false)
            .layer()
            .with_writer(writer)
            .boxed(),
        LogFormat::Json => tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_target(false)
            .with_writer(writer)
            .boxed(),
    }
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

// === impl Harmless ===

impl<W: Write> Write for Harmless<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let (text, end) = match text.strip_suffix('\n') {
            Some(text) => (text, "\n"),
            None => (&*text, ""),
        };
        let whole = [harmless(text).as_bytes(), end.as_bytes()].concat();
        self.0.write_all(&whole)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::subscriber::with_default;
    use tracing::warn;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Without a space, which has the writers quote a text; C1's CSI, DEL, a bell, a turn of direction.
    const ODD: [&str; 3] = [
        "\u{9b}2J\u{7f}\u{7}\u{202e}x",
        "a\nlevel=info\tmsg=all-is-well",
        "\u{1b}]0;owned\u{7}\r\u{2028}y",
    ];

    #[test]
    fn a_terminal_does_not_obey_the_log_and_an_event_is_one_line() {
        for format in [LogFormat::Logfmt, LogFormat::Json] {
            let kept = Kept::default();
            let writer = kept.clone();
            let layer = layer(format, move || Harmless(writer.clone()));
            with_default(Registry::default().with(layer), || {
                for odd in ODD {
                    warn!(detail = %odd, plain = odd, "{odd}");
                }
            });
            let log = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
            assert_eq!(log.lines().count(), ODD.len(), "{log:?}");
            let is_odd = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2028}".contains(c);
            assert!(!log.contains(is_odd), "{log:?}");
            assert!(log.ends_with('\n') && log.contains("owned"), "{log:?}");
        }
    }
}
