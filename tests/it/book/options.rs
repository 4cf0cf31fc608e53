//! The page with all options is the one that the program's own definitions make.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, Command, CommandFactory as _};
use farpane::cli::RawArgs;

use super::markdown::ROOT;

const INTRODUCTION: &str = "\
# All options

*This page is written by `docs/options.sh` from the definitions that the program itself uses. A test
compares them.*

All options are understood by every command; `farpane COMMAND --help` shows those that do something there. Those that
name a key have the same name in [configuration files](configuration.md), [session files](connect-window.md#session-files) and
addresses; `farpane config --show` prints each with its value and where that comes from.
";

/// The whole page.
fn page() -> String {
    let mut command = RawArgs::command().disable_help_subcommand(true);
    command.build();
    let mut page = INTRODUCTION.to_owned();
    let everywhere: Vec<&Arg> = command.get_arguments().filter(|arg| arg.is_global_set()).collect();
    let mut headings: Vec<&str> = Vec::new();
    for arg in &everywhere {
        let heading = arg.get_help_heading().unwrap_or("Everywhere");
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for heading in headings {
        let _ = write!(page, "\n## {heading}\n");
        for arg in everywhere.iter().filter(|arg| arg.get_help_heading().unwrap_or("Everywhere") == heading) {
            let _ =
                write!(page, "\n### {}\n\n{}", arg.get_long().expect("a long name"), described(arg, "\n\n"));
            page.push('\n');
        }
    }
    page.push_str("\n## Commands\n");
    for sub in command.get_subcommands() {
        describe(sub, &mut page);
    }
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    for part in after.split("\n\n").filter(|part| !part.starts_with(' ') || part.contains(":\n")) {
        if let Some((title, text)) = part.split_once(":\n").filter(|(title, _)| !title.starts_with(' ')) {
            let _ = write!(page, "\n## {title}\n\n```text\n{}\n```\n", unindented(text));
        }
    }
    page
}

/// A command with its own arguments, and those below it.
fn describe(command: &Command, page: &mut String) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let _ = write!(
        page,
        "\n### {name}\n\n{}.\n",
        command.get_about().map(ToString::to_string).unwrap_or_default()
    );
    let own: Vec<&Arg> = command
        .get_arguments()
        .filter(|arg| !arg.is_global_set() && !matches!(arg.get_id().as_str(), "help" | "version"))
        .collect();
    if !own.is_empty() {
        page.push('\n');
    }
    for arg in own {
        let _ = writeln!(page, "- {}", described(arg, " ").replace('\n', "\n  "));
    }
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        describe(sub, page);
    }
}

/// How an argument is written, what it is for, what it takes and its default.
fn described(arg: &Arg, gap: &str) -> String {
    let value = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    let takes_value = arg.get_action().takes_values();
    let mut forms = Vec::new();
    if let Some(short) = arg.get_short() {
        forms.push(format!("`-{short}`"));
    }
    match (arg.get_long(), value.filter(|_| takes_value)) {
        (Some(long), Some(value)) if arg.is_require_equals_set() => {
            forms.push(format!("`--{long}[={value}]`"))
        }
        (Some(long), Some(value)) => forms.push(format!("`--{long} {value}`")),
        (Some(long), None) => forms.push(format!("`--{long}`")),
        (None, value) => {
            forms.push(format!("`{}`", value.unwrap_or_else(|| arg.get_id().as_str().to_uppercase())))
        }
    }
    let mut text = forms.join(", ");
    if let Some(help) = arg.get_help() {
        let _ = write!(text, "{gap}{}.", help.to_string().trim_end_matches('.'));
    }
    let listed: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .filter_map(|value| value.get_help().map(|help| format!("- `{}`: {help}", value.get_name())))
        .collect();
    if takes_value && !listed.is_empty() {
        let _ = write!(text, "\n\n{}", listed.join("\n"));
    }
    let defaults: Vec<String> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    let mut facts = Vec::new();
    if takes_value && !defaults.is_empty() {
        facts.push(format!("Default: `{}`.", defaults.join(",")));
    }
    if let Some(variable) = arg.get_env() {
        facts.push(format!("Variable: `{}`.", variable.to_string_lossy()));
    }
    if !facts.is_empty() {
        let _ = write!(text, "{gap}{}", facts.join(" "));
    }
    text
}

fn unindented(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect();
    lines.join("\n")
}

#[test]
fn the_page_of_options_is_up_to_date() {
    let path = Path::new(ROOT).join("docs/options.md");
    let page = page();
    if std::env::var_os("FARPANE_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("docs/options.md can be written");
    }
    let written = std::fs::read_to_string(&path).expect("docs/options.md");
    let first = written.lines().zip(page.lines()).find(|(written, page)| written != page);
    assert!(written == page, "docs/options.md is out of date: run docs/options.sh (first: {first:?})");
    assert!(page.contains("--quality PERCENT") && page.contains("### farpane bench peers"), "{page}");
}
