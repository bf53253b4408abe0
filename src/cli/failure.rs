//! Why a command failed, and its exit code.

use std::io::Write;
use std::process::ExitCode;

pub(crate) enum Failure {
    /// A setting is missing or malformed; nothing was done.
    Usage(anyhow::Error),
    /// The work failed.
    Work(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Work(error)
    }
}

impl Failure {
    /// Says it in one line on standard error; where that is closed there is nobody to tell.
    pub(crate) fn report(&self) -> ExitCode {
        let (error, code) = match self {
            Self::Usage(error) => (error, 2),
            Self::Work(error) => (error, 1),
        };
        let text = format!("{error:#}");
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(std::io::stderr(), "error: {line}");
        ExitCode::from(code)
    }
}
