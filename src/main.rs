//! The `beeiq` program.

use std::process::ExitCode;

/// The system's allocator keeps what each thread has freed, so that a few large bodies on different
/// threads add up; this one gives it back. In huge pages (hence `no_thp`) it would hold half as much
/// again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    beeiq::cli::run()
}
