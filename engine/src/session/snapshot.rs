//! What a server would have to say for somebody who comes later to see the session as it is now.

use super::{Session, metadata};
use crate::protocol::packet::Dict;
use crate::protocol::packet::ServerPacket;
use crate::protocol::packet::connection;
use crate::protocol::packet::window::{self, WindowCreate};

impl Session {
    /// The server's hello and the windows with their icons, as they are now, without their pixels. Nothing
    /// before the server's hello.
    pub fn snapshot(&self) -> Vec<ServerPacket> {
        let Some(hello) = &self.server_hello else { return Vec::new() };
        let mut packets = vec![ServerPacket::Connection(connection::FromServer::Hello(hello.clone()))];
        for info in self.windows.all() {
            let wid = info.wid;
            packets.push(
                window::FromServer::Create(WindowCreate {
                    wid,
                    x: info.x,
                    y: info.y,
                    width: info.size.width,
                    height: info.size.height,
                    metadata: metadata::told(info),
                    client_properties: Dict::default(),
                    override_redirect: info.override_redirect,
                    tray: false,
                })
                .into(),
            );
            if let Some(image) = info.icon.clone() {
                packets.push(window::FromServer::Icon { wid, image }.into());
            }
        }
        packets.push(connection::FromServer::StartupComplete.into());
        packets
    }
}
