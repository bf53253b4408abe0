//! The commands of the program, a file each (`api.md` 1).

pub mod demo;
mod failure;
mod fitness;
mod healthcheck;
mod import;
mod migrate;
mod org;
mod password;
mod rekey;
mod serve;
mod usage;
mod user;

use crate::config::{DatabaseSettings, ServeSettings};
use anyhow::anyhow;
use clap::{CommandFactory, Parser, Subcommand};
use failure::Failure;
use std::process::ExitCode;

/// BeeIQ: listener URLs in, clean customer records in Postgres out.
///
/// Settings come from flags, environment variables or a .env file.
#[derive(Parser)]
#[command(version)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start everything at once: a private Postgres, an example org, the server in staging
    Demo(Box<demo::DemoSettings>),
    /// Run the server
    Serve(Box<ServeSettings>),
    /// Apply pending migrations
    Migrate(DatabaseSettings),
    /// Seal again, with the first key, what an older one has sealed; servers may run meanwhile
    Rekey(rekey::RekeySettings),
    /// Ask a server on this machine whether it lives; for container health checks
    Healthcheck(healthcheck::HealthcheckSettings),
    /// Send the rows of a CSV or NDJSON file to a listener
    Import(Box<import::ImportSettings>),
    /// Organisations
    #[command(subcommand)]
    Org(OrgCommand),
    /// Users
    #[command(subcommand)]
    User(UserCommand),
}

#[derive(Subcommand)]
enum OrgCommand {
    /// Make an org and its owner
    Create(org::OrgCreate),
}

#[derive(Subcommand)]
enum UserCommand {
    /// Give a user another password, and end their sessions
    SetPassword(user::SetPassword),
}

/// Runs the command that the arguments name.
pub fn run() -> ExitCode {
    chosen().unwrap_or_else(|failure| failure.report())
}

fn chosen() -> Result<ExitCode, Failure> {
    // Of the working directory, and not of one above it, which may be somebody else's.
    if let Err(error) = dotenvy::from_path(".env")
        && !error.not_found()
    {
        let fault = usage::env_file_fault(&error);
        return Err(Failure::Usage(anyhow!("the .env file cannot be read: {fault}")));
    }
    let program = match Program::try_parse() {
        Ok(program) => program,
        Err(error) if error.use_stderr() && !usage::shows_help(&error) => {
            return Err(Failure::Usage(anyhow!(usage::one_line(&error, Program::command()))));
        }
        Err(help) => help.exit(),
    };
    match program.command {
        Command::Demo(settings) => demo::run(&settings)?,
        Command::Serve(settings) => serve::run(&settings)?,
        Command::Migrate(settings) => migrate::run(&settings)?,
        Command::Rekey(settings) => rekey::run(&settings)?,
        Command::Healthcheck(settings) => healthcheck::run(&settings)?,
        Command::Import(settings) => return import::run(&settings),
        Command::Org(OrgCommand::Create(order)) => org::create(&order)?,
        Command::User(UserCommand::SetPassword(order)) => user::set_password(&order)?,
    }
    Ok(ExitCode::SUCCESS)
}
