//! The promptgate binary: everything is in the library.

fn main() -> std::process::ExitCode {
    promptgate::cli::main()
}
