//! What the documents show as examples, given to the program's own definitions.

use std::path::Path;

use clap::Parser as _;
use clap::error::ErrorKind;
use farpane::cli::RawArgs;
use farpane::cli::args::RawCommand;
use farpane::config::{Request, SessionFile, file};

use super::markdown::{Document, Part, documents};

/// A command line in a document.
struct Example {
    line: usize,
    text: String,
    /// Between backticks, where it may be only the name of a command.
    in_prose: bool,
}

/// Every `farpane …` in a document: in code blocks and between backticks.
fn command_lines(document: &Document) -> Vec<Example> {
    let mut found = Vec::new();
    let mut begun: Option<(usize, String)> = None;
    for (number, part, line) in document.lines() {
        if !matches!(part, Part::Code(_)) {
            begun = None;
            continue;
        }
        let (first, mut text) = begun.take().unwrap_or((number, String::new()));
        text += line.trim().trim_start_matches("$ ");
        match text.strip_suffix('\\') {
            Some(part) => begun = Some((first, part.to_owned())),
            None => found.push((first, text)),
        }
    }
    let blocks = found.into_iter().map(|found| (found, false));
    let prose = document.code_spans().into_iter().map(|found| (found, true));
    blocks
        .chain(prose)
        .filter_map(|((line, text), in_prose)| {
            Some(Example { line, text: farpane_part(&text)?.to_owned(), in_prose })
        })
        .collect()
}

/// The command without variables before it, if it is one of ours.
fn farpane_part(text: &str) -> Option<&str> {
    let mut rest = text.trim();
    while let Some((word, after)) = rest.split_once(' ') {
        match word.split_once('=') {
            Some((name, _)) if name.chars().all(|c| c.is_ascii_uppercase() || c == '_') => {
                rest = after.trim()
            }
            _ => break,
        }
    }
    let rest = rest.strip_prefix("target/release/").unwrap_or(rest);
    (rest == "farpane" || rest.starts_with("farpane ")).then_some(rest)
}

/// Words as a shell makes them, up to a comment, pipe or redirection.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote): (Vec<String>, Option<String>, Option<char>) = Default::default();
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, '|' | '>' | '<' | '&' | ';') => {
                // `2>` redirects stderr.
                word.take_if(|word| word == "2" && c == '>');
                break;
            }
            (None, ' ') => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    assert!(quote.is_none(), "a quote is not closed: {text}");
    words.extend(word);
    words
}

#[test]
fn every_command_line_is_understood() {
    let mut count = 0;
    let mut wrong = Vec::new();
    // The usage lines of the generated page are not commands.
    for document in documents().into_iter().filter(|document| !document.path.ends_with("options.md")) {
        for Example { line, text, in_prose } in command_lines(&document) {
            count += 1;
            let words = words(&text);
            let is_name = in_prose && words.iter().all(|word| word.chars().all(|c| c.is_ascii_lowercase()));
            let why = match RawArgs::try_parse_from(&words) {
                Ok(arguments) => address(&arguments)
                    .and_then(|url| Request::address(&url).err())
                    .map(|why| why.to_string()),
                Err(error) => match error.kind() {
                    ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => None,
                    ErrorKind::MissingRequiredArgument if is_name => None,
                    _ => error.to_string().lines().next().map(str::to_owned),
                },
            };
            wrong.extend(why.map(|why| format!("{}: `{text}`: {why}", document.at(line))));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(count > 40, "only {count} command lines were found");
}

/// The address that a command line names, unless it is a file or a word that stands for one.
fn address(arguments: &RawArgs) -> Option<String> {
    let url = match &arguments.command {
        None => arguments.url.clone(),
        Some(
            RawCommand::Attach { url }
            | RawCommand::Info { url }
            | RawCommand::Record { url, .. }
            | RawCommand::Screenshot { url, .. },
        ) => Some(url.clone()),
        Some(_) => None,
    }?;
    let url = url.expose().to_owned();
    let stands_for_one = url.chars().all(|c| c.is_ascii_uppercase());
    (!stands_for_one && !url.ends_with(".xpra")).then_some(url)
}

#[test]
fn every_configuration_is_understood() {
    let mut count = 0;
    for document in documents() {
        for (line, text) in document.blocks("toml") {
            count += 1;
            if let Err(error) = file::parse(&text, Path::new("config.toml")) {
                panic!("{}: {error}", document.at(line));
            }
        }
        for (line, text) in document.blocks("ini") {
            count += 1;
            let problems = SessionFile::parse(&text).problems();
            let words: Vec<String> = problems.iter().map(|p| format!("{}: {}", p.name, p.message)).collect();
            assert!(words.is_empty(), "{}: {}", document.at(line), words.join("; "));
        }
    }
    assert!(count >= 3, "only {count} configurations and session files were found");
}

#[test]
fn words_are_split_as_a_shell_does() {
    assert_eq!(words("farpane 'a b' --x=\"c d\" e # f"), ["farpane", "a b", "--x=c d", "e"]);
    assert_eq!(words("farpane config > file"), ["farpane", "config"]);
    assert_eq!(words("farpane :2 2> file"), ["farpane", ":2"]);
    assert_eq!(farpane_part("FARPANE_LOG=debug farpane :1"), Some("farpane :1"));
    assert_eq!(farpane_part("farpane:host"), None);
}
