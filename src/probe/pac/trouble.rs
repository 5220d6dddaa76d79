//! Why a script gave no answer.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a script gave no answer. Lines count from 1; there is none where the engine knows none.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub(super) enum Trouble {
    #[error("{}{message}", at(*line))]
    Syntax { line: Option<u32>, message: String },
    #[error("{}{message}", at(*line))]
    Exception { line: Option<u32>, message: String },
    #[error("it defines neither FindProxyForURL nor FindProxyForURLEx")]
    NoFunction,
    #[error("it answered {0} instead of a text")]
    NoText(String),
    #[error("it ran longer than {} s and was stopped", .0.as_secs_f64())]
    Overrun(Duration),
    #[error(
        "it ran too long and was stopped; it is not run again for this URL for another {} s",
        .0.as_secs().max(1)
    )]
    Paused(Duration),
    #[error("it took more than {} MiB of memory", .0 >> 20)]
    Memory(usize),
    #[error("it asked for more than {0} names")]
    TooManyLookUps(usize),
    #[error("it needs the addresses of {0}")]
    NameNeeded(String),
    #[error("the script asked for {name}, and resolver {resolver} gave no answer ({why})")]
    Unanswered {
        name: String,
        resolver: String,
        why: String,
    },
    #[error("it answered a text of more than {} KiB", .0 >> 10)]
    TooLong(usize),
    #[error("it gave no answer in time")]
    Late,
    #[error("the engine gave up: {0}")]
    Engine(String),
}

fn at(line: Option<u32>) -> String {
    line.map_or_else(String::new, |line| format!("line {line}: "))
}
