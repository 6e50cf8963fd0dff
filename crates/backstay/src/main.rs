//! The `backstay` binary: the command line, configuration, and what holds the
//! crates together.

mod command;
mod config;
mod encryption;
mod logging;
mod output;
mod post;
mod project;
mod shipping;
#[cfg(feature = "otlp")]
mod spans;
#[cfg(not(feature = "otlp"))]
#[path = "spans_left_out.rs"]
mod spans;
mod store;
mod watching;
mod wiring;

use clap::{Parser, Subcommand};
use output::{Exit, Output};
use std::path::PathBuf;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// An application backend in one binary: a data model with its access rules in, REST and sign-in out.
#[derive(Parser)]
#[command(name = "backstay", version, about, disable_help_subcommand = true, arg_required_else_help = true)]
struct Cli {
    /// Project folder
    #[arg(short = 'C', long = "dir", global = true, default_value = ".", value_name = "DIR")]
    dir: PathBuf,
    /// JSON on standard output
    #[arg(long, global = true)]
    json: bool,
    /// Never ask; fail where a person would have to answer
    #[arg(long, global = true)]
    no_input: bool,
    /// Say yes to what may lose data
    #[arg(short = 'y', long, global = true)]
    yes: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start a project folder
    New(command::new::Args),
    /// Serve while you edit: migrates additive changes on save, prints a line per request
    Dev(command::dev::Args),
    /// Serve in production: refuses pending migrations that may lose data
    Serve(command::serve::Args),
    /// Check schema, rules and configuration
    Check,
    /// Show, write and apply migrations
    #[command(subcommand)]
    Migrate(command::migrate::Action),
    /// Print the schema
    #[command(subcommand)]
    Schema(command::schema::Action),
    /// Move rows between databases
    #[command(subcommand)]
    Data(command::data::Action),
    /// Make, check and restore backups
    #[command(subcommand)]
    Backup(command::backup::Action),
    /// Keys that clients present
    #[command(subcommand)]
    Keys(command::keys::Action),
    /// Accounts
    #[command(subcommand)]
    User(command::user::Action),
}

/// What every command gets.
#[derive(Debug, Clone)]
pub struct Context {
    /// Project folder.
    pub dir: PathBuf,
    /// How to speak.
    pub output: Output,
    /// Whether nobody is there to answer.
    pub no_input: bool,
    /// Whether consent was given beforehand.
    pub yes: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let context =
        Context { dir: cli.dir, output: Output::new(cli.json), no_input: cli.no_input, yes: cli.yes };
    logging::start(config::log_of(&context.dir));
    let outcome = match cli.command {
        Command::New(args) => command::new::run(&context, &args),
        Command::Dev(args) => wiring::block_on(command::dev::run(&context, &args)),
        Command::Serve(args) => wiring::block_on(command::serve::run(&context, &args)),
        Command::Check => command::check::run(&context),
        Command::Migrate(action) => wiring::block_on(command::migrate::run(&context, &action)),
        Command::Schema(action) => command::schema::run(&context, &action),
        Command::Data(action) => wiring::block_on(command::data::run(&context, &action)),
        Command::Backup(action) => wiring::block_on(command::backup::run(&context, &action)),
        Command::Keys(action) => wiring::block_on(command::keys::run(&context, &action)),
        Command::User(action) => wiring::block_on(command::user::run(&context, &action)),
    };
    match outcome {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(error) => {
            command::report(&context, &error);
            ExitCode::from(Exit::Failure as u8)
        }
    }
}
