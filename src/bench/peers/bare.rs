//! What the codec alone takes for the draws of a recording: the part that no client can save.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use cpu_time::ThreadTime;
use openh264::OpenH264API;
use openh264::decoder::{DecodeOptions, Decoder, DecoderConfig, Flush};

use crate::buffers::{BufferPool, Payload};
use crate::codec::{Coded, StillDecoder};
use crate::geometry::Size;
use crate::protocol::packet::draw::{Encoding, PixelCompression, WindowDraw};
use crate::stats::{CopyLedger, CopySite, copies};

use super::{Error, webp};

/// The best of this many runs counts.
const RUNS: u32 = 3;

/// CPU time of this thread for one of `draws`, on average: lz4, zlib and png decompressed, jpeg
/// and webp decoded to 32-bit pixels by their libraries, h264 decoded to its planes; raw pixels
/// received from a socket and copied once. The first `skipped` draws are decoded, but not counted.
///
/// # Errors
/// If a draw cannot be decoded.
pub fn cpu_time(draws: &[WindowDraw], skipped: usize) -> Result<Duration, Error> {
    let mut best = Duration::MAX;
    for _ in 0..RUNS {
        best = best.min(Run::new()?.all(draws, skipped)?);
    }
    let counted = draws.len().saturating_sub(skipped).max(1);
    Ok(best / u32::try_from(counted).unwrap_or(u32::MAX))
}

/// The decoders, and a buffer to decode into.
struct Run {
    still: StillDecoder,
    jpeg: turbojpeg::Decompressor,
    video: Decoder,
    ledger: CopyLedger,
    pixels: Vec<u8>,
    shown: Vec<u8>,
}

impl Run {
    fn new() -> Result<Self, Error> {
        let video = Decoder::with_api_config(OpenH264API::from_source(), DecoderConfig::new());
        Ok(Self {
            still: StillDecoder::new(BufferPool::default()),
            jpeg: turbojpeg::Decompressor::new().map_err(|why| failed(&why))?,
            video: video.map_err(|why| failed(&why))?,
            ledger: CopyLedger::default(),
            pixels: Vec::new(),
            shown: Vec::new(),
        })
    }

    fn all(&mut self, draws: &[WindowDraw], skipped: usize) -> Result<Duration, Error> {
        let mut time = Duration::ZERO;
        let mut raw = Loopback::start(draws)?;
        for (number, draw) in draws.iter().enumerate() {
            let wanted = draw.width as usize * draw.height as usize * 4;
            if self.pixels.len() < wanted {
                self.pixels.resize(wanted, 0);
            }
            self.shown.reserve(draw.data.len().saturating_sub(self.shown.len()));
            let started = ThreadTime::now();
            if is_raw(draw) {
                self.pixels.resize(draw.data.len().max(self.pixels.len()), 0);
                raw.receive(self.pixels.get_mut(..draw.data.len()).unwrap_or_default())?;
                self.shown.clear();
                let received = self.pixels.get(..draw.data.len()).unwrap_or_default();
                copies::append(&mut self.ledger, CopySite::Backing, received, &mut self.shown);
            } else {
                self.decode(draw)?;
            }
            if number >= skipped {
                time += started.elapsed();
            }
        }
        Ok(time)
    }

    fn decode(&mut self, draw: &WindowDraw) -> Result<(), Error> {
        let (width, height) = (draw.width as usize, draw.height as usize);
        match draw.encoding {
            Encoding::Jpeg => {
                let format = turbojpeg::PixelFormat::BGRX;
                let pixels = &mut self.pixels[..];
                let image = turbojpeg::Image { pixels, width, pitch: width * 4, height, format };
                self.jpeg.decompress(&draw.data, image).map_err(|why| failed(&why))
            }
            Encoding::Webp => {
                let decoded = webp::decode(&draw.data, draw.width, &mut self.pixels);
                if decoded { Ok(()) } else { Err(failed(&"libwebp refused a picture")) }
            }
            Encoding::H264 => {
                let options = DecodeOptions::new().flush_after_decode(Flush::NoFlush);
                self.video.decode_with_options(&draw.data, options).map_err(|why| failed(&why))?;
                self.video.flush_remaining().map_err(|why| failed(&why))?;
                Ok(())
            }
            Encoding::Scroll | Encoding::Void | Encoding::Other => Ok(()),
            encoding => {
                let size = Size { width: draw.width, height: draw.height };
                let WindowDraw { data, rowstride, options, .. } = draw;
                let coded = Coded { encoding, data, size, rowstride: *rowstride, options };
                self.still.decode(&coded, &mut self.ledger).map_err(|why| failed(&why))?;
                Ok(())
            }
        }
    }
}

/// Raw draws, sent through a socket of this machine.
struct Loopback(TcpStream);

impl Loopback {
    fn start(draws: &[WindowDraw]) -> Result<Self, Error> {
        let payloads: Vec<Payload> =
            draws.iter().filter(|draw| is_raw(draw)).map(|draw| draw.data.clone()).collect();
        let connect = || {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let receiver = TcpStream::connect(listener.local_addr()?)?;
            let (mut sender, _) = listener.accept()?;
            std::thread::Builder::new().name("bare-sender".to_owned()).spawn(move || {
                for payload in payloads {
                    if sender.write_all(&payload).is_err() {
                        // The receiver has failed, and says so.
                        return;
                    }
                }
            })?;
            Ok(Self(receiver))
        };
        connect().map_err(|why: std::io::Error| failed(&why))
    }

    fn receive(&mut self, pixels: &mut [u8]) -> Result<(), Error> {
        self.0.read_exact(pixels).map_err(|why| failed(&why))
    }
}

fn is_raw(draw: &WindowDraw) -> bool {
    matches!(draw.encoding, Encoding::Rgb24 | Encoding::Rgb32)
        && draw.options.pixel_compression == PixelCompression::None
}

fn failed(why: &dyn std::fmt::Display) -> Error {
    Error::Recording(format!("the bare decoders fail: {why}"))
}
