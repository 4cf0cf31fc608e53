//! Pictures to show and to compare.

use std::path::PathBuf;

/// RGB pixels, three bytes each, rows without padding.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    pub rgb: Vec<u8>,
}

impl Picture {
    pub fn from_fn(width: usize, height: usize, mut pixel: impl FnMut(usize, usize) -> [u8; 3]) -> Self {
        let mut rgb = Vec::with_capacity(width * height * 3);
        for y in 0..height {
            for x in 0..width {
                rgb.extend(pixel(x, y));
            }
        }
        Self { width, height, rgb }
    }

    /// Hard edges, ramps of each channel, thin lines and noise: what a wrong stride, channel order,
    /// rounding or offset would spoil.
    pub fn sharp(width: usize, height: usize) -> Self {
        let mut noise: u32 = 0x2545_f491;
        Self::from_fn(width, height, |x, y| {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            let ramp = (x * 255 / width.max(1)) as u8;
            if x == 0 || y == 0 || x + 1 == width || y + 1 == height {
                return [255, 0, 255];
            }
            match (y * 8 / height, x * 2 / width) {
                (0, _) => [ramp, 0, 0],
                (1, _) => [0, ramp, 0],
                (2, _) => [0, 0, ramp],
                (3, 0) => [if (x / 4 + y / 4) % 2 == 0 { 255 } else { 0 }; 3],
                (3, _) => [if x % 2 == 0 { 250 } else { 5 }; 3],
                (4, 0) => noise.to_le_bytes()[..3].try_into().expect("three bytes"),
                (4, _) => [17, 34, 51],
                (5, _) => [(y * 37 % 256) as u8, ramp, 200],
                (6, _) => [250, 128, 3],
                _ => [x as u8, y as u8, (x + y) as u8],
            }
        })
    }

    /// Smooth colours, as a photograph has them: what lossy encodings are made for.
    pub fn smooth(width: usize, height: usize) -> Self {
        let wave = |at: f32| (127.5 + 100.0 * at.sin()) as u8;
        Self::from_fn(width, height, |x, y| {
            let (x, y) = (x as f32 / width as f32, y as f32 / height as f32);
            [wave(5.0 * x + 2.0 * y), wave(1.0 + 4.0 * y - 3.0 * x), wave(2.0 + 6.0 * x * y)]
        })
    }

    /// A part of it, which must lie inside.
    pub fn crop(&self, left: usize, top: usize, width: usize, height: usize) -> Self {
        Self::from_fn(width, height, |x, y| {
            let at = ((top + y) * self.width + left + x) * 3;
            [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
        })
    }

    /// Where all of `part` is in it, if it is.
    pub fn find(&self, part: &Self) -> Option<(usize, usize)> {
        let row = |picture: &Self, x: usize, y: usize| (y * picture.width + x) * 3;
        let len = part.width * 3;
        let rows_match = |x: usize, y: usize| {
            (0..part.height).all(|line| {
                let (here, there) = (row(self, x, y + line), row(part, 0, line));
                self.rgb[here..here + len] == part.rgb[there..there + len]
            })
        };
        let (right, bottom) = (self.width.checked_sub(part.width)?, self.height.checked_sub(part.height)?);
        (0..=bottom).flat_map(|y| (0..=right).map(move |x| (x, y))).find(|&(x, y)| rows_match(x, y))
    }

    /// How many different colours it has: 1 means that nothing was painted.
    pub fn colours(&self) -> usize {
        self.rgb.chunks_exact(3).collect::<std::collections::HashSet<_>>().len()
    }

    /// Peak signal-to-noise ratio in dB; infinite if equal.
    pub fn psnr(&self, other: &Self) -> f64 {
        assert_eq!((self.width, self.height), (other.width, other.height), "sizes differ");
        let squares: u64 =
            self.rgb.iter().zip(&other.rgb).map(|(&a, &b)| u64::from(a.abs_diff(b)).pow(2)).sum();
        10.0 * (255.0 * 255.0 * self.rgb.len() as f64 / squares as f64).log10()
    }

    /// Why the two differ, with the pictures kept for a look; `None` if every pixel is the same.
    pub fn difference(&self, expected: &Self, name: &str) -> Option<String> {
        let message = if (self.width, self.height) != (expected.width, expected.height) {
            format!("{}x{} instead of {}x{}", self.width, self.height, expected.width, expected.height)
        } else {
            let pixels = self.rgb.chunks_exact(3).zip(expected.rgb.chunks_exact(3));
            let wrong: Vec<_> = pixels.enumerate().filter(|(_, (got, wanted))| got != wanted).collect();
            let &(at, (got, wanted)) = wrong.first()?;
            format!(
                "{} of {} pixels differ (PSNR {:.1} dB), first at {},{}: {got:?} instead of {wanted:?}",
                wrong.len(),
                self.width * self.height,
                self.psnr(expected),
                at % self.width,
                at / self.width,
            )
        };
        let (got, wanted) = (self.save(&format!("{name}-got")), expected.save(&format!("{name}-expected")));
        Some(format!("{name}: {message}\n  {}\n  {}", got.display(), wanted.display()))
    }

    /// Writes `target/test-artifacts/NAME.png`.
    pub fn save(&self, name: &str) -> PathBuf {
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../test-artifacts");
        std::fs::create_dir_all(&directory).expect("a directory for pictures");
        let path = directory.join(format!("{name}.png"));
        let file = std::fs::File::create(&path).expect("a PNG file");
        let mut encoder = png::Encoder::new(file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header().expect("a PNG header");
        writer.write_image_data(&self.rgb).expect("PNG data");
        path
    }

    /// Reads a PNG file of 8 bits a channel; transparency is left out.
    pub fn load(path: &std::path::Path) -> Self {
        let file = std::fs::File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut reader = png::Decoder::new(std::io::BufReader::new(file)).read_info().expect("a PNG file");
        let mut bytes = vec![0; reader.output_buffer_size().expect("a sane size")];
        let info = reader.next_frame(&mut bytes).expect("PNG data");
        assert_eq!(info.bit_depth, png::BitDepth::Eight);
        let rgb = match info.color_type {
            png::ColorType::Rgb => bytes[..info.buffer_size()].to_vec(),
            png::ColorType::Rgba => bytes[..info.buffer_size()]
                .chunks_exact(4)
                .flat_map(|pixel| pixel[..3].iter().copied())
                .collect(),
            other => panic!("{}: unexpected colours {other:?}", path.display()),
        };
        Self { width: info.width as usize, height: info.height as usize, rgb }
    }
}

/// Panics unless every pixel is the same.
#[track_caller]
pub fn assert_same(got: &Picture, expected: &Picture, name: &str) {
    if let Some(difference) = got.difference(expected, name) {
        panic!("{difference}");
    }
}
