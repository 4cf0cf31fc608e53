//! Starts a session on this machine, with its own `xpra`. At the other end of ssh the same is done by
//! [`super::ssh::command`].

use std::convert::Infallible;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use super::local;
use super::ssh::command::{CommandError, display_argument};
use super::wanted::Wanted;
use crate::channel::clock;
use crate::protocol::text;

/// Why no session was started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Display(#[from] CommandError),
    #[error("a session runs on :{display} already: `farpane :{display}` shows it")]
    Taken { display: String },
    #[error("display :{display} is in use: leave the number out, and a free one is taken")]
    InUse { display: String },
    #[error("xpra cannot be started on this machine: {source}")]
    Spawn { source: std::io::Error },
    #[error(
        "no session was started: there is no `xpra` on this machine; install it, or connect to another one"
    )]
    NoXpra,
    #[error("no session was started{}", repeated(.said))]
    Failed { said: Vec<String> },
    #[error("no session was started within {} s{}", READY_LIMIT.as_secs(), repeated(.said))]
    TimedOut { said: Vec<String> },
    #[error("the new session :{display} has no socket after {} s (its log is in the folder of its sockets, `:{display}.log`)", READY_LIMIT.as_secs())]
    NoSocket { display: String },
}

/// How long a new session may take until it can be attached to.
const READY_LIMIT: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How long the last words of an xpra that ended are waited for: what it started may keep its stderr open.
const WORDS_LIMIT: Duration = Duration::from_millis(200);
/// xpra says on descriptor 3 which display it took; what else it says is kept for the error.
const START: &str = r#"exec xpra "$@" --daemon=yes --displayfd=3 3>&1 >&2"#;
/// Of a shadow the display is known, and it does not say it.
const SHADOW: &str = r#"exec xpra "$@" --daemon=yes >&2"#;
/// Bytes of what xpra says that are read, and lines and characters of a line that are shown.
const MAX_SAID: u64 = 64 << 10;
const MAX_LINES: usize = 8;
const MAX_LINE: usize = 300;
/// Where X servers listen.
const X_SOCKETS: &str = "/tmp/.X11-unix";
/// Exit code of a shell that did not find the program.
const NOT_FOUND: i32 = 127;

/// Starts a session on this machine with its `xpra` and waits until it can be attached to. Gives its display's number.
///
/// Dropping the future ends an xpra that has not started its session yet.
///
/// # Errors
/// If there is no xpra, or it starts none.
pub async fn here(command: &str, arguments: &[String], display: Option<&str>) -> Result<String, StartError> {
    let display = display.map(display_argument).transpose()?;
    let is_shadow = command == Wanted::SHADOW;
    if let Some(number) = display.as_deref().map(|display| display.trim_start_matches(':')) {
        match (local::is_live(&local::socket_candidates(number)), is_shadow) {
            (true, true) => return Ok(number.to_owned()),
            (true, false) => return Err(StartError::Taken { display: number.to_owned() }),
            // xpra would take it for its own, and start programs there.
            (false, false) if has_x_server(number) => {
                return Err(StartError::InUse { display: number.to_owned() });
            }
            (false, _) => {}
        }
    }
    let mut shell = Command::new("sh");
    let script = if is_shadow { SHADOW } else { START };
    shell.args(["-c", script, "sh", command]).args(arguments).args(&display);
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // Ctrl-C is for the viewer.
    shell.process_group(0);
    let mut xpra = shell.spawn().map_err(|source| StartError::Spawn { source })?;
    let (mut number, mut words) = (String::new(), Vec::new());
    let (stdout, stderr) = (xpra.stdout.take(), xpra.stderr.take());
    let told = async {
        if let Some(stdout) = stdout {
            let _ = stdout.take(MAX_SAID).read_to_string(&mut number).await;
        }
        xpra.wait().await
    };
    let listening = async {
        if let Some(stderr) = stderr {
            let _ = stderr.take(MAX_SAID).read_to_end(&mut words).await;
        }
        std::future::pending::<Infallible>().await
    };
    let ended = async {
        let told = tokio::time::timeout(READY_LIMIT, told).await;
        tokio::time::sleep(WORDS_LIMIT).await;
        told
    };
    let ended = tokio::select! {
        ended = ended => ended,
        never = listening => match never {},
    };
    let said = || {
        let words = String::from_utf8_lossy(&words);
        let lines = words.lines().map(|line| text::shown(line, MAX_LINE)).filter(|line| !line.is_empty());
        let lines: Vec<String> = lines.collect();
        lines.iter().skip(lines.len().saturating_sub(MAX_LINES)).cloned().collect()
    };
    let status = match ended {
        Ok(Ok(status)) => status,
        Ok(Err(source)) => return Err(StartError::Spawn { source }),
        Err(_) => return Err(StartError::TimedOut { said: said() }),
    };
    if status.code() == Some(NOT_FOUND) {
        return Err(StartError::NoXpra);
    }
    let number = number.trim();
    let number = if number.is_empty() { display.as_deref().unwrap_or_default() } else { number };
    let number = number.trim_start_matches(':');
    if !status.success() || number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(StartError::Failed { said: said() });
    }
    let until = clock::now() + READY_LIMIT;
    while clock::now() < until {
        if local::is_live(&local::socket_candidates(number)) {
            return Ok(number.to_owned());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Err(StartError::NoSocket { display: number.to_owned() })
}

/// Whether an X server has the display, whoever runs it.
fn has_x_server(number: &str) -> bool {
    std::path::Path::new(X_SOCKETS).join(format!("X{number}")).exists()
}

/// xpra's own words, behind a colon.
fn repeated(lines: &[String]) -> String {
    if lines.is_empty() { String::new() } else { format!(". xpra said:\n{}", lines.join("\n")) }
}
