//! The commands of the `beeiq` program.

fn main() {}
