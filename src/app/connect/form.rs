//! Between what is typed and what is meant: the form's fields, and a [`Request`] with options.

use crate::config::connections::address;
use crate::config::{Layer, OptionError, Origin, Request};
use crate::net::quic::Framing;
use crate::net::{Endpoint, HostPort, Target, TargetError, Wanted};
use crate::ui::{ConnectForm, FormProtocol};

/// The option names that the form has fields for.
const ENCODING: &str = "encoding";
const QUALITY: &str = "quality";
const SPEED: &str = "speed";
const PASSWORD_FILE: &str = "password-file";
const SCALING: &str = "desktop-scaling";
const OVERLAY: &str = "overlay";
const CA_CERTS: &str = "ssl-ca-certs";
const VERIFY: &str = "ssl-server-verify-mode";
const HOSTNAME: &str = "ssl-server-hostname";

/// Fills the fields that say where to connect from a target. The address stays as it was typed.
pub fn show_target(form: &mut ConnectForm, target: &Target) {
    let at = match &target.endpoint {
        Endpoint::Tcp(at) => (FormProtocol::Tcp, Some(at)),
        Endpoint::Ssh(at) => (FormProtocol::Ssh, Some(at)),
        Endpoint::Tls(at) => (FormProtocol::Ssl, Some(at)),
        Endpoint::WebSocket { at, secure: false } => (FormProtocol::WebSocket, Some(at)),
        Endpoint::WebSocket { at, secure: true } => (FormProtocol::WebSocketTls, Some(at)),
        Endpoint::Quic { at, framing: Framing::WebSocket } => (FormProtocol::Quic, Some(at)),
        Endpoint::Quic { at, framing: Framing::WebTransport } => (FormProtocol::WebTransport, Some(at)),
        Endpoint::Unix(_) | Endpoint::Abstract(_) | Endpoint::Display(_) | Endpoint::Vsock(_) => {
            (FormProtocol::Local, None)
        }
    };
    form.protocol = at.0;
    form.host = at.1.map(|at| at.host.clone()).unwrap_or_default();
    form.port = at.1.map(|at| at.port.to_string()).unwrap_or_default();
    form.display = match &target.endpoint {
        Endpoint::Unix(path) => path.display().to_string(),
        Endpoint::Abstract(name) => format!("@{name}"),
        Endpoint::Display(name) if name.starts_with("wayland-") => name.clone(),
        Endpoint::Display(name) => format!(":{name}"),
        Endpoint::Vsock(at) => format!("vsock://{at}/"),
        _ => target.display.clone().unwrap_or_default(),
    };
    form.user = target.username.clone().unwrap_or_default();
}

/// Fills the other fields from options.
pub fn show_options(form: &mut ConnectForm, options: &Layer) {
    let text =
        |name| options.value(name).map(|value| value.text.to_string_lossy().into_owned()).unwrap_or_default();
    let percent = |name| text(name).parse().unwrap_or(0);
    form.encoding = Some(text(ENCODING)).filter(|encoding| encoding != "auto").unwrap_or_default();
    form.quality = percent(QUALITY);
    form.speed = percent(SPEED);
    form.password_file = text(PASSWORD_FILE);
    form.scaling = Some(text(SCALING)).filter(|scaling| scaling != "hidpi").unwrap_or_default();
    form.overlay = matches!(text(OVERLAY).as_str(), "yes" | "true" | "on" | "1");
    form.tls.off = text(VERIFY) == "none";
    form.tls.ca_certs = text(CA_CERTS);
    form.tls.hostname = text(HOSTNAME);
}

/// What the fields lead to; `None` while there is no host yet.
///
/// # Errors
/// If they cannot be an address.
pub fn target(form: &ConnectForm) -> Option<Result<Target, TargetError>> {
    let (host, port, display) = (form.host.trim(), form.port.trim(), form.display.trim());
    if form.protocol == FormProtocol::Local {
        return (!display.is_empty()).then(|| Target::parse(display));
    }
    if host.is_empty() {
        return None;
    }
    let scheme = match form.protocol {
        FormProtocol::Tcp | FormProtocol::Local => "tcp",
        FormProtocol::Ssl => "ssl",
        FormProtocol::WebSocket => "ws",
        FormProtocol::WebSocketTls => "wss",
        FormProtocol::Quic => "quic",
        FormProtocol::WebTransport => "wt",
        FormProtocol::Ssh => "ssh",
    };
    // Brackets keep an IPv6 address from the port.
    let host =
        if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
    let port = if port.is_empty() { String::new() } else { format!(":{port}") };
    let parsed = Target::parse(&format!("{scheme}://{host}{port}/"));
    Some(parsed.map(|target| Target {
        display: (!display.is_empty()).then(|| display.to_owned()),
        username: Some(form.user.trim().to_owned()).filter(|user| !user.is_empty()),
        ..target
    }))
}

/// Makes a request that the form was filled from lead to another target. What was kept for one server is
/// no password for another.
pub fn lead_to(target: Target, form: &mut ConnectForm, request: &mut Request) {
    if request.target.endpoint != target.endpoint {
        request.password = None;
        request.options.unset(PASSWORD_FILE);
        form.password_file.clear();
    }
    request.target = target;
}

/// Clears the field of a password file that was kept for the server of `base`, once the address is another.
pub fn forget_password_file(form: &mut ConnectForm, base: &Request) {
    let kept = base.options.value(PASSWORD_FILE).map(|value| value.text.to_string_lossy());
    if address(&base.target) != form.address.trim() && kept.is_some_and(|kept| kept == form.password_file) {
        form.password_file.clear();
    }
}

/// Writes what was chosen since the form looked like `before` over `options`.
///
/// # Errors
/// If a field has a value that its option does not take.
fn choose(form: &ConnectForm, before: &ConnectForm, options: &mut Layer) -> Result<(), OptionError> {
    let yes_no = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let or = |text: &str, empty: &str| {
        if text.trim().is_empty() { empty.to_owned() } else { text.trim().to_owned() }
    };
    let verify = if form.tls.off { "none" } else { "ask" };
    let choices = [
        (form.encoding != before.encoding, ENCODING, or(&form.encoding, "auto")),
        (form.quality != before.quality, QUALITY, form.quality.to_string()),
        (form.speed != before.speed, SPEED, form.speed.to_string()),
        (form.scaling != before.scaling, SCALING, or(&form.scaling, "hidpi")),
        (form.overlay != before.overlay, OVERLAY, yes_no(form.overlay)),
        (form.tls.off != before.tls.off, VERIFY, verify.to_owned()),
        (form.password_file != before.password_file, PASSWORD_FILE, form.password_file.trim().to_owned()),
        (form.tls.ca_certs != before.tls.ca_certs, CA_CERTS, form.tls.ca_certs.trim().to_owned()),
        (form.tls.hostname != before.tls.hostname, HOSTNAME, form.tls.hostname.trim().to_owned()),
    ];
    for (changed, name, value) in choices {
        match value.is_empty() {
            _ if !changed => {}
            true => options.unset(name),
            false => options.set(name, value, Origin::Window)?,
        }
    }
    Ok(())
}

/// What the host's field and the target agree on, for naming a connection that has no name yet.
pub fn suggested_name(target: &Target) -> String {
    match &target.endpoint {
        Endpoint::Tcp(HostPort { host, .. })
        | Endpoint::Tls(HostPort { host, .. })
        | Endpoint::Ssh(HostPort { host, .. })
        | Endpoint::WebSocket { at: HostPort { host, .. }, .. }
        | Endpoint::Quic { at: HostPort { host, .. }, .. } => host.replace(':', "-"),
        Endpoint::Display(display) => format!("display {display}"),
        Endpoint::Vsock(at) => format!("machine {}", at.cid),
        Endpoint::Unix(_) | Endpoint::Abstract(_) => String::new(),
    }
}

/// What is wanted at the form's address.
pub fn wanted(form: &ConnectForm) -> Wanted {
    if !form.starts() {
        return Wanted::Running;
    }
    Wanted::New { command: "start", arguments: vec![format!("--start={}", form.program.trim())] }
}

/// The request that the form makes, where `base` is what it was filled from.
///
/// # Errors
/// The words for the user.
pub fn request(form: &ConnectForm, base: Option<&Request>) -> Result<Request, String> {
    let text = form.address.trim();
    let mut before = ConnectForm::default();
    let mut request = match base {
        // What a saved connection or link says besides the address stays.
        Some(base) if address(&base.target) == text => {
            show_options(&mut before, &base.options);
            base.clone()
        }
        _ if form.starts() && form.protocol == FormProtocol::Local && text.is_empty() => {
            Request::new_session()
        }
        // So do the options of an address, which the form's fields do not show. A password file that was
        // kept for another server is not chosen for this one.
        _ => {
            let kept = base.and_then(|base| base.options.value(PASSWORD_FILE));
            before.password_file =
                kept.map(|value| value.text.to_string_lossy().into_owned()).unwrap_or_default();
            Request::address(text).map_err(|error| error.to_string())?
        }
    };
    choose(form, &before, &mut request.options).map_err(|error| error.to_string())?;
    Ok(request)
}
