//! The connection itself, both ways: hello, login, pings, the end, and what servers say about themselves
//! (Protocol.md §5.3, §7.1, §8.1).

use crate::protocol::tape::Node;

use super::args::{ArgError, Args};
use super::menu::Menu;
use super::names::{self, Names, Naming, alias, received};
use super::out::Out;
use super::{Dict, Value};

/// The packets that have two names.
pub const NAMES: Names = Names {
    to_client: &[
        alias("ping-echo", "ping_echo", Naming::V66),
        alias("connection-close", "disconnect", Naming::V65),
        received("server-event", "events"),
    ],
    to_server: &[
        alias("ping-echo", "ping_echo", Naming::V66),
        alias("connection-close", "disconnect", Naming::V65),
        alias("command-start", "start-command", Naming::V65),
    ],
};

/// From the server.
#[derive(Clone, Debug, PartialEq)]
pub enum FromServer {
    Hello(Dict),
    Challenge(Challenge),
    /// `connection-close`, legacy `disconnect`.
    Close {
        reasons: Vec<String>,
    },
    Ping {
        monotonic_ms: u64,
        sid: Option<String>,
    },
    PingEcho(PingEcho),
    StartupComplete,
    SettingChange {
        name: String,
        value: Value,
    },
    /// `setting-change` of the menu of applications.
    Menu(Menu),
    /// `server-event`, also `events`.
    ServerEvent {
        name: String,
        values: Vec<Value>,
    },
    Control {
        command: String,
        arguments: Vec<Value>,
    },
    InfoResponse(Dict),
}

/// To the server.
#[derive(Clone, Debug, PartialEq)]
pub enum ToServer {
    Hello(Dict),
    /// `connection-close`, legacy `disconnect`.
    Close {
        reason: String,
    },
    Ping {
        monotonic_ms: u64,
    },
    PingEcho(PingEcho),
    InfoRequest,
    /// `shutdown-server`: the session ends, with all that runs in it.
    StopServer,
    /// `exit-server`: the server ends; display and programs stay.
    ExitServer,
    /// `command-start`, legacy `start-command`: run this in the session. No server says whether it can.
    Start {
        /// What it is called where the session's programs are listed.
        name: String,
        /// Words as for a shell, but no shell sees them.
        command: String,
        /// A session that ends with its programs does not wait for this one.
        ignored: bool,
    },
    /// Nothing is shown (or is again): servers send no pixels meanwhile.
    Suspend {
        suspended: bool,
    },
}

/// `challenge` (Protocol.md §5.3).
#[derive(Clone, Debug, PartialEq)]
pub struct Challenge {
    pub salt: Vec<u8>,
    pub auth_caps: Dict,
    /// For example `hmac+sha512`, `xor`, `kerberos:…`.
    pub digest: String,
    /// For example `hmac+sha256`.
    pub salt_digest: String,
    pub prompt: Option<String>,
}

/// `ping-echo`, legacy `ping_echo`.
#[derive(Clone, Debug, PartialEq)]
pub struct PingEcho {
    pub monotonic_ms: u64,
    /// Load averages over 1, 5 and 15 minutes, times 1000.
    pub load: [u64; 3],
    /// −1 when unknown.
    pub latency_ms: i64,
    pub sid: Option<String>,
}

impl FromServer {
    /// The modern name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Hello(_) => "hello",
            Self::Challenge(_) => "challenge",
            Self::Close { .. } => "connection-close",
            Self::Ping { .. } => "ping",
            Self::PingEcho(_) => "ping-echo",
            Self::StartupComplete => "startup-complete",
            Self::SettingChange { .. } | Self::Menu(_) => "setting-change",
            Self::ServerEvent { .. } => "server-event",
            Self::Control { .. } => "control",
            Self::InfoResponse(_) => "info-response",
        }
    }

    /// Reads a packet; `None` if it is of another subject.
    ///
    /// # Errors
    /// If an argument is missing or wrong.
    pub fn parse(args: &mut Args<'_>) -> Result<Option<Self>, ArgError> {
        Ok(Some(match names::modern(NAMES.to_client, args.packet()) {
            "hello" => Self::Hello(args.dict("capabilities")?),
            "challenge" => Self::Challenge(challenge(args)?),
            "connection-close" => Self::Close { reasons: reasons(args)? },
            "ping" => ping(args)?,
            "ping-echo" => Self::PingEcho(ping_echo(args)?),
            "startup-complete" => Self::StartupComplete,
            "setting-change" => {
                let name = args.string("name")?;
                if Menu::is_name(&name) {
                    Self::Menu(Menu::read(args))
                } else {
                    Self::SettingChange { name, value: args.value("value")? }
                }
            }
            "server-event" => Self::ServerEvent { name: args.string("name")?, values: args.rest() },
            "control" => Self::Control { command: args.string("command")?, arguments: args.rest() },
            "info-response" => Self::InfoResponse(args.dict("information")?),
            _ => return Ok(None),
        }))
    }

    /// Writes the packet.
    pub fn encode(&self, out: &mut Out<'_, '_>) {
        match self {
            Self::Hello(capabilities) => out.packet("hello", 1, |args| args.dict(capabilities)),
            Self::Challenge(challenge) => out.packet("challenge", 5, |args| {
                args.bytes(&challenge.salt);
                args.dict(&challenge.auth_caps);
                args.str(&challenge.digest);
                args.str(&challenge.salt_digest);
                args.str(challenge.prompt.as_deref().unwrap_or_default());
            }),
            Self::Close { reasons } => out.packet("connection-close", reasons.len(), |args| {
                reasons.iter().for_each(|reason| args.str(reason));
            }),
            Self::Ping { monotonic_ms, sid } => write_ping(out, *monotonic_ms, sid.as_deref()),
            Self::PingEcho(echo) => write_ping_echo(out, echo),
            Self::StartupComplete => out.packet("startup-complete", 0, |_| {}),
            Self::SettingChange { name, value } => out.packet("setting-change", 2, |args| {
                args.str(name);
                args.value(value);
            }),
            Self::Menu(menu) => {
                let name = Menu::name(out.naming);
                out.packet("setting-change", 2, |args| {
                    args.str(name);
                    menu.write(args);
                });
            }
            Self::ServerEvent { name, values } => out.texts("server-event", name, values),
            Self::Control { command, arguments } => out.texts("control", command, arguments),
            Self::InfoResponse(information) => out.packet("info-response", 1, |args| args.dict(information)),
        }
    }
}

impl ToServer {
    /// Reads a packet; `None` if it is of another subject.
    ///
    /// # Errors
    /// If an argument is missing or wrong.
    pub fn parse(args: &mut Args<'_>) -> Result<Option<Self>, ArgError> {
        Ok(Some(match names::modern(NAMES.to_server, args.packet()) {
            "hello" => Self::Hello(args.dict("capabilities")?),
            "connection-close" => Self::Close { reason: reasons(args)?.join(", ") },
            "ping" => Self::Ping { monotonic_ms: args.u64("monotonic_ms")? },
            "ping-echo" => Self::PingEcho(ping_echo(args)?),
            "info-request" => Self::InfoRequest,
            "shutdown-server" => Self::StopServer,
            "exit-server" => Self::ExitServer,
            "command-start" => Self::Start {
                name: args.string("name")?,
                command: args.string("command")?,
                ignored: args.bool("ignored")?,
            },
            // 3.1 puts "user interface too" here, always true; 6.6 whether to suspend or resume.
            "suspend" => Self::Suspend { suspended: args.left() == 0 || args.bool("suspended")? },
            "resume" => Self::Suspend { suspended: false },
            _ => return Ok(None),
        }))
    }

    /// Writes the packet.
    pub fn encode(&self, out: &mut Out<'_, '_>) {
        match self {
            Self::Hello(capabilities) => out.packet("hello", 1, |args| args.dict(capabilities)),
            Self::Close { reason } => out.packet("connection-close", 1, |args| args.str(reason)),
            Self::Ping { monotonic_ms } => out.packet("ping", 1, |args| args.uint(*monotonic_ms)),
            Self::PingEcho(echo) => write_ping_echo(out, echo),
            Self::InfoRequest => out.packet("info-request", 2, |args| {
                args.list(0, |_| {});
                args.list(0, |_| {});
            }),
            Self::StopServer => out.packet("shutdown-server", 0, |_| {}),
            Self::ExitServer => out.packet("exit-server", 0, |_| {}),
            Self::Start { name, command, ignored } => out.packet("command-start", 3, |args| {
                args.str(name);
                args.str(command);
                args.bool(*ignored);
            }),
            Self::Suspend { suspended } => suspend(out, *suspended),
        }
    }
}

fn challenge(args: &mut Args<'_>) -> Result<Challenge, ArgError> {
    Ok(Challenge {
        salt: Vec::from(&args.bytes("salt")?[..]),
        auth_caps: args.dict("auth_caps")?,
        digest: args.string("digest")?,
        salt_digest: if args.left() > 0 { args.string("salt_digest")? } else { "xor".to_owned() },
        prompt: if args.left() > 0 {
            Some(args.string("prompt")?).filter(|text| !text.is_empty())
        } else {
            None
        },
    })
}

/// One list of texts, or, as every released server has it, one argument a text.
fn reasons(args: &mut Args<'_>) -> Result<Vec<String>, ArgError> {
    if matches!(args.peek(), Some(Node::List { .. })) {
        return args.list("reasons").map(|list| list.strings());
    }
    let mut reasons = Vec::new();
    while args.left() > 0 {
        reasons.push(args.string("reason")?);
    }
    Ok(reasons)
}

/// The modern form has `sid` second; released servers put their wall clock there and `sid` third.
fn ping(args: &mut Args<'_>) -> Result<FromServer, ArgError> {
    let monotonic_ms = args.u64("monotonic_ms")?;
    if matches!(args.peek(), Some(Node::Int(_))) {
        args.skip("time")?;
    }
    Ok(FromServer::Ping { monotonic_ms, sid: sid(args)? })
}

/// The last argument of ping and its echo.
fn sid(args: &mut Args<'_>) -> Result<Option<String>, ArgError> {
    if args.left() == 0 {
        return Ok(None);
    }
    args.string("sid").map(|sid| Some(sid).filter(|sid| !sid.is_empty()))
}

fn ping_echo(args: &mut Args<'_>) -> Result<PingEcho, ArgError> {
    Ok(PingEcho {
        monotonic_ms: args.u64("monotonic_ms")?,
        load: [args.u64("load1")?, args.u64("load5")?, args.u64("load15")?],
        latency_ms: args.i64("latency_ms")?,
        sid: sid(args)?,
    })
}

/// Released clients look for `sid` after the server's wall clock, which they do not use.
fn write_ping(out: &mut Out<'_, '_>, monotonic_ms: u64, sid: Option<&str>) {
    let with_clock = out.naming != Naming::V66;
    let count = 1 + (usize::from(with_clock) + 1) * usize::from(sid.is_some());
    out.packet("ping", count, |args| {
        args.uint(monotonic_ms);
        if let Some(sid) = sid {
            if with_clock {
                args.int(0);
            }
            args.str(sid);
        }
    });
}

fn write_ping_echo(out: &mut Out<'_, '_>, echo: &PingEcho) {
    out.packet("ping-echo", 6, |args| {
        args.uint(echo.monotonic_ms);
        echo.load.iter().for_each(|load| args.uint(*load));
        args.int(echo.latency_ms);
        args.str(echo.sid.as_deref().unwrap_or_default());
    });
}

/// Before 6.6 there are two packets; 3.1 wants to know of which windows.
fn suspend(out: &mut Out<'_, '_>, suspended: bool) {
    match (out.naming, suspended) {
        (Naming::V66, _) => out.packet("suspend", 1, |args| args.bool(suspended)),
        (Naming::V65, true) => out.packet("suspend", 0, |_| {}),
        (Naming::V65, false) => out.packet("resume", 0, |_| {}),
        (Naming::Legacy, _) => out.packet(if suspended { "suspend" } else { "resume" }, 2, |args| {
            args.bool(true);
            args.list(0, |_| {});
        }),
    }
}
