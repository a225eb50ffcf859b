//! The application's console, its web server among the commands.

use std::process::ExitCode;

fn main() -> ExitCode {
    paravel::foundation::main(app::application())
}
