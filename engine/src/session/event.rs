//! What goes into a session and what comes out of it: by subject, each of which has its own part in its own file.

use super::clipboard::{ClipboardInput, FromDesktop, ToDesktop};
use super::connection::{CloseReason, ConnectionEvent, ConnectionInput};
use super::display::DisplayInput;
use super::draws::DrawInput;
use super::keyboard::KeyboardInput;
use super::pointer::{PointerEvent, PointerInput};
use super::windows::{WindowEvent, WindowInput};
use crate::buffers::Payload;
use crate::geometry::{Rect, Size};
use crate::protocol::packet::draw::{DrawOptions, DrawOutcome, Encoding};
use crate::protocol::packet::{ClientPacket, DrawSequence, WindowId, is_of};
use crate::protocol::{Bounds, CipherSpec};
use crate::stats::DrawTrace;

/// Something that the session wants done, in order.
#[derive(Debug)]
pub enum Output {
    /// Write this packet.
    Send(ClientPacket),
    /// Records that the server begins from now on are enciphered like that. What is read already is not.
    Decipher(Box<CipherSpec>),
    /// Encipher like that what is sent behind this.
    Encipher(Box<CipherSpec>),
    /// Decode and show this draw; answer with a [`DrawDone`].
    Draw(DrawRequest),
    /// A window's backing changes size (or goes), in order with its draws; `None` destroys it.
    Backing { wid: WindowId, size: Option<Size> },
    /// Something for the user interface.
    Event(SessionEvent),
    /// The server's hello was accepted, or the desktop has another size: these are the bounds from now on.
    Established { bounds: Bounds },
    /// The server understands only half of what was said: connect again and say it as 3.1 wants it. Ends the
    /// session like [`Output::Close`].
    SpeakLegacy,
    /// End the connection after writing what was sent before.
    Close(CloseReason),
}

/// One draw on its way to the screen.
#[derive(Debug)]
pub struct DrawRequest {
    pub wid: WindowId,
    pub sequence: DrawSequence,
    pub rect: Rect,
    pub encoding: Encoding,
    pub data: Payload,
    /// Bytes from one row to the next of rgb data; 0 for the others.
    pub rowstride: u32,
    pub options: DrawOptions,
    pub trace: DrawTrace,
}

/// The end of a draw: shown or refused.
#[derive(Clone, Debug)]
pub struct DrawDone {
    pub wid: WindowId,
    pub sequence: DrawSequence,
    pub size: Size,
    pub encoding: Encoding,
    pub outcome: DrawOutcome,
    pub trace: DrawTrace,
}

/// What the session tells the user interface.
#[derive(Clone, Debug)]
pub enum SessionEvent {
    Connection(ConnectionEvent),
    Window(WindowEvent),
    Pointer(PointerEvent),
    /// For the desktop's clipboard.
    Clipboard(ToDesktop),
    /// Words for the user: something is not shown, or not pasted. Seldom, whatever a server does.
    Notice(String),
}

/// What the user, the desktop and the pipeline tell the session.
#[derive(Clone, Debug)]
pub enum Input {
    Connection(ConnectionInput),
    Window(WindowInput),
    Keyboard(KeyboardInput),
    Pointer(PointerInput),
    Display(DisplayInput),
    Draw(DrawInput),
    Clipboard(ClipboardInput),
}

impl Input {
    /// Whether somebody did this and looks for what comes of it, so that a server which stands still is soon missed.
    pub const fn wants_answer(&self) -> bool {
        match self {
            Self::Keyboard(KeyboardInput::Key { pressed, .. })
            | Self::Pointer(PointerInput::Button { pressed, .. }) => *pressed,
            Self::Pointer(PointerInput::Wheel { .. })
            | Self::Window(WindowInput::CloseRequested { .. })
            | Self::Connection(ConnectionInput::Start { .. } | ConnectionInput::StopServer) => true,
            _ => false,
        }
    }
}

is_of!(SessionEvent:
    Connection, ConnectionEvent;
    Window, WindowEvent;
    Pointer, PointerEvent;
    Clipboard, ToDesktop;
);
is_of!(Input:
    Connection, ConnectionInput;
    Window, WindowInput;
    Keyboard, KeyboardInput;
    Pointer, PointerInput;
    Display, DisplayInput;
    Draw, DrawInput;
    Clipboard, ClipboardInput;
);

impl From<FromDesktop> for Input {
    fn from(said: FromDesktop) -> Self {
        Self::Clipboard(ClipboardInput::Desktop(said))
    }
}
