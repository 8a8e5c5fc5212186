//! Where words go: results to standard output, everything else to standard error.

use std::io::{self, ErrorKind, Write as _};

use routedrill_reports::WriteError;
use routedrill_sim::problem::{Look, Problems};

use crate::exit::Exit;

/// Writes a result to standard output.
///
/// # Errors
/// [`Exit::Unfinished`], after saying why on standard error. A reader who has seen enough and closed the pipe is no
/// error.
pub(crate) fn result(text: &str) -> Result<(), Exit> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("error: failed to write the result: {error}");
            Err(Exit::Unfinished)
        }
        _ => Ok(()),
    }
}

/// Says on standard error that a file could not be written.
pub(crate) fn unwritten(error: &WriteError) -> Exit {
    eprintln!("error: {error}");
    Exit::Unfinished
}

/// Says on standard error everything that is wrong with an input.
pub(crate) fn refuse(problems: &Problems) -> Exit {
    // anstream takes the colour out where the reader is no terminal or does not want it.
    anstream::eprintln!("{}", problems.render(Look::Styled));
    Exit::BadInput
}
