//! What Farpane shows are the server's own pixels, whichever encoding they came in.
//!
//! Each test offers one encoding and looks into the server's log for the proof that it was used. Each
//! encoding goes through both renderers in one of them.

use std::time::Duration;

use super::SOON;
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::x11::Seen;
use crate::support::xpra::{Generation, Options, Sent, XpraServer};

/// What the server is to send, and what must come of it.
struct Case {
    name: &'static str,
    /// The viewer's switches.
    offer: &'static [&'static str],
    /// Is this the encoding in question, in the form in question?
    proof: fn(&Sent) -> bool,
    /// Must every picture of the whole window be in it, or are some enough?
    every: bool,
    expected: Expected,
    content: Content,
}

#[derive(Clone, Copy, PartialEq)]
enum Expected {
    /// Every pixel is the same.
    Exact,
    /// At least this many dB.
    Psnr(f64),
}

#[derive(Clone, Copy, PartialEq)]
enum Content {
    /// Lines, ramps and noise; an odd size.
    Sharp,
    /// Smooth colours, as in a photograph.
    Smooth,
    /// Grey only.
    Grey,
    /// A few colours.
    Few,
    /// Lines that scroll up, as in a terminal.
    Scrolling,
    /// Smooth colours that move.
    Video,
}

impl Content {
    /// Frame number `n` of it.
    fn picture(self, n: usize) -> Picture {
        match self {
            Self::Sharp => Picture::sharp(331 + n, 247).crop(n, 0, 331, 247),
            Self::Scrolling => Picture::sharp(640, 480),
            Self::Smooth | Self::Video => Picture::smooth(640 + 8 * n, 480).crop(8 * n, 0, 640, 480),
            Self::Grey => Picture::from_fn(331, 247, |x, y| [(((x + n) * 3) ^ (y * 5)) as u8; 3]),
            Self::Few => Picture::from_fn(331, 247, |x, y| {
                // Of the palette that 3.1.3 uses for all windows.
                let step = |at: usize| (at / 25 % 6 * 51) as u8;
                [step(x + n), step(y), 102]
            }),
        }
    }
}

const RAW: &[&str] = &["--encodings", "rgb", "--compressors", "none", "--compression-level", "0"];

fn is_rgb(sent: &Sent) -> bool {
    matches!(sent.encoding.as_str(), "rgb24" | "rgb32")
}

fn compressed_by(sent: &Sent, name: &str) -> bool {
    // `'lz4': 1`; 0, False or no word of it means that it is not.
    let value = sent.options.split_once(&format!("'{name}': ")).map(|(_, rest)| rest);
    value.is_some_and(|value| !value.starts_with('0') && !value.starts_with("False"))
}

const CASES: &[Case] = &[
    Case {
        name: "rgb-raw",
        offer: RAW,
        proof: |sent| is_rgb(sent) && !["lz4", "zlib"].iter().any(|name| compressed_by(sent, name)),
        expected: Expected::Exact,
        every: true,
        content: Content::Sharp,
    },
    Case {
        name: "rgb-lz4",
        offer: &["--encodings", "rgb", "--compressors", "lz4", "--compression-level", "1"],
        proof: |sent| is_rgb(sent) && compressed_by(sent, "lz4"),
        expected: Expected::Exact,
        every: true,
        content: Content::Few,
    },
    Case {
        name: "png",
        offer: &["--encodings", "png"],
        proof: |sent| sent.encoding == "png",
        expected: Expected::Exact,
        every: true,
        content: Content::Sharp,
    },
    Case {
        name: "webp-lossless",
        offer: &["--encodings", "webp", "--quality", "100"],
        proof: |sent| sent.encoding == "webp",
        expected: Expected::Exact,
        every: true,
        content: Content::Sharp,
    },
    Case {
        name: "webp",
        offer: &["--encodings", "webp", "--quality", "60"],
        proof: |sent| sent.encoding == "webp" && is_lossy(sent),
        expected: Expected::Psnr(30.0),
        every: false,
        content: Content::Smooth,
    },
    Case {
        name: "jpeg",
        offer: &["--encodings", "jpeg", "--quality", "75"],
        proof: |sent| sent.encoding == "jpeg",
        expected: Expected::Psnr(30.0),
        every: true,
        content: Content::Smooth,
    },
    Case {
        name: "h264",
        offer: &["--encodings", "h264", "--quality", "60"],
        proof: |sent| sent.encoding == "h264",
        expected: Expected::Psnr(30.0),
        every: false,
        content: Content::Video,
    },
];

/// A picture of less than full quality: later ones refresh it without loss.
fn is_lossy(sent: &Sent) -> bool {
    let quality = sent.options.split_once("'quality': ").map(|(_, rest)| rest);
    let digits = quality.and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
    digits.and_then(|digits| digits.parse::<u32>().ok()).is_some_and(|quality| quality < 100)
}

#[test]
fn pictures_of_v3_1() {
    // Else it sends plain pixels wherever it thinks that they are good enough.
    check(Generation::V3_1, &[("XPRA_ENCODING_STRICT_MODE", "1")], "cpu", CASES);
}

#[test]
fn pictures_of_v6_5() {
    check(Generation::V6_5, &[], "wgpu", CASES);
}

#[test]
fn pictures_of_v6_5_modern() {
    check(Generation::V6_5Modern, &[], "cpu", CASES);
}

/// Only the old generation has it, and only where lz4 is not offered.
#[test]
fn zlib_of_v3_1() {
    let zlib = Case {
        name: "rgb-zlib",
        offer: &["--encodings", "rgb", "--compressors", "zlib", "--compression-level", "1"],
        proof: |sent| is_rgb(sent) && compressed_by(sent, "zlib"),
        expected: Expected::Exact,
        every: true,
        content: Content::Few,
    };
    check(Generation::V3_1, &[], "wgpu", &[zlib]);
}

/// 6.5.5 has a fault in its scroll encoder, so that it must not be offered there.
#[test]
fn scroll_of_v3_1() {
    let case = |name, offer| Case {
        name,
        offer,
        proof: |sent| sent.encoding == "scroll",
        expected: Expected::Exact,
        every: false,
        content: Content::Scrolling,
    };
    let png = case("scroll-and-png", &["--encodings", "png,scroll"]);
    let rgb = case("scroll-and-rgb", &["--encodings", "rgb,scroll"]);
    check(Generation::V3_1, &[], "cpu", &[png]);
    check(Generation::V3_1, &[], "wgpu", &[rgb]);
}

/// Palettes and grey scales are sent only by a server that takes its client's word for it.
#[test]
fn palette_and_grey() {
    let cases = [
        Case {
            name: "png-grey",
            offer: &["--encodings", "png,png/L", "--encoding", "png/L"],
            proof: |sent| sent.encoding == "png/L",
            expected: Expected::Exact,
            every: true,
            content: Content::Grey,
        },
        Case {
            name: "png-palette",
            offer: &["--encodings", "png,png/P", "--encoding", "png/P"],
            proof: |sent| sent.encoding == "png/P",
            expected: Expected::Exact,
            every: true,
            content: Content::Few,
        },
    ];
    for generation in [Generation::V3_1, Generation::V6_5] {
        check(generation, &[("XPRA_ENCODING_STRICT_MODE", "1")], "auto", &cases);
    }
}

#[track_caller]
fn check(generation: Generation, environment: &[(&'static str, &str)], renderer: &str, cases: &[Case]) {
    let environment = environment.iter().map(|&(name, value)| (name, value.to_owned())).collect();
    let server = XpraServer::start(generation, &Options { environment, ..Options::default() });
    for case in cases {
        let display = Display::bare();
        let name = format!("{generation:?}-{renderer}-{}", case.name);
        let stage = Stage::new(&server, &display, renderer, name, case);
        // What was there when the viewer came, and an update.
        stage.wait_shown();
        stage.change();
        stage.wait_shown();
        stage.finish();
    }
}

/// A card in the session, and the viewer that shows it.
struct Stage<'a> {
    name: String,
    case: &'a Case,
    server: &'a XpraServer,
    card: Card,
    log_start: usize,
    seen: Seen,
    viewer: Viewer<'a>,
}

impl<'a> Stage<'a> {
    #[track_caller]
    fn new(
        server: &'a XpraServer,
        display: &'a Display,
        renderer: &str,
        name: String,
        case: &'a Case,
    ) -> Self {
        let card = Card::open(server.x().name(), &name, &case.content.picture(0), &Look::default());
        let log_start = server.log_length();
        let url = server.url();
        let words: Vec<&str> =
            [&url, "--renderer", renderer].into_iter().chain(case.offer.iter().copied()).collect();
        let mut viewer = Viewer::start(display, &words);
        let seen = viewer.window(&name);
        Self { name, case, server, card, log_start, seen, viewer }
    }

    /// Shows something else, in the way of this case's content.
    fn change(&self) {
        match self.case.content {
            Content::Scrolling => {
                for n in 0..60 {
                    self.card.scroll_up(&Picture::sharp(640, 400 + n).crop(0, 200 + n, 640, 16));
                    std::thread::sleep(Duration::from_millis(40));
                }
            }
            Content::Video => {
                for n in 1..80 {
                    self.card.show(&self.case.content.picture(n));
                    std::thread::sleep(Duration::from_millis(40));
                }
            }
            _ => {
                let picture = self.case.content.picture(3);
                self.card.show(&picture);
                assert!(self.card.picture() == picture, "the X server does not show what it was given");
            }
        }
    }

    /// Waits until the viewer shows the server's pixels, or something near enough.
    #[track_caller]
    fn wait_shown(&self) {
        let shown = || self.viewer.x.grab(self.seen.id);
        let context = || {
            let truth = self.card.x.grab(self.card.id);
            let difference = truth.and_then(|truth| shown()?.difference(&truth, &self.name));
            let sent: Vec<String> = self.sent().iter().map(|sent| format!("{sent:?}")).collect();
            format!("{}\n{}\n{}", difference.unwrap_or_default(), sent.join("\n"), self.viewer.log())
        };
        wait_for(&format!("the picture of {}", self.name), SOON, context, || {
            // (The server hides its windows until a viewer comes.)
            let (got, truth) = (shown()?, self.card.x.grab(self.card.id)?);
            let enough = match self.case.expected {
                Expected::Exact => got == truth,
                Expected::Psnr(least) => {
                    (got.width, got.height) == (truth.width, truth.height) && got.psnr(&truth) >= least
                }
            };
            enough.then_some(())
        });
    }

    /// What the server sent of this window, as far as its size tells.
    fn sent(&self) -> Vec<Sent> {
        let mut sent = self.server.sent_since(self.log_start);
        sent.retain(|sent| sent.width == u32::from(self.seen.width));
        sent
    }

    /// The proof that the encoding in question was sent, and that nothing was refused.
    #[track_caller]
    fn finish(self) {
        let sent = self.sent();
        let proven: Vec<&Sent> = sent.iter().filter(|sent| (self.case.proof)(sent)).collect();
        assert!(!proven.is_empty(), "{}: the encoding was never sent: {sent:#?}", self.name);
        let whole = |sent: &&Sent| sent.height == u32::from(self.seen.height);
        let others: Vec<&Sent> = sent.iter().filter(whole).filter(|sent| !(self.case.proof)(sent)).collect();
        assert!(!self.case.every || others.is_empty(), "{}: others were sent: {others:#?}", self.name);
        let name = proven[0].encoding.clone();
        let stats = self.viewer.stop();
        let encodings = stats["draws"]["by_encoding"].as_array().expect("by_encoding");
        let ours = encodings.iter().find(|encoding| encoding["name"] == name.as_str());
        let ours = ours.unwrap_or_else(|| panic!("{}: no {name} in {encodings:#?}", self.name));
        assert!(ours["drawn"].as_u64() >= Some(1), "{}: {ours:#}", self.name);
        assert_eq!(stats["draws"]["refused"], 0, "{}: {stats:#}", self.name);
    }
}
