//! The binary: hands the arguments to the library and ends with the exit code that it gives.

use std::process::ExitCode;

fn main() -> ExitCode {
    reachd::app::main(std::env::args_os())
}
