//! The recordings that the bench makes itself: one for each way in which updates travel.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::time::{Duration, Instant};

use openh264::OpenH264API;
use openh264::encoder::{Encoder, EncoderConfig, FrameType, QpRange, RateControlMode, UsageType};
use openh264::formats::{RgbSliceU8, YUVBuffer};

use crate::buffers::{BufferPool, Payload};
use crate::channel::clock;
use crate::demo::canvas::{Area, Canvas, Draw, Packing};
use crate::demo::hello::Offers;
use crate::protocol::packet::connection;
use crate::protocol::packet::draw::{self, DrawOptions, Encoding, WindowDraw};
use crate::protocol::packet::window::{self, WindowCreate};
use crate::protocol::packet::{Dict, DrawSequence, ShortName, Value, WindowId};
use crate::protocol::{Dialect, Limits, PacketWriter, Reassembler, ServerPacket};
use crate::recording::{Facts, Start, Writer};

use super::desktop::{BusyDesktop, HEIGHT, WIDTH};
use super::{Error, webp};

/// Quality of the lossy pictures, of 100.
const QUALITY: u8 = 80;
/// zlib's level for PNG, 1 (fast) to 9.
const PNG_LEVEL: u8 = 3;
/// Quantiser of the video: 0 is best, 51 worst.
const QP: (u8, u8) = (20, 28);
/// The sides of a small update.
const SMALL: u32 = 32;
/// Recorded time between two draws.
const EVERY: Duration = Duration::from_millis(40);
const WID: WindowId = WindowId(1);
/// What the demo's canvas is to make of its pixels: BGRX, or RGB where a codec wants that.
const OFFERS: Offers = Offers { h264: true, scroll: false, lz4: true, rgb24: true, red_first: false };

/// How the updates of a recording travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    Raw,
    Lz4,
    Jpeg,
    Webp,
    Png,
    H264,
    /// 32 × 32 pixels of raw rgb32 each, all over the desktop.
    Small,
}

impl Case {
    pub const ALL: [Self; 7] =
        [Self::Raw, Self::Lz4, Self::Jpeg, Self::Webp, Self::Png, Self::H264, Self::Small];

    /// The name in tables and of files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Lz4 => "lz4",
            Self::Jpeg => "jpeg",
            Self::Webp => "webp",
            Self::Png => "png",
            Self::H264 => "h264",
            Self::Small => "small",
        }
    }

    /// What the updates are.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Raw => "1080p, raw rgb32",
            Self::Lz4 => "1080p, rgb32 with lz4",
            Self::Jpeg => "1080p, jpeg",
            Self::Webp => "1080p, webp (lossy)",
            Self::Png => "1080p, png",
            Self::H264 => "1080p, h264",
            Self::Small => "32 × 32, raw rgb32",
        }
    }

    /// Draws of the recording, which is played several times where the pictures are large.
    /// `frames` is how many are wanted in all.
    pub fn draws_and_rounds(self, frames: u32) -> (u32, u32) {
        let frames = frames.max(1);
        let distinct = match self {
            Self::Small => frames,
            Self::H264 => frames.min(120),
            _ => frames.min(12),
        };
        (distinct, frames.div_ceil(distinct))
    }

    /// Writes a recording of `draws` updates of the busy desktop.
    ///
    /// # Errors
    /// If the file cannot be written, or an encoder fails.
    pub fn record(self, file: &Path, draws: u32) -> Result<(), Error> {
        let mut recording = Recording::create(file)?;
        let mut desktop = BusyDesktop::new();
        let mut video = (self == Self::H264).then(Video::new).transpose()?;
        for number in 0..draws {
            let draw = match (self, &mut video) {
                // The first one paints the whole window, the others parts of the next frame.
                (Self::Small, _) => small(&mut desktop, number),
                (Self::H264, Some(video)) => video.encode(desktop.frame(number))?,
                _ => self.full(desktop.frame(number))?,
            };
            recording.draw(draw)?;
        }
        recording.finish()
    }

    /// The whole desktop in one draw.
    fn full(self, canvas: &Canvas) -> Result<Draw, Error> {
        let area = canvas.area();
        let rgb = || canvas.draw(area, Packing::Small, &OFFERS).data;
        let (encoding, data) = match self {
            Self::Jpeg => (Encoding::Jpeg, jpeg(&rgb())?),
            Self::Webp => {
                let file = webp::encode(&rgb(), (WIDTH, HEIGHT), f32::from(QUALITY));
                (Encoding::Webp, file.ok_or_else(|| Error::Encode("libwebp refused the picture".into()))?)
            }
            Self::Png => (Encoding::Png, png(&rgb())?),
            Self::Lz4 => return Ok(canvas.draw(area, Packing::Lz4, &OFFERS)),
            Self::Raw | Self::Small | Self::H264 => return Ok(canvas.draw(area, Packing::Raw, &OFFERS)),
        };
        let options = DrawOptions { quality: Some(u32::from(QUALITY)), ..DrawOptions::default() };
        Ok(Draw { area, encoding, data: Payload::from(data), rowstride: 0, options })
    }
}

fn small(desktop: &mut BusyDesktop, number: u32) -> Draw {
    if number == 0 {
        let canvas = desktop.frame(0);
        return canvas.draw(canvas.area(), Packing::Raw, &OFFERS);
    }
    let (columns, rows) = (WIDTH / SMALL, HEIGHT / SMALL);
    // Every column is a step of 37 away, which meets all of them.
    let (x, y) = (number * 37 % columns * SMALL, number / columns * 7 % rows * SMALL);
    let mut canvas = Canvas::new(SMALL, SMALL, [0; 3]);
    canvas
        .paint(|x, y| [(number * 5 + x * 3) as u8, (number / 3 + y * 4) as u8, ((x ^ y) * 8 + number) as u8]);
    let draw = canvas.draw(canvas.area(), Packing::Raw, &OFFERS);
    Draw { area: Area { x, y, ..draw.area }, ..draw }
}

fn jpeg(rgb: &[u8]) -> Result<Vec<u8>, Error> {
    let image = turbojpeg::Image {
        pixels: rgb,
        width: WIDTH as usize,
        pitch: WIDTH as usize * 3,
        height: HEIGHT as usize,
        format: turbojpeg::PixelFormat::RGB,
    };
    let encode = || {
        let mut compressor = turbojpeg::Compressor::new()?;
        compressor.set_quality(i32::from(QUALITY))?;
        compressor.set_subsamp(turbojpeg::Subsamp::Sub2x2)?;
        compressor.compress_to_vec(image)
    };
    encode().map_err(|why: turbojpeg::Error| Error::Encode(why.to_string()))
}

fn png(rgb: &[u8]) -> Result<Vec<u8>, Error> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, WIDTH, HEIGHT);
    encoder.set_color(png::ColorType::Rgb);
    // What zlib makes of it, as servers send it; the crate's own fast modes write another kind of
    // data.
    encoder.set_deflate_compression(png::DeflateCompression::Level(PNG_LEVEL));
    encoder.set_filter(png::Filter::Adaptive);
    let failed = |why: png::EncodingError| Error::Encode(why.to_string());
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(rgb).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(file)
}

/// A video of the desktop: one stream of 4:2:0 whose first frame is a key frame.
struct Video {
    encoder: Encoder,
    frames: u64,
}

impl Video {
    fn new() -> Result<Self, Error> {
        let config = EncoderConfig::new()
            .usage_type(UsageType::CameraVideoRealTime)
            .rate_control_mode(RateControlMode::Off)
            .qp(QpRange::new(QP.0, QP.1))
            .skip_frames(false)
            .num_threads(1);
        let encoder = Encoder::with_api_config(OpenH264API::from_source(), config);
        Ok(Self { encoder: encoder.map_err(|why| Error::Encode(why.to_string()))?, frames: 0 })
    }

    fn encode(&mut self, canvas: &Canvas) -> Result<Draw, Error> {
        let area = canvas.area();
        let rgb = canvas.draw(area, Packing::Small, &OFFERS).data;
        let picture = YUVBuffer::from_rgb8_source(RgbSliceU8::new(&rgb, (WIDTH as usize, HEIGHT as usize)));
        let frame = self.encoder.encode(&picture).map_err(|why| Error::Encode(why.to_string()))?;
        let is_key = matches!(frame.frame_type(), FrameType::IDR | FrameType::I);
        let mut data = Vec::new();
        frame.write_vec(&mut data);
        let options = DrawOptions {
            csc: ShortName::new("YUV420P"),
            frame: Some(self.frames),
            frame_type: ShortName::new(if is_key { "IDR" } else { "P" }),
            quality: Some(u32::from(QUALITY)),
            ..DrawOptions::default()
        };
        self.frames += 1;
        Ok(Draw { area, encoding: Encoding::H264, data: Payload::from(data), rowstride: 0, options })
    }
}

/// A recording of one window that is being written.
struct Recording<'a> {
    path: &'a Path,
    writer: Writer<BufWriter<File>>,
    packets: PacketWriter,
    pool: BufferPool,
    zero: Instant,
    draws: u32,
}

impl<'a> Recording<'a> {
    fn create(path: &'a Path) -> Result<Self, Error> {
        let file = File::create(path).map_err(|why| Error::file(path, why))?;
        let facts = Facts {
            server: "made up".to_owned(),
            recorder: format!("farpane bench peers {}", env!("CARGO_PKG_VERSION")),
            ..Facts::default()
        };
        let start = Start { dialect: Dialect::Modern, facts };
        let writer = Writer::new(BufWriter::new(file), start).map_err(|why| Error::file(path, why))?;
        let packets = PacketWriter::new(Dialect::Modern);
        let zero = clock::now();
        let mut recording = Self { path, writer, packets, pool: BufferPool::default(), zero, draws: 0 };
        let mut hello = Dict::default();
        hello.push("version", "6.5").push("session_name", "busy desktop").push("session-type", "seamless");
        let encodings = ["rgb24", "rgb32", "png", "jpeg", "webp", "h264"];
        hello.push("encodings.core", &encodings[..]);
        recording.packet(&ServerPacket::Connection(connection::FromServer::Hello(hello)))?;
        let mut metadata = Dict::default();
        let size = Value::List(vec![i64::from(WIDTH).into(), i64::from(HEIGHT).into()]);
        // Without a window manager GTK would draw a frame of its own.
        metadata.push("title", "busy desktop").push("size", size).push("decorations", 0i64);
        let (width, height) = (WIDTH, HEIGHT);
        recording.packet(&ServerPacket::Window(window::FromServer::Create(WindowCreate {
            wid: WID,
            x: 0,
            y: 0,
            width,
            height,
            metadata,
            client_properties: Dict::default(),
            override_redirect: false,
            tray: false,
        })))?;
        recording.packet(&ServerPacket::Connection(connection::FromServer::StartupComplete))?;
        Ok(recording)
    }

    fn draw(&mut self, draw: Draw) -> Result<(), Error> {
        self.draws += 1;
        let Draw { area, encoding, data, rowstride, options } = draw;
        let side = |value: u32| i32::try_from(value).unwrap_or(0);
        self.packet(&ServerPacket::Draw(draw::FromServer::Draw(WindowDraw {
            wid: WID,
            x: side(area.x),
            y: side(area.y),
            width: area.width,
            height: area.height,
            encoding,
            data,
            sequence: DrawSequence(u64::from(self.draws)),
            rowstride,
            options,
        })))
    }

    /// Appends a packet as it would have been received.
    fn packet(&mut self, packet: &ServerPacket) -> Result<(), Error> {
        let records = self.packets.write_server(packet, true);
        let arrived = self.zero + EVERY * self.draws;
        let limits = Limits::with_max_record(0);
        let mut reassembler = Reassembler::new(Dialect::Modern, limits, self.pool.clone());
        for part in [&records.head[..], records.data.as_deref().unwrap_or_default(), &records.tail] {
            let mut rest = part;
            while !rest.is_empty() {
                let fed = reassembler.feed(rest, arrived);
                rest = rest.get(fed..).unwrap_or_default();
                if let Some(raw) = reassembler.next_packet().map_err(|why| Error::Encode(why.to_string()))? {
                    self.writer.packet(&raw).map_err(|why| Error::file(self.path, why))?;
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<(), Error> {
        self.writer.finish().map_err(|why| Error::file(self.path, why))?;
        Ok(())
    }
}
