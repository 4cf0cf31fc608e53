//! What proxies refuse, in words.

use std::io;
use std::time::Duration;

use super::Proxy;

/// Why there is no connection through a proxy. Each message names the proxy and what it said.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    #[error("cannot reach the proxy {proxy}: {why} (--proxy=none connects without one)")]
    Unreachable { proxy: String, why: String },
    #[error(
        "the proxy {proxy} wants a login: write its address as {scheme}://NAME:PASSWORD@{place}{offered}"
    )]
    WantsLogin {
        proxy: String,
        scheme: &'static str,
        place: String,
        /// In brackets, with a space before them.
        offered: String,
    },
    #[error("the proxy {proxy} refused the login{said}: check its name and password")]
    LoginRefused {
        proxy: String,
        /// In brackets, with a space before them.
        said: String,
    },
    #[error("the proxy {proxy} does not connect to {to}: {said}")]
    Refused { proxy: String, to: String, said: String },
    #[error("what answers at {proxy} is no {expected}: {why}")]
    NoProxy { proxy: String, expected: &'static str, why: String },
    #[error(
        "the proxy {proxy} closed the connection when it was asked for {to} (does the server run there? if it does: is this a {expected}?)"
    )]
    Closed { proxy: String, to: String, expected: &'static str },
    #[error("the proxy {proxy} did not answer within {} s when it was asked for {to} (is it a {expected}?)", limit.as_secs())]
    Silent { proxy: String, to: String, expected: &'static str, limit: Duration },
    #[error("the connection to the proxy {proxy} failed: {source}")]
    Io { proxy: String, source: io::Error },
    #[error("the proxy {proxy} cannot be asked for {to}: {why}")]
    CannotAsk { proxy: String, to: String, why: &'static str },
}

impl ProxyError {
    /// Nothing came within `limit`.
    pub(crate) fn silent(proxy: &Proxy, to: String, limit: Duration) -> Self {
        Self::Silent { proxy: proxy.to_string(), to, expected: proxy.kind.name(), limit }
    }

    /// Whether it will be the same the next time.
    pub(crate) fn is_final(&self) -> bool {
        matches!(
            self,
            Self::WantsLogin { .. }
                | Self::LoginRefused { .. }
                | Self::NoProxy { .. }
                | Self::CannotAsk { .. }
        )
    }
}
