//! The monitors as RandR 1.5 has them: a screen that somebody split in two counts as two.

use x11rb::protocol::randr::ConnectionExt as _;
use x11rb::protocol::xproto::ConnectionExt as _;

use super::X11;
use crate::desktop::MonitorFacts;
use crate::geometry::Rect;

impl X11 {
    /// The active monitors; empty where there is no RandR 1.5.
    pub fn monitors(&self) -> Vec<MonitorFacts> {
        let monitors = self.connection.randr_get_monitors(self.root, true).ok();
        let Some(monitors) = monitors.and_then(|cookie| cookie.reply().ok()) else { return Vec::new() };
        let found = monitors.monitors.iter().filter(|monitor| monitor.width > 0 && monitor.height > 0);
        found
            .map(|monitor| MonitorFacts {
                name: self.atom_name(monitor.name),
                area: Rect {
                    x: monitor.x.into(),
                    y: monitor.y.into(),
                    width: monitor.width.into(),
                    height: monitor.height.into(),
                },
                primary: monitor.primary,
            })
            .collect()
    }

    fn atom_name(&self, atom: u32) -> String {
        let name = self.connection.get_atom_name(atom).ok().and_then(|cookie| cookie.reply().ok());
        name.map(|name| String::from_utf8_lossy(&name.name).into_owned()).unwrap_or_default()
    }
}
