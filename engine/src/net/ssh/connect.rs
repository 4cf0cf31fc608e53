//! From an address to a stream.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt as _;
use tokio::process::{ChildStdout, Command};

use super::ask::{Desk, attend};
use super::asking::{Asking, Question};
use super::error::{Phase, Problem, SshError, Wish, problem};
use super::noise::{How, Noise};
use super::said::Said;
use super::stream::{Process, SshStream, how};
use super::{ASKPASS_VARIABLE, SshOptions, command};
use crate::channel::{AppEvent, ConnectStage, clock};
use crate::net::uri::{HostPort, Target};
use crate::net::wanted::Wanted;
use crate::session::Secret;

/// How long somebody may take to answer ssh on a terminal; sshd's own limit is the same unless it is told otherwise
/// (`LoginGraceTime`).
const TERMINAL_LIMIT: Duration = Duration::from_secs(120);
/// How much longer than ssh itself we wait, so that its words are heard.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a new session may take to be there.
const START_LIMIT: Duration = Duration::from_secs(90);

/// Keeps Ctrl-C from a process that must stay in the terminal's group to ask there: the viewer says goodbye first.
const WITHOUT_INTERRUPT: &str = r#"trap "" INT; exec "$@""#;

/// Starts ssh and gets as far as the command at the other end. Dropping the future ends ssh.
///
/// Where our command's line does not come in time, although ssh still runs, the server may allow one command only: then
/// the stream is looked for behind our hello.
///
/// # Errors
/// If ssh cannot be started, or ends before.
pub(in crate::net) async fn connect(
    target: &Target,
    at: &HostPort,
    (options, wanted): (&SshOptions, &Wanted),
    limit: Duration,
    asking: &mut Asking,
) -> Result<SshStream, SshError> {
    let number = number();
    // What was started for a first connection is there for the second.
    let (wanted, display) = match &asking.started {
        Some(display) => (&Wanted::Running, Some(display.as_str())),
        None => (wanted, target.display.as_deref()),
    };
    let remote = command::remote(wanted, display, &number).map_err(Problem::from)?;
    let user = target.username.as_deref();
    let (program, arguments) = command::local(options, at, user, limit, remote).map_err(Problem::from)?;
    let starts = *wanted != Wanted::Running;
    let stage = ConnectStage::LoggingIn { host: at.host.clone(), starts };
    asking.app.send(AppEvent::Connecting(stage));
    let desk = if options.terminal { None } else { desk(&number) };
    let mut started = start(&program, &arguments, options.terminal, desk.as_ref())
        .map_err(|source| Problem::Start { program, source })?;
    let (Some(stdin), Some(mut stdout), Some(stderr)) =
        (started.stdin.take(), started.stdout.take(), started.stderr.take())
    else {
        return Err(Problem::Ended { host: at.host.clone(), how: "it has no pipes".to_owned() }.into());
    };
    let process = Process::new(started, Said::read(stderr, Arc::clone(&asking.app)));
    let display = display.and_then(|display| command::display_argument(display).ok());
    let wish = Wish::new(at, user, display);
    let limit = if options.terminal { limit.max(TERMINAL_LIMIT) } else { limit + PATIENCE };
    let limit = if starts { limit + START_LIMIT } else { limit };
    let mut waiting = Waiting { process, noise: Noise::new(&number), memory: asking.memory(), limit, starts };
    let begin = waiting.wait(&mut stdout, desk.as_ref(), &wish, asking).await?;
    let Waiting { process, mut noise, .. } = waiting;
    Ok(match begin {
        Some(rest) => SshStream::new(stdin, stdout, process, None, rest, wish),
        None => {
            noise.said_hello();
            SshStream::new(stdin, stdout, process, Some(noise), Vec::new(), wish)
        }
    })
}

/// What the wait for the other end is about.
struct Waiting {
    process: Process,
    noise: Noise,
    memory: Vec<(String, Secret)>,
    /// For each step between two questions.
    limit: Duration,
    starts: bool,
}

impl Waiting {
    /// Waits for the line of our command and gives what follows it; `None` if it does not come in time.
    async fn wait(
        &mut self,
        stdout: &mut ChildStdout,
        desk: Option<&Desk>,
        wish: &Wish,
        asking: &mut Asking,
    ) -> Result<Option<Vec<u8>>, SshError> {
        let mut deadline: Instant = clock::now() + self.limit;
        let mut chunk = [0; 4096];
        loop {
            let read = tokio::select! {
                read = stdout.read(&mut chunk) => read.map_err(|source| Problem::Read { source })?,
                question = question(desk) => {
                    match question {
                        Ok((helper, question)) => match attend(helper, &question, asking, &mut self.memory).await {
                            Ok(true) => {}
                            Ok(false) => return Err(Problem::Unanswered { prompt: question.prompt }.into()),
                            Err(error) => tracing::debug!(%error, "ssh does not wait for its answer any more"),
                        },
                        Err(error) => tracing::debug!(%error, "a question was not understood"),
                    }
                    deadline = clock::now() + self.limit;
                    continue;
                }
                () = tokio::time::sleep_until(deadline.into()) => {
                    tracing::info!("our command was not heard of: perhaps the server allows only its own");
                    return if self.starts { Err(self.ended(wish).await) } else { Ok(None) };
                }
            };
            if read == 0 {
                return Err(self.ended(wish).await);
            }
            match self.noise.feed(chunk.get(..read).unwrap_or_default()) {
                Ok(None) => {}
                Ok(Some(begin)) => {
                    if let How::Marker { display: Some(display) } = begin.how {
                        asking.started = Some(display);
                    }
                    return Ok(Some(begin.rest));
                }
                Err(source) => {
                    let problem = Problem::Noise { host: wish.host.clone(), source };
                    return Err(SshError { problem, said: self.noise.last_lines() });
                }
            }
        }
    }

    /// Why ssh ended.
    async fn ended(&mut self, wish: &Wish) -> SshError {
        let status = self.process.ended().await;
        let mut said = self.process.said().lines();
        // 255 is ssh's own; else a command at the other end was reached.
        let by_ssh = status.is_none_or(|status| status.code() == Some(255));
        let phase = if self.starts && !by_ssh { Phase::Starting } else { Phase::LoggingIn };
        let problem = problem(phase, wish, &said, how(status));
        said.extend(self.noise.last_lines());
        SshError { problem, said }
    }
}

async fn question(desk: Option<&Desk>) -> std::io::Result<(tokio::net::UnixStream, Question)> {
    match desk {
        Some(desk) => desk.question().await,
        None => std::future::pending().await,
    }
}

fn desk(number: &str) -> Option<Desk> {
    Desk::open(number)
        .inspect_err(
            |error| tracing::warn!(%error, "ssh's questions cannot be asked: there is no place for a socket"),
        )
        .ok()
}

fn start(
    program: &str,
    arguments: &[String],
    terminal: bool,
    desk: Option<&Desk>,
) -> std::io::Result<tokio::process::Child> {
    let mut command = if terminal {
        // The shell would not say it in a way that can be told from others.
        find(program)?;
        let mut shell = Command::new("sh");
        shell.args(["-c", WITHOUT_INTERRUPT, "sh", program]);
        shell
    } else {
        let mut ssh = Command::new(program);
        // Ctrl-C is for the viewer.
        ssh.process_group(0);
        ssh
    };
    if let Some(desk) = desk {
        command.env("SSH_ASKPASS", std::env::current_exe()?).env("SSH_ASKPASS_REQUIRE", "force");
        command.env(ASKPASS_VARIABLE, desk.path());
    }
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true).spawn()
}

/// Whether there is such a program.
fn find(program: &str) -> std::io::Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = if program.contains('/') {
        std::path::Path::new(program).exists()
    } else {
        std::env::split_paths(&path).any(|folder| folder.join(program).exists())
    };
    if is_there { Ok(()) } else { Err(std::io::Error::from_raw_os_error(2)) }
}

/// A number that nobody else knows.
fn number() -> String {
    let mut bytes = [0; 16];
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::warn!(%error, "no random numbers");
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
