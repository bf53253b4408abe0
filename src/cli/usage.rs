//! What is wrong with the arguments, the environment or the `.env` file, in one line.

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsStr;

/// What is wrong with the file, without the line's text, which may have a secret.
pub(crate) fn env_file_fault(error: &dotenvy::Error) -> String {
    match error {
        dotenvy::Error::LineParse(line, at) => match line.split_once('=') {
            Some((name, _)) => {
                format!("the line of {} is malformed at character {at}", name.trim())
            }
            None => "a line is no NAME=VALUE".to_owned(),
        },
        other => other.to_string(),
    }
}

/// `beeiq` alone shows the help, which clap counts as an error.
pub(crate) fn shows_help(error: &clap::Error) -> bool {
    error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
}

/// What is wrong, without the usage that clap adds, and with the name of the variable.
pub(crate) fn one_line(error: &clap::Error, mut program: Command) -> String {
    program.build();
    let settings = settings_of(&program);
    if error.kind() == ErrorKind::InvalidUtf8
        && let Some(setting) = settings.iter().find(|setting| setting.is_not_utf_8())
    {
        return format!("{} is not UTF-8", setting.named());
    }
    let text = error.to_string();
    let fault = text.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = fault.split_whitespace().collect();
    let mut line = words.join(" ").trim_start_matches("error: ").to_owned();
    if let Some(ContextValue::String(invalid)) = error.get(ContextKind::InvalidArg)
        && let Some(setting) = settings.iter().find(|setting| setting.shown == *invalid)
    {
        line = line.replace(&format!("'{invalid}'"), &setting.named());
    }
    line
}

/// A setting that may also come from the environment.
struct Setting<'p> {
    /// As clap shows it: `--bind <ADDRESS:PORT>`.
    shown: String,
    flag: &'p str,
    variable: &'p OsStr,
}

impl Setting<'_> {
    fn named(&self) -> String {
        format!("{} (--{})", self.variable.display(), self.flag)
    }

    fn is_not_utf_8(&self) -> bool {
        std::env::var_os(self.variable).is_some_and(|value| value.to_str().is_none())
    }
}

/// Those of all commands.
fn settings_of(command: &Command) -> Vec<Setting<'_>> {
    let own = command.get_arguments().filter_map(|arg| {
        let (flag, variable) = (arg.get_long()?, arg.get_env()?);
        Some(Setting { shown: arg.to_string(), flag, variable })
    });
    own.chain(command.get_subcommands().flat_map(settings_of)).collect()
}
