//! The log: to standard error, as logfmt or JSON.

use std::io::stderr;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use super::arguments::{LogFormat, LogLevel};

/// Starts logging. Of the libraries only what is wrong is heard: what a network does to them is told by
/// outcomes, once, and not by a line for each odd packet.
pub(super) fn start(level: LogLevel, format: LogFormat) {
    let targets = Targets::new()
        .with_default(LevelFilter::ERROR)
        .with_target("reachd", filter(level));
    let layer = match format {
        LogFormat::Logfmt => tracing_logfmt::builder()
            .with_target(false)
            .layer()
            .with_writer(stderr)
            .boxed(),
        LogFormat::Json => tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_target(false)
            .with_writer(stderr)
            .boxed(),
    };
    let registry: Registry = tracing_subscriber::registry();
    // Only a second start in one process can fail, and then the log runs already.
    registry.with(layer.with_filter(targets)).try_init().ok();
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
