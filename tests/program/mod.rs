//! The program that was built for the tests, as its users start it.

use std::process::{Command, Output};

/// Runs it to its end, in the root of the repository.
pub(crate) fn routedrill(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_routedrill"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("SOURCE_DATE_EPOCH")
        .env("NO_COLOR", "1")
        .output()
        .expect("the binary that was built for this test starts")
}
