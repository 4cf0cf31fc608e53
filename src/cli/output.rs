//! The only functions that print: results to stdout, the one line of an error to stderr.

use std::io::{BufRead as _, IsTerminal, Read as _, Write};

use crate::protocol::text::is_hidden;

/// A longer answer is none that was typed.
const MAX_ANSWER_BYTES: u64 = 1024;

/// Prints one line of a command's result.
pub fn line(text: &str) {
    // A reader that went away (`farpane info … | head`) is no error of ours.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints what went wrong and what to do: in one line, or where a person looks in as many as the text has, those behind
/// the first set off. What it repeats of links and session files is made visible: a terminal would do what control
/// characters say.
pub fn error(text: &str) {
    let mut stderr = std::io::stderr();
    let text = if stderr.is_terminal() { folded(text) } else { visible(text) };
    let _ = writeln!(stderr, "farpane: {text}");
}

/// The text in its lines, each [`visible`].
fn folded(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n  ")
}

/// The text in one line, with [`char::REPLACEMENT_CHARACTER`] for each character that is not seen but changes what
/// is (see [`is_hidden`]).
pub fn visible(text: &str) -> String {
    let shown = |c| match c {
        '\n' | '\t' => ' ',
        c if is_hidden(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(shown).collect()
}

/// Prints what is wrong with a command line, in several lines.
pub fn usage(text: &str) {
    let _ = write!(std::io::stderr(), "{text}");
}

/// Prints text of several lines that is a command's result.
pub fn print(text: &str) {
    let _ = write!(std::io::stdout(), "{text}");
}

/// Asks, and reads a line from stdin. `None` if there is none.
pub fn ask(question: &str) -> Option<String> {
    let mut stdout = std::io::stdout();
    let _ = write!(stdout, "{question}");
    let _ = stdout.flush();
    let mut line = String::new();
    let read = std::io::stdin().lock().take(MAX_ANSWER_BYTES).read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim().to_owned())
}

/// Says on stderr what a long command is doing.
pub fn progress(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Shows how far a long command is, in the place of what was shown before. Only where a person
/// looks: nothing in a log.
pub fn status(text: &str) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let _ = write!(stderr, "\r\x1b[K{text}");
        let _ = stderr.flush();
    }
}

/// Whether a person looks at stderr who wants colours (<https://no-color.org>): a log in a file has none.
pub fn stderr_has_colours() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
