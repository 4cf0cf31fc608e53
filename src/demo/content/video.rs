//! A video that is made up and encoded while it is sent: h264, or LZ4 for clients without it.

use std::time::Duration;

use openh264::OpenH264API;
use openh264::encoder::{Encoder, EncoderConfig, FrameType, QpRange, RateControlMode, UsageType};
use openh264::formats::YUVBuffer;

use crate::buffers::Payload;
use crate::demo::canvas::{Area, Canvas, Color, Draw, Packing};
use crate::demo::hello::Offers;
use crate::protocol::packet::ShortName;
use crate::protocol::packet::draw::{DrawOptions, Encoding};

use super::Content;

const WIDTH: u32 = 480;
const HEIGHT: u32 = 270;
const AREA: Area = Area { x: 0, y: 0, width: WIDTH, height: HEIGHT };
/// Time between frames of the video.
const EVERY: Duration = Duration::from_millis(40);
/// Time between pictures for clients that want them unpacked.
const EVERY_WITHOUT_VIDEO: Duration = Duration::from_millis(150);
/// Quantiser of the encoder: 0 is best, 51 worst.
const MIN_QP: u8 = 20;
const MAX_QP: u8 = 28;
const QUALITY: u32 = 70;

/// A ball that jumps through colours.
pub struct Video {
    canvas: Canvas,
    stream: Option<Stream>,
    last: Option<Duration>,
}

/// One h264 stream. It begins with a key frame, and again when the client lost track.
struct Stream {
    encoder: Encoder,
    frames: u64,
}

impl Video {
    /// A window of 480 × 270, whose size does not change.
    pub fn new() -> Self {
        Self { canvas: Canvas::new(WIDTH, HEIGHT, [0; 3]), stream: None, last: None }
    }

    fn paint(&mut self, elapsed: Duration) {
        let time = elapsed.as_secs_f32();
        let (width, height) = (WIDTH as f32, HEIGHT as f32);
        let ball =
            (width * (0.5 + 0.4 * (time * 0.9).sin()), height * (0.9 - 0.7 * (time * 2.3).sin().abs()));
        let shade = |value: f32| (value.clamp(0.0, 1.0) * 255.0) as u8;
        self.canvas.paint(|x, y| -> Color {
            let (x, y) = (x as f32, y as f32);
            let distance = ((x - ball.0).powi(2) + (y - ball.1).powi(2)).sqrt();
            if distance < 28.0 {
                let light = 1.0 - distance / 60.0;
                return [shade(light), shade(light * 0.8), shade(light * 0.2)];
            }
            let sky = y / height;
            [
                shade(0.4 + 0.2 * (x / width * 4.0 + time).sin()),
                shade(0.2 + 0.4 * sky),
                shade(0.7 - 0.4 * sky),
            ]
        });
    }

    /// The picture as the next frame of the stream. `None` if the encoder failed.
    fn encode(&mut self, begin: bool) -> Option<Draw> {
        if begin {
            self.stream = None;
        }
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(Stream { encoder: encoder().ok()?, frames: 0 }),
        };
        let rgb = self.canvas.draw(AREA, Packing::Small, &Offers { rgb24: true, ..NO_OFFERS });
        let source = openh264::formats::RgbSliceU8::new(&rgb.data, (WIDTH as usize, HEIGHT as usize));
        let frame = stream.encoder.encode(&YUVBuffer::from_rgb8_source(source)).ok()?;
        let is_key = matches!(frame.frame_type(), FrameType::IDR | FrameType::I);
        let mut data = Vec::new();
        frame.write_vec(&mut data);
        let options = DrawOptions {
            csc: ShortName::new("YUV420P"),
            frame: Some(stream.frames),
            frame_type: ShortName::new(if is_key { "IDR" } else { "P" }),
            quality: Some(QUALITY),
            ..DrawOptions::default()
        };
        stream.frames += 1;
        Some(Draw { area: AREA, encoding: Encoding::H264, data: Payload::from(data), rowstride: 0, options })
    }
}

impl Default for Video {
    fn default() -> Self {
        Self::new()
    }
}

const NO_OFFERS: Offers = Offers { h264: false, scroll: false, lz4: false, rgb24: false, red_first: false };

fn encoder() -> Result<Encoder, openh264::Error> {
    let config = EncoderConfig::new()
        .usage_type(UsageType::CameraVideoRealTime)
        // No rate control: every frame that is encoded is sent, none may be left out.
        .rate_control_mode(RateControlMode::Off)
        .qp(QpRange::new(MIN_QP, MAX_QP))
        .skip_frames(false)
        .num_threads(1);
    Encoder::with_api_config(OpenH264API::from_source(), config)
}

impl Content for Video {
    fn title(&self) -> String {
        "Video".to_owned()
    }

    fn size(&self) -> (u32, u32) {
        (WIDTH, HEIGHT)
    }

    fn draws(&mut self, offers: &Offers, elapsed: Duration, whole: bool) -> Vec<Draw> {
        let every = if offers.h264 { EVERY } else { EVERY_WITHOUT_VIDEO };
        if !whole && self.last.is_some_and(|last| elapsed.saturating_sub(last) < every) {
            return Vec::new();
        }
        self.last = Some(elapsed);
        self.paint(elapsed);
        let video = if offers.h264 { self.encode(whole) } else { None };
        vec![video.unwrap_or_else(|| self.canvas.draw(AREA, Packing::Lz4, offers))]
    }
}
