//! The program in the session: one window that flips at each key press, or shows a film whose frames carry
//! their number.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ChangeGCAux, ChangeWindowAttributesAux, ClientMessageEvent, ConnectionExt as _, CreateGCAux,
    CreateWindowAux, EventMask, ImageFormat, KEY_PRESS_EVENT, KeyButMask, KeyPressEvent, PropMode, Rectangle,
    WindowClass,
};
use x11rb::rust_connection::{ConnectionError, RustConnection};
use x11rb::wrapper::ConnectionExt as _;

use crate::bench::peers::Error;
use crate::channel::clock;
use crate::geometry::Size;

/// Side of the squares that carry a bit of the frame's number, and how many there are.
pub const SQUARE: u32 = 16;
pub const BITS: u32 = 16;
/// Red, green and blue of what nobody shows by chance.
pub const COLOURS: [[u8; 3]; 2] = [[224, 112, 32], [32, 112, 224]];
/// Where the window is if nobody says another place.
const AT: (i16, i16) = (60, 60);
/// How far the film's picture moves before it begins again.
const TRAVEL: u16 = 128;
/// Rows of the film's picture that are sent to the X server at once.
const ROWS: u16 = 32;

/// What the window does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Black and white in turns, at each key press.
    Flip,
    /// Another of [`COLOURS`] over all of it, at each key press.
    Colours,
    /// A moving picture, this many times a second.
    Film { rate: u32 },
}

/// The running program. It ends when this is dropped, or with its display.
pub struct Program {
    connection: Arc<RustConnection>,
    window: u32,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Program {
    /// Opens a window of this size on the display `:N`.
    ///
    /// # Errors
    /// If the display cannot be reached.
    pub fn start(display: &str, size: Size, act: Act) -> Result<Self, Error> {
        Self::start_at(display, AT, size, act)
    }

    /// The same at this place.
    ///
    /// # Errors
    /// If the display cannot be reached.
    pub fn start_at(display: &str, at: (i16, i16), size: Size, act: Act) -> Result<Self, Error> {
        let failed = |why: String| Error::Screen(why);
        let (connection, screen) =
            RustConnection::connect(Some(display)).map_err(|why| failed(why.to_string()))?;
        let connection = Arc::new(connection);
        let window = Window::open(Arc::clone(&connection), screen, at, size);
        let window = window.map_err(|why| failed(why.to_string()))?;
        let id = window.id;
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("farpane-bench-program".to_owned());
        let run = move || {
            // The display goes before the program does: no error.
            if let Err(error) = window.run(act, &told) {
                tracing::debug!(%error, "the bench's window is gone");
            }
        };
        let thread = thread.spawn(run).map_err(|why| failed(why.to_string()))?;
        Ok(Self { connection, window: id, stop, thread: Some(thread) })
    }

    /// Has it do what it does at a key press.
    ///
    /// # Errors
    /// If the display is gone.
    pub fn act(&self) -> Result<(), Error> {
        let press = KeyPressEvent {
            response_type: KEY_PRESS_EVENT,
            detail: 0,
            sequence: 0,
            time: x11rb::CURRENT_TIME,
            root: x11rb::NONE,
            event: self.window,
            child: x11rb::NONE,
            root_x: 0,
            root_y: 0,
            event_x: 0,
            event_y: 0,
            state: KeyButMask::default(),
            same_screen: true,
        };
        let sent = self.connection.send_event(false, self.window, EventMask::KEY_PRESS, press);
        sent.and_then(|_| self.connection.flush()).map_err(|why| Error::Screen(why.to_string()))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // A message to a window that asked for nothing goes to its program: it wakes.
        let message = ClientMessageEvent::new(32, self.window, u32::from(AtomEnum::NONE), [0; 5]);
        let _ = self.connection.send_event(false, self.window, EventMask::NO_EVENT, message);
        let _ = self.connection.flush();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Window {
    connection: Arc<RustConnection>,
    id: u32,
    root: u32,
    depth: u8,
    gc: u32,
    black: u32,
    white: u32,
    size: (u16, u16),
}

impl Window {
    fn open(
        connection: Arc<RustConnection>,
        screen: usize,
        at: (i16, i16),
        size: Size,
    ) -> Result<Self, ConnectionError> {
        let Some(screen) = connection.setup().roots.get(screen) else {
            return Err(ConnectionError::UnknownError);
        };
        let id = |_| ConnectionError::UnknownError;
        let window = connection.generate_id().map_err(id)?;
        let gc = connection.generate_id().map_err(id)?;
        let side = |value: u32| u16::try_from(value).unwrap_or(u16::MAX);
        let (width, height) = (side(size.width), side(size.height));
        let aux =
            CreateWindowAux::new().event_mask(EventMask::KEY_PRESS).background_pixel(screen.black_pixel);
        let (depth, visual) = (screen.root_depth, screen.root_visual);
        let class = WindowClass::INPUT_OUTPUT;
        connection.create_window(
            depth,
            window,
            screen.root,
            at.0,
            at.1,
            width,
            height,
            0,
            class,
            visual,
            &aux,
        )?;
        let text = |property: AtomEnum, text: &str| {
            connection.change_property8(
                PropMode::REPLACE,
                window,
                property,
                AtomEnum::STRING,
                text.as_bytes(),
            )
        };
        text(AtomEnum::WM_NAME, "farpane bench live")?;
        text(AtomEnum::WM_CLASS, "bench\0Bench\0")?;
        connection.create_gc(gc, window, &CreateGCAux::new().graphics_exposures(0))?;
        connection.map_window(window)?;
        connection.flush()?;
        let (black, white) = (screen.black_pixel, screen.white_pixel);
        let (root, size) = (screen.root, (width, height));
        Ok(Self { connection, id: window, root, depth, gc, black, white, size })
    }

    fn run(&self, act: Act, stop: &AtomicBool) -> Result<(), ConnectionError> {
        match act {
            Act::Flip => self.flip(&[self.white, self.black], stop),
            Act::Colours => {
                let pixels = COLOURS.map(|[red, green, blue]| u32::from_be_bytes([0, red, green, blue]));
                self.flip(&pixels, stop)
            }
            Act::Film { rate } => self.film(rate, stop),
        }
    }

    fn flip(&self, pixels: &[u32], stop: &AtomicBool) -> Result<(), ConnectionError> {
        let mut pixels = pixels.iter().cycle();
        while !stop.load(Ordering::Relaxed) {
            if let Event::KeyPress(_) = self.connection.wait_for_event()?
                && let Some(&colour) = pixels.next()
            {
                let background = ChangeWindowAttributesAux::new().background_pixel(colour);
                self.connection.change_window_attributes(self.id, &background)?;
                self.connection.clear_area(false, self.id, 0, 0, 0, 0)?;
                self.connection.flush()?;
            }
        }
        Ok(())
    }

    fn film(&self, rate: u32, stop: &AtomicBool) -> Result<(), ConnectionError> {
        let picture = self.film_picture()?;
        let every = Duration::from_secs(1) / rate.max(1);
        let mut next = clock::now();
        let mut number: u32 = 0;
        while !stop.load(Ordering::Relaxed) {
            number = number.wrapping_add(1);
            let at = u16::try_from(number.wrapping_mul(2) % u32::from(TRAVEL)).unwrap_or(0);
            let (width, height) = self.size;
            let (x, y) = (i16::try_from(at).unwrap_or(0), i16::try_from(at / 2).unwrap_or(0));
            self.connection.copy_area(picture, self.id, self.gc, x, y, 0, 0, width, height)?;
            for bit in 0..BITS {
                let colour = if number >> bit & 1 == 1 { self.white } else { self.black };
                self.connection.change_gc(self.gc, &ChangeGCAux::new().foreground(colour))?;
                let side = u16::try_from(SQUARE).unwrap_or(0);
                let x = i16::try_from(bit * SQUARE).unwrap_or(0);
                let square = Rectangle { x, y: 0, width: side, height: side };
                self.connection.poly_fill_rectangle(self.id, self.gc, &[square])?;
            }
            self.connection.flush()?;
            next += every;
            std::thread::sleep(next.saturating_duration_since(clock::now()));
            while self.connection.poll_for_event()?.is_some() {}
        }
        Ok(())
    }

    /// Smooth shapes with grain, larger than the window by [`TRAVEL`].
    fn film_picture(&self) -> Result<u32, ConnectionError> {
        let (width, height) = (self.size.0.saturating_add(TRAVEL), self.size.1.saturating_add(TRAVEL));
        let picture = self.connection.generate_id().map_err(|_| ConnectionError::UnknownError)?;
        self.connection.create_pixmap(self.depth, picture, self.root, width, height)?;
        let mut rows = Vec::new();
        for top in (0..height).step_by(usize::from(ROWS)) {
            rows.clear();
            let count = ROWS.min(height - top);
            for y in top..top + count {
                rows.extend((0..width).flat_map(|x| pixel(u32::from(x), u32::from(y))));
            }
            let top = i16::try_from(top).unwrap_or(0);
            let format = ImageFormat::Z_PIXMAP;
            self.connection
                .put_image(format, picture, self.gc, width, count, 0, top, 0, self.depth, &rows)?;
        }
        self.connection.sync().map_err(|_| ConnectionError::UnknownError)?;
        Ok(picture)
    }
}

/// Blue, green, red, and nothing.
fn pixel(x: u32, y: u32) -> [u8; 4] {
    let wave = |at: u32| {
        let at = at % 256;
        2 * at.min(255 - at)
    };
    let grain = (x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca6b)) >> 28;
    let byte = |value: u32| u8::try_from(value.min(255)).unwrap_or(0);
    [
        byte(wave(x / 3 + y) / 2 + 40 + grain),
        byte(wave(y + x / 5) / 2 + grain),
        byte(wave(x / 2) / 2 + grain),
        0,
    ]
}
