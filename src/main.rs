//! The binary: hands the arguments to the library and ends with the exit code that it gives.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Probes come and go in small pieces beside a history that stays: the system's allocator takes twice as long over that.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    reachd::app::main(std::env::args_os())
}
