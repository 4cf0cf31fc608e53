//! Proxies in Xpra's words: what the options `proxy-type`, `proxy-host`, `proxy-port`, `proxy-username`, `proxy-password` and
//! `proxy-rdns` of an address say together is one value of Farpane's option `proxy`.

use zeroize::Zeroizing;

use super::layers::PROXY;
use super::{Layer, OptionError, Origin, flag};
use crate::net::proxy::{DEFAULT_PORT, Proxy, ProxyKind};
use crate::net::{Endpoint, Secret, Target};

/// Their names.
pub const NAMES: [&str; 6] =
    ["proxy-type", "proxy-host", "proxy-port", "proxy-username", "proxy-password", "proxy-rdns"];
/// Of a value that an error repeats, in characters.
const MAX_SHOWN: usize = 40;

/// What was said so far.
#[derive(Default)]
pub struct ProxyWords {
    /// By [`NAMES`].
    values: [Option<Zeroizing<String>>; 6],
}

impl ProxyWords {
    /// Takes an option, if it is one of these.
    pub fn take(&mut self, name: &str, value: &str) -> bool {
        let Some(index) = NAMES.iter().position(|known| *known == name) else { return false };
        if let Some(slot) = self.values.get_mut(index) {
            *slot = (!value.is_empty()).then(|| Zeroizing::new(value.to_owned()));
        }
        true
    }

    /// Says it to `layer`, unless that says something of a proxy already.
    ///
    /// # Errors
    /// If it is no proxy.
    pub fn finish(self, layer: &mut Layer, origin: Origin) -> Result<(), OptionError> {
        let [kind, host, port, username, password, rdns] = self.values;
        let error = |name: &str, got: &str, why: &str| OptionError::Value {
            name: name.to_owned(),
            got: got.chars().take(MAX_SHOWN).collect(),
            why: why.to_owned(),
        };
        let said = |text: &Option<Zeroizing<String>>| text.as_ref().map(|text| text.as_str().to_owned());
        let Some(host) = said(&host) else {
            // The kind of proxy alone leads nowhere: nobody is to believe that there is one.
            let other =
                [("proxy-type", &kind), ("proxy-port", &port)].into_iter().find(|(_, value)| value.is_some());
            let Some((name, value)) = other else { return Ok(()) };
            let value = said(value).unwrap_or_default();
            return Err(error(name, &value, "a proxy needs proxy-host too"));
        };
        if layer.value(PROXY).is_some() {
            return Ok(());
        }
        let kind = match said(&kind).unwrap_or_default().to_ascii_uppercase().as_str() {
            "" | "SOCKS5" => ProxyKind::Socks5,
            "SOCKS4" => ProxyKind::Socks4,
            "HTTP" => ProxyKind::Http,
            other => return Err(error("proxy-type", other, "expected SOCKS5, SOCKS4 or HTTP")),
        };
        let port = said(&port).unwrap_or_else(|| DEFAULT_PORT.to_string());
        if port.parse::<u16>().map_or(true, |port| port == 0) {
            return Err(error("proxy-port", &port, "expected a port number, 1 to 65535"));
        }
        let place = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host };
        if place.contains(['/', '?', '#', '@']) {
            return Err(error("proxy-host", &place, "expected the name or address of a host"));
        }
        let Ok(Target { endpoint: Endpoint::Tcp(at), username: None, password: None, display: None, .. }) =
            Target::parse(&format!("tcp://{place}:{port}/"))
        else {
            return Err(error("proxy-host", &place, "expected the name or address of a host"));
        };
        let resolves = match said(&rdns) {
            None => true,
            Some(text) => flag(&text).map_err(|why| error("proxy-rdns", &text, &why))?,
        };
        let password = password.map(Secret::from);
        let proxy = Proxy { kind, at, username: said(&username), password, resolves };
        let proxy = proxy.checked().map_err(|why| error("proxy-username", "…", &why))?;
        layer.set_proxy(&proxy, origin);
        Ok(())
    }
}
