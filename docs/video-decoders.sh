#!/bin/bash
# Measures decoders of h264 beside each other, and writes the table into docs/video.md: what each can read, its time
# for a frame, what it adds to a program, and how long it takes to build. Needs ffmpeg (with libx264 and libavcodec)
# and cargo; nothing of Farpane is built.
#     docs/video-decoders.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src films

cat > Cargo.toml <<'TOML'
[package]
name = "decoders"
version = "0.0.0"
edition = "2024"
[workspace]
[features]
none = []
openh264 = ["dep:openh264"]
rusty_h264 = ["dep:rusty_h264-decoder"]
rust_h264 = ["dep:rust_h264"]
libavcodec = ["dep:libloading"]
[dependencies]
openh264 = { version = "=0.9.9", default-features = false, features = ["source"], optional = true }
rusty_h264-decoder = { version = "=0.17.0", default-features = false, features = ["std", "asm"], optional = true }
rust_h264 = { version = "=0.6.0", optional = true }
libloading = { version = "=0.8.9", optional = true }
[profile.release]
lto = "fat"
codegen-units = 1
strip = "symbols"
TOML

cat > src/main.rs <<'RUST'
use std::time::{Duration, Instant};

/// A picture's planes, rows without padding, as one number.
#[allow(dead_code)]
fn hash(planes: [(&[u8], usize); 3], width: usize, height: usize) -> u64 {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    for (index, (plane, stride)) in planes.into_iter().enumerate() {
        let (width, height) = if index == 0 { (width, height) } else { (width / 2, height / 2) };
        for row in plane.chunks(stride).take(height) {
            for byte in &row[..width] {
                sum = (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
            }
        }
    }
    sum
}

trait Decode {
    /// One access unit: the picture's hash (0 unless wanted), if there is one.
    fn decode(&mut self, unit: &[u8], wanted: bool) -> Result<Option<u64>, String>;
}

#[cfg(feature = "openh264")]
fn new() -> Box<dyn Decode> {
    use openh264::decoder::*;
    use openh264::formats::YUVSource;
    struct It(Decoder);
    fn number(frame: &DecodedYUV, wanted: bool) -> u64 {
        let ((width, height), strides) = (frame.dimensions(), frame.strides());
        if !wanted { return 0 }
        hash([(frame.y(), strides.0), (frame.u(), strides.1), (frame.v(), strides.2)], width, height)
    }
    impl Decode for It {
        fn decode(&mut self, unit: &[u8], wanted: bool) -> Result<Option<u64>, String> {
            let options = DecodeOptions::new().flush_after_decode(Flush::NoFlush);
            let first = self.0.decode_with_options(unit, options).map_err(|why| why.to_string())?;
            let first = first.map(|frame| number(&frame, wanted));
            let late = self.0.flush_remaining().map_err(|why| why.to_string())?;
            Ok(late.last().map(|frame| number(frame, wanted)).or(first))
        }
    }
    Box::new(It(Decoder::new().unwrap()))
}

#[cfg(feature = "rusty_h264")]
fn new() -> Box<dyn Decode> {
    struct It(rusty_h264_decoder::Decoder);
    impl Decode for It {
        fn decode(&mut self, unit: &[u8], wanted: bool) -> Result<Option<u64>, String> {
            let frame = self.0.decode(unit).map_err(|why| why.to_string())?;
            Ok(frame.map(|f| if wanted {
                hash([(&f.y, f.width), (&f.u, f.width / 2), (&f.v, f.width / 2)], f.width, f.height)
            } else { 0 }))
        }
    }
    Box::new(It(rusty_h264_decoder::Decoder::new()))
}

#[cfg(feature = "rust_h264")]
fn new() -> Box<dyn Decode> {
    struct It(rust_h264::decoder::Decoder);
    impl Decode for It {
        fn decode(&mut self, unit: &[u8], wanted: bool) -> Result<Option<u64>, String> {
            let mut last = None;
            for nal in rust_h264::nal::parse_annex_b(unit) {
                last = self.0.decode_nal(&nal).map_err(|why| why.to_string())?.or(last);
            }
            Ok(self.0.flush().or(last).map(|f| if wanted {
                let (width, height) = (f.width as usize, f.height as usize);
                hash([(&f.y, width), (&f.u, width / 2), (&f.v, width / 2)], width, height)
            } else { 0 }))
        }
    }
    Box::new(It(rust_h264::decoder::Decoder::new()))
}

/// The system's library, loaded while running. Of its structures only what has stood where it is since version 57.
#[cfg(feature = "libavcodec")]
fn new() -> Box<dyn Decode> {
    use libloading::{Library, Symbol};
    use std::ffi::{CString, c_char, c_int, c_void};
    type Any = *mut c_void;
    struct It { codec: Library, context: Any, packet: *mut u8, frame: *mut u8, _util: Library }
    fn open(name: &str, versions: std::ops::Range<u32>) -> Library {
        let found = versions.rev().find_map(|n| unsafe { Library::new(format!("{name}.so.{n}")) }.ok());
        found.expect("libavcodec and libavutil")
    }
    impl Decode for It {
        fn decode(&mut self, unit: &[u8], wanted: bool) -> Result<Option<u64>, String> {
            unsafe {
                let fill: Symbol<unsafe extern "C" fn(*mut u8, c_int) -> c_int> = self.codec.get(b"av_new_packet").unwrap();
                let free: Symbol<unsafe extern "C" fn(*mut u8)> = self.codec.get(b"av_packet_unref").unwrap();
                let send: Symbol<unsafe extern "C" fn(Any, *mut u8) -> c_int> = self.codec.get(b"avcodec_send_packet").unwrap();
                let take: Symbol<unsafe extern "C" fn(Any, *mut u8) -> c_int> = self.codec.get(b"avcodec_receive_frame").unwrap();
                assert!(fill(self.packet, unit.len() as c_int) >= 0);
                let data = *(self.packet.add(24) as *const *mut u8);
                std::ptr::copy_nonoverlapping(unit.as_ptr(), data, unit.len());
                let sent = send(self.context, self.packet);
                free(self.packet);
                if sent < 0 { return Err(format!("error {sent}")) }
                if take(self.context, self.frame) < 0 { return Ok(None) }
                if !wanted { return Ok(Some(0)) }
                let number = |at: usize| *(self.frame.add(at) as *const c_int) as usize;
                let (width, height) = (number(104), number(108));
                let plane = |n: usize| {
                    let (stride, rows) = (number(64 + 4 * n), if n == 0 { height } else { height / 2 });
                    let used = if n == 0 { width } else { width / 2 };
                    let start = *(self.frame.add(8 * n) as *const *const u8);
                    (std::slice::from_raw_parts(start, stride * (rows - 1) + used), stride)
                };
                Ok(Some(hash([plane(0), plane(1), plane(2)], width, height)))
            }
        }
    }
    let (util, codec) = (open("libavutil", 57..61), open("libavcodec", 59..63));
    let (context, packet, frame) = unsafe {
        let find: Symbol<unsafe extern "C" fn(c_int) -> Any> = codec.get(b"avcodec_find_decoder").unwrap();
        let make: Symbol<unsafe extern "C" fn(Any) -> Any> = codec.get(b"avcodec_alloc_context3").unwrap();
        let start: Symbol<unsafe extern "C" fn(Any, Any, Any) -> c_int> = codec.get(b"avcodec_open2").unwrap();
        let set: Symbol<unsafe extern "C" fn(Any, *const c_char, *const c_char, c_int) -> c_int> = util.get(b"av_opt_set").unwrap();
        let packet: Symbol<unsafe extern "C" fn() -> *mut u8> = codec.get(b"av_packet_alloc").unwrap();
        let frame: Symbol<unsafe extern "C" fn() -> *mut u8> = util.get(b"av_frame_alloc").unwrap();
        let h264 = find(27);
        let context = make(h264);
        for (name, value) in [("threads", "1"), ("flags", "low_delay")] {
            let (name, value) = (CString::new(name).unwrap(), CString::new(value).unwrap());
            assert!(set(context, name.as_ptr(), value.as_ptr(), 0) >= 0);
        }
        assert!(start(context, h264, std::ptr::null_mut()) >= 0);
        (context, packet(), frame())
    };
    Box::new(It { codec, context, packet, frame, _util: util })
}

#[cfg(feature = "none")]
fn new() -> Box<dyn Decode> {
    struct It;
    impl Decode for It {
        fn decode(&mut self, unit: &[u8], _: bool) -> Result<Option<u64>, String> { Ok(Some(unit.len() as u64)) }
    }
    Box::new(It)
}

/// Between the access unit delimiters.
fn units(film: &[u8]) -> Vec<&[u8]> {
    let mut starts: Vec<usize> = (0..film.len().saturating_sub(4)).filter(|at| film[*at..].starts_with(&[0, 0, 0, 1, 9])).collect();
    starts.push(film.len());
    starts.windows(2).map(|pair| &film[pair[0]..pair[1]]).collect()
}

/// Prints for each film: its hash, frames decoded, milliseconds a frame, and the first error.
fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    for file in std::env::args().skip(1) {
        let film = std::fs::read(&file).unwrap();
        let (mut frames, mut sum, mut error, mut best) = (0, 0_u64, String::new(), Duration::MAX);
        for round in 0..4 {
            let mut decoder = new();
            let mut spent = Duration::ZERO;
            for unit in units(&film) {
                let begin = Instant::now();
                let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| decoder.decode(unit, round == 0)));
                spent += begin.elapsed();
                if round > 0 { continue }
                match result.unwrap_or_else(|_| Err("panic".into())) {
                    Ok(Some(number)) => { frames += 1; sum = sum.wrapping_mul(31).wrapping_add(number); }
                    Ok(None) => {}
                    Err(why) => if error.is_empty() { error = why },
                }
            }
            if round > 0 { best = best.min(spent) }
        }
        println!("{sum:x};{frames};{:.2};{error}", best.as_secs_f64() * 1e3 / units(&film).len() as f64);
    }
}
RUST

# The films: moving test pictures with noise, without B-frames and delay, as Xpra's encoder makes them.
film() {
    ffmpeg -v error -f lavfi -i "testsrc2=size=$2:rate=30,noise=alls=$3:allf=t" -frames:v 60 -pix_fmt yuv420p -c:v libx264 \
        -preset veryfast -tune zerolatency -profile:v "$4" -crf "$5" -x264-params "aud=1:keyint=infinite:$6" -f h264 "films/$1"
}
film 1-baseline 1920x1080 4 baseline 26 ""
film 2-main 1920x1080 4 main 26 ""
film 3-high 1920x1080 4 high 26 ""
film 4-high-cavlc 1920x1080 4 high 26 "cabac=0"
film 5-high-cavlc-qp5 640x480 30 high 5 "cabac=0"
film 6-high-qp2 640x480 60 high 2 ""
names=("1080p, baseline" "1080p, main" "1080p, high" "1080p, high, CAVLC" "480p, high, CAVLC, QP 5" "480p, high, QP 2, noise")

cargo fetch -q
build() {
    rm -rf target
    local begin; begin=$(date +%s.%N)
    cargo build -q --release --features "$1"
    built=$(echo "$(date +%s.%N) - $begin" | bc)
    cp target/release/decoders "decoders-$1"
}
build none
bare=$(stat -c %s decoders-none)
declare -A result size time
candidates=(libavcodec openh264 rusty_h264 rust_h264)
for candidate in "${candidates[@]}"; do
    build "$candidate"
    time[$candidate]=$(printf '%.0f' "$built")
    size[$candidate]=$((($(stat -c %s "decoders-$candidate") - bare) / 1000))
    result[$candidate]=$("./decoders-$candidate" films/*)
done

{
    printf '| | %s | adds to the program | builds in (2 cores) |\n' "$(IFS='|'; echo "${names[*]}" | sed 's/|/ | /g')"
    printf '|---|'; printf -- '---|%.0s' "${names[@]}"; printf -- '---|---|\n'
    mapfile -t right <<< "${result[libavcodec]}"
    for candidate in "${candidates[@]}"; do
        mapfile -t lines <<< "${result[$candidate]}"
        printf '| %s |' "$candidate"
        for index in "${!names[@]}"; do
            IFS=';' read -r sum frames ms error <<< "${lines[$index]}"
            IFS=';' read -r expected _ <<< "${right[$index]}"
            if [ "$sum" = "$expected" ]; then printf ' %s ms |' "$ms"
            else printf ' **%s of 60**: %s |' "$frames" "${error:-other pixels}"; fi
        done
        printf ' %s kB | %s s |\n' "${size[$candidate]}" "${time[$candidate]}"
    done
} > table
python3 - "$here/video.md" table <<'PYTHON'
import sys
document, table = (open(name).read() for name in sys.argv[1:3])
begin, end = ("<!-- %s: docs/video-decoders.sh -->" % word for word in ("begin", "end"))
before, rest = document.split(begin + "\n")
after = rest.split(end)[1]
open(sys.argv[1], "w").write(f"{before}{begin}\n\n{table}\n{end}{after}")
PYTHON
cat table
