//! The command lines: of ssh here, and of the shell at the other end.
//!
//! Nothing of an address becomes an option of ssh's or a word of a shell's own: what could is refused.

use std::time::Duration;

use super::SshOptions;
use crate::net::uri::HostPort;
use crate::net::wanted::Wanted;

/// The port that ssh's own configuration may change; another one counts more than that.
pub const DEFAULT_PORT: u16 = 22;
/// What stands before the number in the line that ends the noise. The shell puts them together: a shell that repeats
/// its command says no such line.
pub const MARKER: &str = "FARPANE-";
/// What our command says on stderr where there is no xpra.
pub const NO_XPRA: &str = "farpane: there is no xpra here";
/// Bytes of an argument for the other end.
const MAX_ARGUMENT: usize = 4096;

/// Finds xpra, as `$x`. For any `sh`; no single quote, backslash or exclamation mark may stand in it, so that every
/// login shell takes it in single quotes.
const FIND: &str = r#"for x in "$(command -v xpra)" "${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/xpra/run-xpra" "$HOME/.xpra/run-xpra" "$HOME/.local/bin/xpra" /usr/local/bin/xpra "$(command -v Xpra_cmd.exe)"; do [ -x "$x" ] && break; x=; done; if [ -z "$x" ]; then echo "farpane: there is no xpra here" >&2; exit 127; fi; "#;
/// Hands the stream to the session: `$1` is the number, the rest xpra's arguments. The empty line ends what the shell may
/// have said without one.
const ATTACH: &str = r#"m=$1; shift; echo; echo "FARPANE-$m"; exec "$x" "$@""#;
/// Starts a session and hands the stream to it. xpra says on descriptor 3 which display it took.
const START: &str = r#"m=$1; shift; d=$("$x" "$@" --daemon=yes --displayfd=3 3>&1 >&2 </dev/null) || exit; d=${d#:}; [ -n "$d" ] || exit 1; echo; echo "FARPANE-$m :$d"; exec "$x" _proxy ":$d""#;
/// The same with the screen of the last argument, which is its display: where a shadow of it is already, xpra says so and
/// that one is taken. (3.1.3's own `_proxy_shadow_start` did not find the
/// shadow that it had started, run by root.)
const SHADOW: &str = r#"m=$1; shift; for d in "$@"; do :; done; "$x" "$@" --daemon=yes >&2 </dev/null; echo; echo "FARPANE-$m $d"; exec "$x" _proxy "$d""#;
/// The display of somebody who sits at the machine.
const FIRST_DISPLAY: &str = ":0";

/// Something of an address or command line that cannot be passed on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    #[error(
        "`{got}` cannot be passed to ssh as a {what}: it begins with `-`, or has characters that shells understand"
    )]
    Unsafe { what: &'static str, got: String },
    #[error("the command for ssh is empty: expected for example --ssh=ssh, or --ssh=\"ssh -F FILE\"")]
    Empty,
}

/// The program to start, and its arguments: up to the host, and what is run there. `limit` is how long reaching the host
/// may take, `number` what the noise ends with.
///
/// # Errors
/// If a part of the address could mean something else to ssh or a shell.
pub fn local(
    options: &SshOptions,
    at: &HostPort,
    user: Option<&str>,
    limit: Duration,
    remote: String,
) -> Result<(String, Vec<String>), CommandError> {
    let (program, first) = options.command.split_first().ok_or(CommandError::Empty)?;
    let mut arguments: Vec<String> = first.iter().map(String::clone).collect();
    // No forwarded X11, no terminal.
    arguments.extend(["-x", "-T"].map(str::to_owned));
    // Other programs do not know these.
    if is_openssh(program) {
        let seconds = limit.as_secs().max(1);
        arguments.extend(["-o".into(), format!("ConnectTimeout={seconds}")]);
        arguments.extend(["-o", "RemoteCommand=none"].map(str::to_owned));
    }
    if let Some(user) = user {
        if !is_user(user) {
            return Err(CommandError::Unsafe { what: "user", got: user.to_owned() });
        }
        arguments.extend(["-l".into(), user.to_owned()]);
    }
    if at.port != DEFAULT_PORT {
        arguments.extend(["-p".into(), at.port.to_string()]);
    }
    if !is_host(&at.host) {
        return Err(CommandError::Unsafe { what: "host", got: at.host.clone() });
    }
    arguments.extend(["--".into(), at.host.clone(), remote]);
    Ok((program.clone(), arguments))
}

/// What is run at the other end, for any login shell: attaches to `display`, or to the only session, or starts one.
///
/// # Errors
/// If the display's name or an argument cannot be passed on.
pub fn remote(wanted: &Wanted, display: Option<&str>, number: &str) -> Result<String, CommandError> {
    let is_shadow = matches!(wanted, Wanted::New { command: Wanted::SHADOW, .. });
    let display = display.or(is_shadow.then_some(FIRST_DISPLAY));
    let display = display.map(display_argument).transpose()?;
    let (script, words) = match wanted {
        Wanted::Running => (ATTACH, vec!["_proxy".to_owned()]),
        Wanted::New { command, arguments } => {
            let words = std::iter::once((*command).to_owned()).chain(arguments.iter().cloned());
            (if *command == Wanted::SHADOW { SHADOW } else { START }, words.collect())
        }
    };
    let words = words.into_iter().chain(display);
    shell(script, number, words)
}

/// `xpra WORDS` at the other end, without a session.
///
/// # Errors
/// If a word cannot be passed on.
pub fn remote_command(words: &[&str], number: &str) -> Result<String, CommandError> {
    shell(ATTACH, number, words.iter().map(|word| (*word).to_owned()))
}

fn shell(script: &str, number: &str, words: impl Iterator<Item = String>) -> Result<String, CommandError> {
    let mut line = format!("sh -c '{FIND}{script}' farpane {number}");
    for word in words {
        line.push(' ');
        line.push_str(&quoted(&word)?);
    }
    Ok(line)
}

/// A display as xpra's command line has it: `:100`, `wayland-1`.
///
/// # Errors
/// If it is no name of a display.
pub fn display_argument(display: &str) -> Result<String, CommandError> {
    let name = display.strip_prefix(':').unwrap_or(display);
    let is_name = !name.is_empty()
        && !name.starts_with(['-', '.'])
        && name.len() <= 64
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    if !is_name {
        return Err(CommandError::Unsafe { what: "display", got: display.to_owned() });
    }
    let is_number = name.starts_with(|c: char| c.is_ascii_digit());
    Ok(if is_number { format!(":{name}") } else { name.to_owned() })
}

/// A word in single quotes, as sh, csh and fish take it.
fn quoted(word: &str) -> Result<String, CommandError> {
    if word.len() > MAX_ARGUMENT || word.chars().any(char::is_control) {
        return Err(CommandError::Unsafe { what: "argument", got: word.escape_debug().take(80).collect() });
    }
    let mut quoted = String::from("'");
    for character in word.chars() {
        // fish understands backslashes between quotes, csh exclamation marks.
        if matches!(character, '\'' | '\\' | '!') {
            quoted.push_str("'\\");
            quoted.push(character);
            quoted.push('\'');
        } else {
            quoted.push(character);
        }
    }
    quoted.push('\'');
    Ok(quoted)
}

/// Whether this is OpenSSH's client, as far as its name says.
fn is_openssh(program: &str) -> bool {
    std::path::Path::new(program).file_stem().is_some_and(|name| name == "ssh")
}

/// A user's name that neither ssh nor a shell in its configuration (`ProxyCommand`, `Match exec`) can take for
/// something else. OpenSSH refuses most of the others since 9.6.
pub fn is_user(name: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || "-._+@\\".contains(c);
    !name.starts_with('-') && !name.ends_with('\\') && name.len() <= 255 && name.chars().all(is_plain)
}

/// A host's name or address, possibly with a zone, of which the same holds.
pub fn is_host(host: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || "-._:%~".contains(c);
    !host.is_empty() && !host.starts_with('-') && host.len() <= 255 && host.chars().all(is_plain)
}
