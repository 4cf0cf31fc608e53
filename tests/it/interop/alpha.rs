//! Windows with alpha, half-transparent pointers and icons: as bright as on the server, whatever brings them.
//!
//! Windows are shown opaque: what is seen of a half-transparent white is what a compositor would show over
//! black, a grey of 128.

use x11rb::connection::Connection as _;
use x11rb::protocol::render::{self, ConnectionExt as _};
use x11rb::protocol::xfixes::ConnectionExt as _;
use x11rb::protocol::xproto::{
    AtomEnum, ChangeWindowAttributesAux, ColormapAlloc, ConnectionExt as _, CreateGCAux, CreateWindowAux,
    PropMode, Rectangle, Window, WindowClass,
};
use x11rb::wrapper::ConnectionExt as _;

use super::{SOON, empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::x11::X;
use crate::support::xpra::Generation;

for_every_server!(one_brightness, pointers_and_icons);

/// White, half transparent, as X has it: multiplied by alpha.
const HALF_WHITE: u32 = 0x8080_8080;
/// A colour, half transparent.
const HALF_COLOUR: u32 = 0x8040_2060;
const SIZE: (u16, u16) = (320, 240);

/// A window of depth 32 on the server's display that has one colour.
struct Glass {
    x: X,
    id: Window,
}

impl Glass {
    fn open(display: &str, title: &str, pixel: u32) -> Self {
        let x = X::connect(display);
        let c = &x.connection;
        let depth = x.screen.allowed_depths.iter().find(|depth| depth.depth == 32).expect("a depth of 32");
        let visual = depth.visuals.first().expect("a visual").visual_id;
        let (id, colormap) = (c.generate_id().expect("an id"), c.generate_id().expect("an id"));
        c.create_colormap(ColormapAlloc::NONE, colormap, x.root, visual).expect("X");
        let aux = CreateWindowAux::new().colormap(colormap).border_pixel(0).background_pixel(pixel);
        let class = WindowClass::INPUT_OUTPUT;
        c.create_window(32, id, x.root, 40, 30, SIZE.0, SIZE.1, 0, class, visual, &aux).expect("X");
        let (name, string): (u32, u32) = (AtomEnum::WM_NAME.into(), AtomEnum::STRING.into());
        c.change_property8(PropMode::REPLACE, id, name, string, title.as_bytes()).expect("X");
        c.map_window(id).expect("X");
        c.sync().expect("X");
        Self { x, id }
    }

    fn paint(&self, pixel: u32) {
        let c = &self.x.connection;
        let aux = ChangeWindowAttributesAux::new().background_pixel(pixel);
        c.change_window_attributes(self.id, &aux).expect("X");
        c.clear_area(false, self.id, 0, 0, 0, 0).expect("X");
        c.sync().expect("X");
    }
}

/// Whether all of the picture has this colour, but for `tolerance` in each channel.
fn is_all(picture: &Picture, pixel: u32, tolerance: u8) -> bool {
    let [_, red, green, blue] = pixel.to_be_bytes();
    let near =
        |got: &[u8]| got.iter().zip([red, green, blue]).all(|(got, want)| got.abs_diff(want) <= tolerance);
    picture.rgb.chunks_exact(3).all(near)
}

pub fn one_brightness(generation: Generation) {
    let server = empty_session(generation);
    let glass = Glass::open(server.x().name(), "glass", HALF_WHITE);
    let display = Display::bare();
    let raw: &[&str] = &["--encodings=rgb", "--compressors=none", "--compression-level=0"];
    // Rounded twice where a server divides and Farpane multiplies again; lossy ones are a little off.
    let cases: [(&str, &[&str], u8); 8] = [
        ("cpu", &["--encodings=png"], 1),
        ("wgpu", &["--encodings=png"], 1),
        ("cpu", raw, 0),
        ("wgpu", &["--encodings=rgb"], 0),
        ("cpu", &["--encodings=webp", "--quality=100"], 0),
        ("wgpu", &["--encodings=jpeg"], 3),
        ("cpu", &[], 3),
        ("cpu", &["--encoding=png"], 1),
    ];
    for (renderer, words, tolerance) in cases {
        glass.paint(HALF_WHITE);
        let start = server.log_length();
        let renderer = format!("--renderer={renderer}");
        let url = server.url();
        let words = [&[url.as_str(), &renderer], words].concat();
        let mut viewer = Viewer::start(&display, &words);
        let seen = viewer.window("glass");
        for pixel in [HALF_WHITE, HALF_COLOUR] {
            glass.paint(pixel);
            let shown = || display.x.grab(seen.id);
            let context = || {
                let corner = shown().map(|shown| shown.rgb[..3].to_vec());
                format!("{words:?}: {corner:?}\n{:?}\n{}", server.sent_since(start), viewer.log())
            };
            let what = format!("{pixel:#x} as it is over black");
            wait_for(&what, SOON, context, || is_all(&shown()?, pixel, tolerance).then_some(()));
        }
        let sent = server.sent_since(start);
        let wanted = words.iter().find_map(|word| word.strip_prefix("--encodings="));
        let is_wanted = |name: &str| wanted.is_none_or(|wanted| name.starts_with(wanted));
        assert!(sent.iter().any(|sent| is_wanted(&sent.encoding)), "{words:?}: {sent:?}");
        assert_eq!(viewer.stop()["draws"]["refused"], 0, "{words:?}");
    }
}

/// A pointer of 16 x 16 pixels of this colour.
fn set_pointer(card: &Card, pixel: u32) {
    let c = &card.x.connection;
    let formats = c.render_query_pict_formats().expect("X").reply().expect("formats").formats;
    let is_argb = |format: &&render::Pictforminfo| {
        let direct = format.direct;
        format.depth == 32 && (direct.alpha_shift, direct.red_shift, direct.blue_shift) == (24, 16, 0)
    };
    let format = formats.iter().find(is_argb).expect("a format with alpha").id;
    let id = || c.generate_id().expect("an id");
    let (pixmap, gc, picture, cursor) = (id(), id(), id(), id());
    c.create_pixmap(32, pixmap, card.x.root, 16, 16).expect("X");
    c.create_gc(gc, pixmap, &CreateGCAux::new().foreground(pixel)).expect("X");
    c.poly_fill_rectangle(pixmap, gc, &[Rectangle { x: 0, y: 0, width: 16, height: 16 }]).expect("X");
    c.render_create_picture(picture, pixmap, format, &render::CreatePictureAux::new()).expect("X");
    c.render_create_cursor(cursor, picture, 5, 6).expect("X");
    c.change_window_attributes(card.id, &ChangeWindowAttributesAux::new().cursor(cursor)).expect("X");
    card.sync();
}

fn pointers_and_icons(generation: Generation) {
    let server = empty_session(generation);
    let card = Card::open(server.x().name(), "shown", &Picture::smooth(300, 200), &Look::default());
    // Of icons X has the colours themselves.
    let half_white_icon: Vec<u32> = [&[32, 32][..], &[0x80ff_ffff; 32 * 32]].concat();
    let (icon, cardinal) = (card.x.atom("_NET_WM_ICON"), u32::from(AtomEnum::CARDINAL));
    let set =
        card.x.connection.change_property32(PropMode::REPLACE, card.id, icon, cardinal, &half_white_icon);
    set.expect("X");
    card.sync();
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url()]);
    let seen = viewer.window("shown");
    let local = &display.x.connection;
    local.xfixes_query_version(5, 0).expect("X").reply().expect("XFixes");

    for pixel in [HALF_WHITE, HALF_COLOUR, 0xff10_2030] {
        set_pointer(&card, pixel);
        let pointer = || local.xfixes_get_cursor_image().expect("X").reply().expect("the pointer");
        let steps = std::cell::Cell::new(0);
        let context = || format!("{:x?}\n{}", pointer().cursor_image.first(), viewer.log());
        wait_for(&format!("the pointer {pixel:#x}"), SOON, context, || {
            // It comes where the pointer moves.
            steps.set((steps.get() + 1) % 50);
            let at = (seen.x + 100 + steps.get(), seen.y + 100);
            display.x.xdotool(&["mousemove", &at.0.to_string(), &at.1.to_string()]);
            let shown = pointer();
            let same = (shown.width, shown.height, shown.xhot, shown.yhot) == (16, 16, 5, 6)
                && shown.cursor_image.iter().all(|got| *got == pixel);
            same.then_some(())
        });
    }

    let shown = || display.x.numbers(seen.id, "_NET_WM_ICON");
    let context = || format!("{:x?}\n{}", shown().get(..4), viewer.log());
    wait_for("the icon's own colours", SOON, context, || (shown() == half_white_icon).then_some(()));
    viewer.stop();
}
