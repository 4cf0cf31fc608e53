//! What is printed about the command line itself: examples, completions, manual pages, all from
//! the one definition of the command line.

use std::io::Write;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use super::args::RawArgs;
use super::{EXIT_OTHER, Failure, output, relevant};
use crate::config::ConfigFiles;

/// Without every option by name, which the next pages explain.
const SYNOPSIS: &str = r".SH SYNOPSIS
\fBfarpane\fR [\fIOPTIONS\fR] \fIURL\fR|\fIFILE.xpra\fR
.br
\fBfarpane\fR \fICOMMAND\fR [\fIOPTIONS\fR] ...
";

const SERVERS: &str = "\
tcp://[USER[:PASSWORD]@]HOST[:PORT]/   over TCP; the port is 14500 unless given
HOST:PORT                              the same
ssl://… ws://… wss://…                 the same over TLS, WebSocket, both
quic://… wt://…                        the same over QUIC (UDP)
ssh://[USER@]HOST[:PORT]/[DISPLAY]       a session there, through the system's ssh
xpra://… xpra+ssl://… and so on        links as Xpra has them
socket:///PATH                         a Unix socket
:100                                   a session of this machine, found by its display
FILE.xpra                              a session file, as Xpra's launcher saves them

Addresses and links may set options of a harmless kind: tcp://host/?quality=50&encoding=webp";

const EXAMPLES: &str = "\
farpane tcp://server:14500/
farpane ssh://anna@server/100
farpane start ssh://server/ --start=xterm
farpane --overlay :100
farpane work.xpra
farpane screenshot :100 picture.png
farpane --encodings png,rgb --password-file ~/.secret server:14500
farpane record :100 session.fpr
farpane replay session.fpr --headless --flat-out
farpane serve session.fpr --bind 127.0.0.1:14500
farpane config > ~/.config/farpane/config.toml
farpane demo";

const PASSWORDS: &str = "\
From --password-file, else the address or session file, else the configured file, else the
variable FARPANE_PASSWORD; the viewer asks when none of them is given. A link or a session file
from elsewhere gets no configured password.";

const EXIT_CODES: &str = "\
0  ended by the user, or the command did its work
1  something on this machine went wrong (a file, the display, the renderer)
2  the command line, a configuration file, a session file or a link was not understood
3  the server ended the session
4  the connection was lost
5  the server could not be reached
6  the other side does not speak Xpra's protocol, or broke it
7  the password was wrong, missing or refused
8  the server stopped answering";

const FILES: &str = "\
/etc/farpane/config.toml
    the system's configuration: every option by its long name; farpane config prints one
$XDG_CONFIG_HOME/farpane/config.toml (~/.config without the variable)
    the user's, over the system's
$XDG_DATA_HOME/farpane/connections/*.xpra (~/.local/share without the variable)
    saved connections: session files as Xpra's launcher has them
(farpane config --path prints the paths of the configuration, also on other systems)";

const ENVIRONMENT: &str = "\
FARPANE_CONFIG    the user's configuration file, like --config; empty for none
FARPANE_LOG       what to log, like --log
FARPANE_PASSWORD  the password to log in with";

/// What stands under the options in `--help`.
pub fn after_help() -> String {
    let indented = |text: &str| {
        let lines =
            text.lines().map(|line| if line.is_empty() { String::new() } else { format!("  {line}") });
        lines.collect::<Vec<_>>().join("\n")
    };
    [("Servers", SERVERS), ("Examples", EXAMPLES), ("Passwords", PASSWORDS), ("Exit codes", EXIT_CODES)]
        .map(|(title, text)| format!("{title}:\n{}", indented(text)))
        .join("\n\n")
}

/// Prints where the configuration files are, and whether they are there.
pub fn paths(files: &ConfigFiles) {
    for (whose, path) in [("system", &files.system), ("user", &files.user)] {
        let line = match path {
            Some(path) if path.is_file() => format!("{whose:<8}{}", path.display()),
            Some(path) => format!("{whose:<8}{} (not there)", path.display()),
            None => format!("{whose:<8}(none)"),
        };
        output::line(&line);
    }
}

/// Prints what makes a shell complete the command line.
pub fn completions(shell: Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut RawArgs::command(), "farpane", &mut script);
    output::print(&String::from_utf8_lossy(&script));
}

/// Prints the manual page, or writes the pages of all commands to the folder `out`.
///
/// # Errors
/// If a page cannot be written.
pub fn man(out: Option<&Path>) -> Result<(), Failure> {
    let command = relevant::command();
    let Some(folder) = out else {
        output::print(&page(&command, true)?);
        return Ok(());
    };
    let write = |name: String, text: String| {
        let path = folder.join(format!("{name}.1"));
        std::fs::write(&path, text)
            .map_err(|error| failure(&format!("cannot write {}: {error}", path.display())))
    };
    std::fs::create_dir_all(folder)
        .map_err(|error| failure(&format!("cannot create {}: {error}", folder.display())))?;
    write("farpane".to_owned(), page(&command, true)?)?;
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let name = format!("farpane-{}", sub.get_name());
        let text = page(sub, false)?;
        write(name, text)?;
    }
    Ok(())
}

/// A manual page; the `main` one also says what holds for all commands.
fn page(command: &Command, main: bool) -> Result<String, Failure> {
    let plain = command.clone().after_help("");
    let manual = Man::new(plain).manual("Farpane").source(format!("farpane {}", env!("CARGO_PKG_VERSION")));
    let mut roff = Vec::new();
    let mut rendered = manual.render_title(&mut roff);
    rendered = rendered.and_then(|()| manual.render_name_section(&mut roff));
    if main {
        rendered = rendered.and_then(|()| roff.write_all(SYNOPSIS.as_bytes()));
    } else {
        rendered = rendered.and_then(|()| manual.render_synopsis_section(&mut roff));
    }
    rendered = rendered.and_then(|()| manual.render_description_section(&mut roff));
    rendered = rendered.and_then(|()| manual.render_options_section(&mut roff));
    if main {
        rendered = rendered.and_then(|()| manual.render_subcommands_section(&mut roff));
    }
    rendered.map_err(|error| failure(&format!("the manual page: {error}")))?;
    let mut text = String::from_utf8_lossy(&roff).into_owned();
    if main {
        for (title, body) in [
            ("SERVERS", SERVERS),
            ("PASSWORDS", PASSWORDS),
            ("EXAMPLES", EXAMPLES),
            ("EXIT STATUS", EXIT_CODES),
            ("ENVIRONMENT", ENVIRONMENT),
            ("FILES", FILES),
            ("SEE ALSO", "xpra(1)"),
        ] {
            text.push_str(&section(title, body));
        }
    } else {
        text.push_str(&section("SEE ALSO", "farpane(1)"));
    }
    Ok(text)
}

/// A section whose lines stay as they are.
fn section(title: &str, body: &str) -> String {
    let escaped = body.replace('\\', "\\e").replace('-', "\\-").replace('…', "\\[u2026]");
    let lines = escaped.lines().map(|line| match line.chars().next() {
        // These would be taken for requests.
        Some('.' | '\'') => format!("\\&{line}\n"),
        _ => format!("{line}\n"),
    });
    format!(".SH {title}\n.nf\n{}.fi\n", lines.collect::<String>())
}

fn failure(message: &str) -> Failure {
    Failure { message: message.to_owned(), code: EXIT_OTHER }
}
