//! The screen that a client under test draws on: an Xvfb of its own, and what can be seen there.

use std::io::{BufRead as _, BufReader, IoSlice};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TrySendError, sync_channel};
use std::time::Instant;

use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::protocol::Event;
use x11rb::protocol::damage::{ConnectionExt as _, ReportLevel};
use x11rb::protocol::xproto::{
    ConnectionExt as _, ImageFormat, ImageOrder, InputFocus, KEY_PRESS_EVENT, KEY_RELEASE_EVENT, MapState,
    Window,
};
use x11rb::rust_connection::RustConnection;
use x11rb::{CURRENT_TIME, NONE};

use crate::channel::clock;
use crate::geometry::Size;
use crate::headless::WindowPixels;

use super::Error;

/// Rows of a window that are looked at to see whether it shows a picture yet: quarters of it.
const ROWS: [u32; 3] = [1, 2, 3];
/// Frames that toolkits draw are at most this thick, both sides together.
const MAX_FRAME: u32 = 120;
/// Windows in windows, at most.
const MAX_DEPTH: u32 = 8;

/// A virtual screen without a window manager.
#[derive(Debug)]
pub struct Screen {
    server: Child,
    name: String,
    connection: Arc<RustConnection>,
    root: Window,
}

/// Says when something was drawn on a screen ([`Screen::watch`]).
#[derive(Debug)]
pub struct Changes(Receiver<()>);

impl Changes {
    /// Waits until something was drawn since the last call, or until then. Whether something was.
    pub fn wait(&self, until: Instant) -> bool {
        self.0.recv_timeout(until.saturating_duration_since(clock::now())).is_ok()
    }
}

/// A window's place on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The window, with the frame that a toolkit draws.
    pub window: Window,
    pub x: i16,
    pub y: i16,
    pub size: Size,
}

impl Screen {
    /// Starts an Xvfb of this size.
    ///
    /// # Errors
    /// If Xvfb is missing or does not start.
    pub fn start(size: Size) -> Result<Self, Error> {
        let mut server = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "--", "Xvfb", "-displayfd", "1", "-nolisten", "tcp", "-noreset"])
            .args(["+extension", "GLX", "+extension", "RANDR", "+extension", "Composite", "-dpi", "96"])
            .args(["-screen", "0", &format!("{}x{}x24", size.width, size.height)])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|why| Error::Program { name: "setpriv, to run Xvfb".to_owned(), why })?;
        // It writes the number of its display, or ends.
        let mut number = String::new();
        let said = server.stdout.take().map(|pipe| BufReader::new(pipe).read_line(&mut number));
        if !matches!(said, Some(Ok(1..))) {
            let _ = server.kill();
            let _ = server.wait();
            return Err(Error::NoXvfb);
        }
        let name = format!(":{}", number.trim());
        match RustConnection::connect(Some(&name)) {
            Ok((connection, screen)) => {
                let root = connection.setup().roots.get(screen).map_or(0, |screen| screen.root);
                Ok(Self { server, name, connection: Arc::new(connection), root })
            }
            Err(why) => {
                let _ = server.kill();
                let _ = server.wait();
                Err(Error::Screen(why.to_string()))
            }
        }
    }

    /// The display's name, `:N`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The inside of the visible window that shows a picture of this size, if there is one. Around
    /// it there may be the frame that a toolkit draws itself.
    pub fn find(&self, size: Size) -> Option<Place> {
        self.find_in(self.root, size, MAX_DEPTH)
    }

    fn find_in(&self, parent: Window, size: Size, depth: u32) -> Option<Place> {
        let tree = self.connection.query_tree(parent).ok()?.reply().ok()?;
        tree.children.into_iter().rev().find_map(|window| {
            let attributes = self.connection.get_window_attributes(window).ok()?.reply().ok()?;
            if attributes.map_state != MapState::VIEWABLE {
                return None;
            }
            let geometry = self.connection.get_geometry(window).ok()?.reply().ok()?;
            let border = |of: u16, inside: u32| u32::from(of).checked_sub(inside).filter(|b| *b <= MAX_FRAME);
            let borders = border(geometry.width, size.width).zip(border(geometry.height, size.height));
            let exact = borders == Some((0, 0));
            let within = if depth > 0 && !exact { self.find_in(window, size, depth - 1) } else { None };
            within.or_else(|| {
                let (across, down) = borders?;
                let at = self.connection.translate_coordinates(window, self.root, 0, 0).ok()?.reply().ok()?;
                // As thick below as at the sides; the rest is the title.
                let side = i16::try_from(across / 2).ok()?;
                let top = i16::try_from(down).ok()?.checked_sub(side).filter(|top| *top >= 0)?;
                Some(Place { window, x: at.dst_x + side, y: at.dst_y + top, size })
            })
        })
    }

    /// Whether a picture can be seen there: more than one colour.
    pub fn is_painted(&self, place: Place) -> bool {
        ROWS.iter().any(|row| {
            let y = place.y + i16::try_from(place.size.height * row / 4).unwrap_or(0);
            let Ok(pixels) = self.pixels(Place { y, size: Size { height: 1, ..place.size }, ..place }) else {
                return false;
            };
            let mut colours: Vec<_> = pixels.rgba.chunks_exact(4).collect();
            colours.sort_unstable();
            colours.dedup();
            colours.len() > 1
        })
    }

    /// Gives the window there the keyboard.
    ///
    /// # Errors
    /// If the X server does not do it.
    pub fn focus(&self, place: Place) -> Result<(), Error> {
        let failed = |why: &dyn std::fmt::Display| Error::Screen(why.to_string());
        let focus = self.connection.set_input_focus(InputFocus::POINTER_ROOT, place.window, CURRENT_TIME);
        focus.map_err(|why| failed(&why))?.check().map_err(|why| failed(&why))
    }

    /// Presses and lets go the key with this code, whoever has the keyboard.
    ///
    /// # Errors
    /// If the X server does not do it.
    pub fn press(&self, key_code: u8) -> Result<(), Error> {
        const FAKE_INPUT: u8 = 2;
        const WORDS: u8 = 9;
        let failed = |why: &dyn std::fmt::Display| Error::Screen(why.to_string());
        let extension = self.connection.extension_information("XTEST").map_err(|why| failed(&why))?;
        let opcode = extension.ok_or_else(|| failed(&"it has no XTEST"))?.major_opcode;
        for kind in [KEY_PRESS_EVENT, KEY_RELEASE_EVENT] {
            // Opcodes, length, event, key; then when and where: now, and wherever the pointer is.
            let mut request = [0; 4 * WORDS as usize];
            if let Some(start) = request.first_chunk_mut() {
                *start = [opcode, FAKE_INPUT, WORDS, 0, kind, key_code];
            }
            let sent = self.connection.send_request_without_reply(&[IoSlice::new(&request)], Vec::new());
            sent.map_err(|why| failed(&why))?;
        }
        self.connection.flush().map_err(|why| failed(&why))
    }

    /// From now on, says when something is drawn: nobody has to look again and again, which takes time from
    /// whoever draws.
    ///
    /// # Errors
    /// If the X server does not tell.
    pub fn watch(&self) -> Result<Changes, Error> {
        let failed = |why: &dyn std::fmt::Display| Error::Screen(why.to_string());
        let connection = Arc::clone(&self.connection);
        let version = connection.damage_query_version(1, 1).map_err(|why| failed(&why))?;
        version.reply().map_err(|why| failed(&why))?;
        let damage = connection.generate_id().map_err(|why| failed(&why))?;
        let created = connection.damage_create(damage, self.root, ReportLevel::NON_EMPTY);
        created.map_err(|why| failed(&why))?.check().map_err(|why| failed(&why))?;
        // One change that waits is enough.
        let (sender, changes) = sync_channel(1);
        // It ends with the screen, or with the next change that nobody waits for.
        let tell = move || {
            while let Ok(event) = connection.wait_for_event() {
                if !matches!(event, Event::DamageNotify(_)) {
                    continue;
                }
                let seen =
                    connection.damage_subtract(damage, NONE, NONE).is_ok() && connection.flush().is_ok();
                if !seen || matches!(sender.try_send(()), Err(TrySendError::Disconnected(()))) {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("farpane-bench-screen".to_owned());
        thread.spawn(tell).map_err(|why| failed(&why))?;
        Ok(Changes(changes))
    }

    /// What can be seen there.
    ///
    /// # Errors
    /// If the X server does not show its screen, or the place is not on it.
    pub fn pixels(&self, place: Place) -> Result<WindowPixels, Error> {
        let failed = |why: &dyn std::fmt::Display| Error::Screen(why.to_string());
        let side = |value: u32| u16::try_from(value).unwrap_or(u16::MAX);
        let (width, height) = (side(place.size.width), side(place.size.height));
        let request = self.connection.get_image(
            ImageFormat::Z_PIXMAP,
            self.root,
            place.x,
            place.y,
            width,
            height,
            u32::MAX,
        );
        let image = request.map_err(|why| failed(&why))?.reply().map_err(|why| failed(&why))?;
        let is_expected = self.connection.setup().image_byte_order == ImageOrder::LSB_FIRST
            && image.data.len() == usize::from(width) * usize::from(height) * 4;
        if !is_expected {
            return Err(failed(&format_args!("{} bits a pixel, expected 24 or 32", image.depth)));
        }
        let mut rgba = image.data;
        for pixel in rgba.chunks_exact_mut(4) {
            pixel.swap(0, 2);
            if let Some(alpha) = pixel.last_mut() {
                *alpha = 255;
            }
        }
        Ok(WindowPixels { size: place.size, rgba })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // SIGTERM, so that it removes its socket and lock.
        let script = format!("kill -TERM {} 2>/dev/null", self.server.id());
        let _ = Command::new("sh").args(["-c", &script]).status();
        let _ = self.server.wait();
    }
}
