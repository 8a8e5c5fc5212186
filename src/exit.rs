//! What the exit code of every command means.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exit {
    /// Every promise held, nothing was found.
    Clean,
    /// A promise broke, there is a finding, or something disagrees; the output says which.
    Found,
    /// The command line or an input cannot be read or makes no sense.
    BadInput,
    /// The command could not finish: a bug of ours, or an output that cannot be written.
    Unfinished,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Clean => 0,
            Exit::Found => 1,
            Exit::BadInput => 2,
            Exit::Unfinished => 3,
        })
    }
}
