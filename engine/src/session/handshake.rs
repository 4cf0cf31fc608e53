//! From the first hello to the server's: challenges, passwords, refusals.

use std::time::{Duration, Instant};

use super::auth::{self, CLIENT_SALT_LEN, MAX_CHALLENGES};
use super::config::Secret;
use super::connection::{CloseReason, ConnectionEvent};
use super::encryption::{self, EncryptionError};
use super::event::Output;
use super::hello;
use super::metadata::text;
use super::setup::Setup;
use crate::protocol::packet::connection::{self, Challenge};
use crate::protocol::packet::{Dict, Value};

/// How long the server may take to answer a hello.
pub const HELLO_TIMEOUT: Duration = Duration::from_secs(30);
/// Characters of the server's words for the password that it wants.
const MAX_PROMPT_CHARS: usize = 60;
/// Characters of the server's words that are shown.
const MAX_REASON_CHARS: usize = 300;

/// Where the handshake stands.
#[derive(Debug, Default)]
pub struct Handshake {
    challenges: u32,
    /// The password that was given beforehand answered a challenge: it answers no other.
    used: bool,
    /// What the challenges were answered with, in order.
    passwords: Vec<Secret>,
    /// The challenge that waits for the user's password.
    waiting: Option<Challenge>,
    /// The last answer was asked for, not given beforehand.
    was_asked: bool,
    /// When the server must have answered; `None` while the user is asked.
    deadline: Option<Instant>,
}

impl Handshake {
    /// Says hello.
    ///
    /// # Errors
    /// If the session ends with it: the system has no random numbers for its encryption.
    pub fn start(&mut self, now: Instant, setup: &Setup, out: &mut Vec<Output>) -> Result<(), CloseReason> {
        self.say(now, hello::hello(setup), setup, out)
    }

    /// Says hello, and how what is answered is to be encrypted.
    fn say(
        &mut self,
        now: Instant,
        mut hello: Dict,
        setup: &Setup,
        out: &mut Vec<Output>,
    ) -> Result<(), CloseReason> {
        if let Some(wanted) = encryption::wanted(setup) {
            let offer = encryption::offer(wanted, setup.peer.dialect).map_err(refused)?;
            encryption::say(&offer, setup.peer.dialect, &mut hello);
            out.push(Output::Decipher(Box::new(offer)));
        }
        self.deadline = Some(now + HELLO_TIMEOUT);
        out.push(Output::Send(connection::ToServer::Hello(hello).into()));
        Ok(())
    }

    /// When [`Handshake::timed_out`] may be true.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether the server took too long.
    pub fn timed_out(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| now >= deadline)
    }

    /// The server wants to know who we are.
    ///
    /// # Errors
    /// If the session ends with it: it cannot be answered, or nobody may be asked for a password.
    pub fn challenge(
        &mut self,
        now: Instant,
        challenge: Challenge,
        setup: &Setup,
        out: &mut Vec<Output>,
    ) -> Result<(), CloseReason> {
        self.challenges += 1;
        if self.challenges > MAX_CHALLENGES {
            return Err(refused(format!("the server asked for a password more than {MAX_CHALLENGES} times")));
        }
        agreed(&challenge.auth_caps, false, setup, out)?;
        auth::check(&challenge, setup.peer.link).map_err(refused)?;
        self.was_asked = false;
        if let Some(password) = setup.config.remembered.get(self.passwords.len()) {
            return self.respond(now, &challenge, password, setup, out);
        }
        if let Some(password) =
            setup.config.password.as_ref().filter(|_| !self.used && self.passwords.is_empty())
        {
            self.used = true;
            return self.respond(now, &challenge, password, setup, out);
        }
        let number = self.challenges;
        if !setup.local.may_prompt && self.used {
            let prompt = said(&challenge);
            return Err(refused(format!(
                "the server asks for another password after the one that was given ({prompt:?} in its words): \
                 attach with a window, where each is asked for"
            )));
        }
        if !setup.local.may_prompt {
            return Err(refused(
                "the server asks for a password: set FARPANE_PASSWORD, or use --password-file (for links, and session \
                 files from elsewhere, only the latter counts)",
            ));
        }
        let prompt = said(&challenge);
        self.deadline = None;
        self.waiting = Some(challenge);
        self.was_asked = true;
        out.push(Output::Event(ConnectionEvent::PasswordNeeded { prompt, number }.into()));
        Ok(())
    }

    /// The user's answer.
    ///
    /// # Errors
    /// If the session ends with it: the challenge cannot be answered.
    pub fn password(
        &mut self,
        now: Instant,
        password: &Secret,
        setup: &Setup,
        out: &mut Vec<Output>,
    ) -> Result<(), CloseReason> {
        match self.waiting.take() {
            Some(challenge) => self.respond(now, &challenge, password, setup, out),
            None => Ok(()),
        }
    }

    /// The user gave up: without a password there is no session.
    ///
    /// # Errors
    /// If one was asked for: the session ends.
    pub fn password_cancelled(&mut self) -> Result<(), CloseReason> {
        match self.waiting.take() {
            Some(_) => Err(refused("no password was given")),
            None => Ok(()),
        }
    }

    /// What the server's goodbye before its hello means: it may be about a password that it was given. Those before that
    /// one were right, and answer the next login as well.
    pub fn goodbye(&self, reasons: &[String], setup: &mut Setup) -> CloseReason {
        let words = said_goodbye(reasons);
        let lower = words.to_lowercase();
        if let Some(why) = not_possible(&lower) {
            return CloseReason::Authentication(why.to_owned());
        }
        if !is_about_login(&lower) {
            return goodbye(reasons);
        }
        let why = format!("the server refused the login: {words}");
        let Some((_, right)) = self.passwords.split_last() else { return CloseReason::Authentication(why) };
        let from = setup.config.password_from.as_str();
        let is_given = self.used && right.is_empty() && !from.is_empty();
        let why = if is_given { format!("{why} (with the password of {from})") } else { why };
        setup.config.remembered = right.to_owned();
        setup.config.password = None;
        let number = u32::try_from(self.passwords.len()).unwrap_or(MAX_CHALLENGES);
        CloseReason::PasswordRefused { why, number, was_asked: self.was_asked }
    }

    /// What was answered so far.
    pub fn passwords(&self) -> &[Secret] {
        &self.passwords
    }

    /// What the server let us in with.
    pub fn into_passwords(self) -> Vec<Secret> {
        self.passwords
    }

    fn respond(
        &mut self,
        now: Instant,
        challenge: &Challenge,
        password: &Secret,
        setup: &Setup,
        out: &mut Vec<Output>,
    ) -> Result<(), CloseReason> {
        let client_salt = random::<CLIENT_SALT_LEN>()?;
        out.push(Output::Event(ConnectionEvent::LoggingIn.into()));
        let answer = auth::respond(challenge, setup.peer.dialect, setup.peer.link, password, client_salt)
            .map_err(refused)?;
        let padding = random::<512>()?;
        let mut hello = hello::hello(setup);
        hello
            .push("challenge_response", bytes(&answer.response))
            .push("challenge_client_salt", bytes(&answer.client_salt))
            .push("challenge_padding", bytes(padding.get(..answer.padding_len).unwrap_or(&padding)));
        self.passwords.push(password.clone());
        self.say(now, hello, setup, out)
    }
}

/// Takes what the server says of encryption, in its hello or with a challenge, where it was asked for. Who is told
/// something and leaves may get nothing of that: 3.1.3's information has none.
///
/// # Errors
/// If it cannot be followed: then there is no session.
pub fn agreed(said: &Dict, is_last: bool, setup: &Setup, out: &mut Vec<Output>) -> Result<(), CloseReason> {
    if let Some(wanted) = encryption::wanted(setup) {
        match encryption::answer(said, wanted, setup.peer.dialect) {
            Ok(spec) => out.push(Output::Encipher(Box::new(spec))),
            Err(EncryptionError::Nothing) if is_last => {}
            Err(error) => return Err(refused(error)),
        }
    }
    Ok(())
}

/// What a server says that it wants, in a short line: it may say anything.
fn said(challenge: &Challenge) -> String {
    let prompt = challenge.prompt.as_deref().unwrap_or_default();
    let line = text(&Value::from(prompt.lines().next().unwrap_or_default()));
    // Marks of the writing direction, and other characters that nobody sees.
    let is_hidden = |c: char| {
        matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    let seen = line.chars().filter(|c| !is_hidden(*c));
    let mut shown: String = seen.clone().take(MAX_PROMPT_CHARS).collect();
    if seen.count() > MAX_PROMPT_CHARS {
        shown.push('…');
    }
    shown.trim().to_owned()
}

/// What the server's goodbye to a session means.
pub fn goodbye(reasons: &[String]) -> CloseReason {
    let words = said_goodbye(reasons);
    CloseReason::Server(if words.is_empty() { "no reason given".to_owned() } else { words })
}

/// A goodbye's words.
fn said_goodbye(reasons: &[String]) -> String {
    let words: Vec<String> = reasons.iter().map(|r| text(&Value::from(r.as_str()))).collect();
    let words = words.iter().filter(|w| !w.is_empty()).map(String::as_str).collect::<Vec<_>>().join(": ");
    words.chars().take(MAX_REASON_CHARS).collect()
}

/// Why no password would help, of a goodbye in lower case.
fn not_possible(words: &str) -> Option<&'static str> {
    if ["'xor' digest", "xor digest"].iter().any(|needle| words.contains(needle)) {
        return Some(
            "the server asks for the password in a way that others on the network could read: connect with \
             ssl:// instead, or `ssh -L`",
        );
    }
    encryption::refusal(words)
}

/// Whether a goodbye before the server's hello, in lower case, says that it knows somebody else by this name, or with
/// another password.
fn is_about_login(words: &str) -> bool {
    let about = ["authentication", "password", "challenge", "credential", "digest", "permission", "username"];
    about.iter().any(|needle| words.contains(needle))
}

fn refused(why: impl std::fmt::Display) -> CloseReason {
    CloseReason::Authentication(why.to_string())
}

fn random<const N: usize>() -> Result<[u8; N], CloseReason> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| refused(format!("no random numbers from the system: {e}")))?;
    Ok(bytes)
}

/// A value of a few bytes for the hello map.
fn bytes(bytes: &[u8]) -> Value {
    Value::from(Vec::from(bytes))
}
