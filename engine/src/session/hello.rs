//! The client's hello: what is said of the connection itself, then what each room says, in the way of either
//! generation (Protocol.md §5.2, §6; what the servers read: `xpra/server/source/*.py`).

use super::auth;
use super::config::Profile;
use super::setup::Setup;
use super::{clipboard, display, encodings, keyboard, pointer, windows};
use crate::protocol::Dialect;
use crate::protocol::packet::Dict;

/// The rooms that have something to say.
const ROOMS: [fn(&Setup, &mut Dict); 7] = [
    capabilities,
    windows::capabilities,
    pointer::capabilities,
    keyboard::capabilities,
    encodings::capabilities,
    display::capabilities,
    clipboard::capabilities,
];

/// The first hello, without challenge response.
pub fn hello(setup: &Setup) -> Dict {
    let mut hello = common(setup);
    match (setup.config.profile, setup.peer.dialect) {
        (Profile::Info, dialect) => {
            hello.push("request", "info");
            if dialect == Dialect::Legacy31 {
                hello.push("info_request", true).push("info-namespace", true).push("windows", false);
            }
        }
        (Profile::Identify, _) => {
            hello.push("request", "id");
        }
        (Profile::Version, _) => {
            hello.push("request", "version");
        }
        (Profile::Command(command), dialect) => {
            // Whoever is attached stays so.
            hello.push("ui_client", false).push("share", true).push("windows", false);
            match dialect {
                Dialect::Legacy31 => hello.push(&format!("{}_request", command.name()), true),
                _ => hello.push("request", command.name()).push("wants", &["features"][..]),
            };
        }
        (Profile::Attach, _) => ROOMS.iter().for_each(|room| room(setup, &mut hello)),
    }
    if let Some(name) = &setup.config.display_name
        && hello.get("display").is_none()
    {
        hello.push("display", name.as_str());
    }
    hello
}

/// Capabilities that are the same for everyone, whatever the session is for.
fn common(setup: &Setup) -> Dict {
    let mut hello = Dict::default();
    let identity = &setup.config.identity;
    let version = if setup.peer.dialect.is_modern() { "6.5" } else { "3.1.3" };
    let encoder = setup.peer.dialect.packet_encoder();
    let compressors = setup.offered_compressors();
    hello
        .push("version", version)
        .push("client_type", concat!("Farpane/", env!("CARGO_PKG_VERSION")))
        .push("hostname", identity.hostname.as_str())
        .push("username", identity.username.as_str())
        .push("uuid", identity.uuid.as_str())
        .push("session-id", identity.session_id.as_str())
        .push("platform", std::env::consts::OS)
        .push("encoders", &[encoder][..])
        .push(encoder, true)
        .push("chunks", true)
        .push("compressors", &compressors[..])
        .push("compression_level", u32::from(setup.config.compression_level))
        .push("digest", &auth::offered_digests(setup.peer.dialect, setup.peer.link)[..])
        .push("salt-digest", &auth::salt_digests(setup.peer.dialect)[..]);
    for compressor in compressors {
        hello.push(compressor, true);
    }
    hello
}

/// Of a session that shows windows: what it is and what it wants.
fn capabilities(setup: &Setup, hello: &mut Dict) {
    hello
        .push("setting-change", true)
        .push("ping-echo-sourceid", true)
        // Whether it looks how much the line carries is left to the server; 6.5.5 does not where nothing is said.
        .push("bandwidth-detection", true)
        .push("share", setup.config.share)
        .push("lock", false);
    if setup.local.shows_menu {
        let menu = if setup.peer.dialect.is_modern() { "menu" } else { "xdg-menu-update" };
        hello.push(menu, true);
    }
    if setup.peer.dialect.is_modern() {
        hello
            .push("wants", &["encodings", "display", "versions", "features", "packet-types"][..])
            .push("versions", true)
            .push("server-features", true)
            .push("network-state", true)
            // what 6.x calls it where it is not to be backwards compatible
            .push("bandwidth", true)
            .push("ping", true);
        return;
    }
    hello
        .push("namespace", true)
        // what of us its information shows: it leaves `session-id` out
        .push("argv", &["farpane", setup.config.identity.session_id.as_str()][..])
        .push("raw_packets", true)
        .push("lzo", false)
        .push("wants_aliases", false)
        .push("wants_events", false)
        .push("notify-startup-complete", true)
        .push("notifications", false);
}
