//! Which options count for which command. All are understood everywhere, as configuration files have them for all commands; help
//! and manual pages show those that do something.

use std::ffi::OsString;

use clap::{Arg, Command, CommandFactory as _, FromArgMatches as _};

use super::args::RawArgs;
use crate::config::aes::ENCRYPTION_OPTIONS;
use crate::config::options::{CONNECTION, DRAWING, PICTURES, SECURE, WINDOWS};

/// The headings whose options count; `None`: all of them.
fn headings(command: &str) -> Option<&'static [&'static str]> {
    Some(match command {
        "attach" | "open" | "start" | "start-desktop" | "shadow" | "demo" => return None,
        "screenshot" => &[CONNECTION, PICTURES, DRAWING, SECURE, ENCRYPTION_OPTIONS],
        "record" => &[CONNECTION, PICTURES, SECURE, ENCRYPTION_OPTIONS],
        "list" | "info" | "stop" | "exit" | "detach" | "trust" => &[CONNECTION, SECURE, ENCRYPTION_OPTIONS],
        "replay" => &[WINDOWS, DRAWING],
        _ => &[],
    })
}

/// The command line as it is shown and understood.
pub fn command() -> Command {
    let mut command = RawArgs::command();
    // Only then commands have the options that count everywhere.
    command.build();
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        if let Some(headings) = headings(&name) {
            command = command.mut_subcommand(name, |sub| show_only(sub, headings));
        }
    }
    command
}

fn show_only(command: Command, headings: &[&str]) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let mut command = command.mut_args(|arg| {
        let is_hidden = is_of_others(&arg, headings);
        if is_hidden { arg.hide(true) } else { arg }
    });
    for name in names {
        command = command.mut_subcommand(name, |sub| show_only(sub, headings));
    }
    command
}

/// What has no heading is a command's own, or counts everywhere.
fn is_of_others(arg: &Arg, headings: &[&str]) -> bool {
    arg.is_global_set() && arg.get_help_heading().is_some_and(|heading| !headings.contains(&heading))
}

/// Understands a command line.
///
/// # Errors
/// What clap says, also where only help was wanted.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<RawArgs, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(words)?;
    RawArgs::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}
