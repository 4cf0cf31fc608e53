//! ssh's questions: for passwords, passphrases, and whether a host's key is right.
//!
//! ssh runs the program that `SSH_ASKPASS` names (ssh(1)), with the question as its argument, and reads the answer from
//! its output. That program is Farpane itself: told by [`super::ASKPASS_VARIABLE`] where, it passes the question on to the
//! process that started ssh ([`askpass`]), through a socket in a folder of this account alone. That process asks in its
//! own window. What was answered is kept as long as the session, for the second login that a 3.1 server needs.

use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

use super::asking::{Asking, Question};
use crate::channel::{AppEvent, ConnectStage};
use crate::session::{Secret, SshAsk};

/// What ssh says of the question in (ssh(1)); nothing for passwords and most others.
const HINT_VARIABLE: &str = "SSH_ASKPASS_PROMPT";
/// Bytes of a question, and of an answer.
const MAX_BYTES: usize = 16 * 1024;
/// How long the process that ssh started may take to pass the question on.
const LIMIT: Duration = Duration::from_secs(5);
/// What ends a question.
const END: u8 = 0;
/// The first byte of an answer; without one there is none.
const ANSWERED: u8 = b'+';

/// Where the process that ssh starts finds us: a socket in a folder of its own, which goes with this.
pub(super) struct Desk {
    listener: UnixListener,
    folder: PathBuf,
}

impl Drop for Desk {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::debug!(%error, "the folder of ssh's questions was not removed");
        }
    }
}

impl Desk {
    /// Makes the folder and listens. `number` is one that nobody can guess.
    pub fn open(number: &str) -> io::Result<Self> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty()).map(PathBuf::from);
        let places = runtime.into_iter().chain([std::env::temp_dir()]);
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for place in places {
            // A socket's whole path has 107 bytes at most.
            let name: String = number.chars().take(16).collect();
            let folder = place.join(format!("farpane-{name}"));
            match Self::within(folder) {
                Ok(desk) => return Ok(desk),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn within(folder: PathBuf) -> io::Result<Self> {
        std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
        match UnixListener::bind(folder.join("ask")) {
            Ok(listener) => Ok(Self { listener, folder }),
            Err(error) => {
                std::fs::remove_dir(&folder)?;
                Err(error)
            }
        }
    }

    /// The socket.
    pub fn path(&self) -> PathBuf {
        self.folder.join("ask")
    }

    /// Waits for a question. Cancel-safe as long as nobody asks.
    pub async fn question(&self) -> io::Result<(UnixStream, Question)> {
        let (mut helper, _) = self.listener.accept().await?;
        // Until its end mark: the other side stays open, so that it shows when the process ends.
        let reading = async {
            let mut bytes = Vec::new();
            while bytes.len() < MAX_BYTES {
                match helper.read_u8().await? {
                    END => break,
                    byte => bytes.push(byte),
                }
            }
            io::Result::Ok(bytes)
        };
        let bytes = tokio::time::timeout(LIMIT, reading).await.map_err(|_| io::ErrorKind::TimedOut)??;
        Ok((helper, Question::read(&bytes)))
    }
}

/// Has a question answered. `false`: nobody will, and ssh cannot go on.
///
/// # Errors
/// If the process that asked has gone.
pub(super) async fn attend(
    mut helper: UnixStream,
    question: &Question,
    asking: &mut Asking,
    memory: &mut Vec<(String, Secret)>,
) -> io::Result<bool> {
    if question.kind == SshAsk::Notice {
        // ssh takes the notice away itself, by ending who shows it.
        let line = question.prompt.replace('\n', " ");
        asking.app.send(AppEvent::Connecting(ConnectStage::SshSays { line }));
        return Ok(true);
    }
    let mut byte = [0; 1];
    let answer = tokio::select! {
        answer = asking.answer(question, memory) => answer,
        // ssh has ended, or its process was.
        _ = helper.read(&mut byte) => return Err(io::ErrorKind::UnexpectedEof.into()),
    };
    let Some(answer) = answer else { return Ok(false) };
    helper.write_all(&[ANSWERED]).await?;
    helper.write_all(answer.expose().as_bytes()).await?;
    helper.shutdown().await?;
    Ok(true)
}

/// What a process is to do that ssh started to ask `prompt`: passes it on through the socket, waits for the answer.
/// `None` if there is none. For the program's beginning: blocks.
///
/// # Errors
/// If the process that started ssh is gone.
pub fn askpass(socket: &Path, prompt: &str) -> io::Result<Option<Secret>> {
    let hint = std::env::var(HINT_VARIABLE).unwrap_or_default();
    let mut stream = std::os::unix::net::UnixStream::connect(socket)?;
    let without_end = |text: &str| text.replace('\0', "");
    let question = format!("{}\n{}\0", without_end(&hint).replace('\n', " "), without_end(prompt));
    stream.write_all(question.as_bytes())?;
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    stream.take(MAX_BYTES as u64).read_to_end(&mut bytes)?;
    let answer = bytes.split_first().filter(|(first, _)| **first == ANSWERED);
    Ok(answer.map(|(_, answer)| Secret::new(String::from_utf8_lossy(answer).into_owned())))
}
