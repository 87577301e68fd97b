//! The program: crypto provider, parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Two TLS users (kube and reqwest) and one provider: it must be named before either starts.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        unreachable!("nothing ran before main, so no provider can be installed");
    }
    posturebeat::cli::main()
}
