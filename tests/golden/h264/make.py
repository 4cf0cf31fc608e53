#!/usr/bin/env python3
"""Makes the h264 streams of this folder with Xpra's own encoders, as its server calls them.

Made with Xpra 6.5.5 (x264 and openh264 encoders, libyuv colour conversion), by
    /opt/xpra6/bin/python3 tests/golden/h264/make.py
Each file holds the draws of a film of 10 frames of 96x64 pixels, those with flip- of 4; frame n shows
tests/it/support/samples.rs, photo(96x64, n), or flip(96x64, n). A draw is
    u8 delayed, u8 full range, u32 length (little-endian), access unit.

The key frames sixteen-references-*.h264 are by ffmpeg 5.1.9 with x264 (Debian 12); high: with :cabac=1:8x8dct=1.
    ffmpeg -f lavfi -i color=c=0x405060:s=1920x1072:r=25 -frames:v 1 -c:v libx264 -pix_fmt yuv420p -preset ultrafast \
        -x264-params ref=16:level=5.1 -bsf:v filter_units=remove_types=6 -f h264 sixteen-references-baseline.h264
"""

import math
import struct
from pathlib import Path

from xpra.codecs.image import ImageWrapper
from xpra.codecs.libyuv.converter import Converter
from xpra.util.objects import typedict

WIDTH, HEIGHT, FRAMES = 96, 64, 10


def photo(shift: int) -> bytes:
    def wave(x: float, y: float, phase: float) -> int:
        value = 127.5 + 90.0 * math.sin(x + phase) + 30.0 * math.cos(y * 1.7 - phase)
        return max(0, min(255, int(value)))

    pixels = bytearray()
    for y in range(HEIGHT):
        for x in range(WIDTH):
            red, green, blue = (wave((x + shift) / 37.0, y / 29.0, phase) for phase in (0.0, 1.0, 2.0))
            pixels += bytes((blue, green, red, 255))
    return bytes(pixels)


def flip(number: int) -> bytes:
    """Black or white, with fine lines in the other colour: what a busy text window is to an encoder."""
    pixels = bytearray()
    for y in range(HEIGHT):
        for x in range(WIDTH):
            inside = 8 <= x < WIDTH - 8 and 8 <= y < HEIGHT - 8
            line = inside and (x * 7 + y * 13 + number * 31) % 5 < 2
            pixels += bytes((255 if line != (number % 2 == 1) else 0,) * 3 + (255,))
    return bytes(pixels)


def planes(pixels: bytes, full_range: bool) -> ImageWrapper:
    converter = Converter()
    converter.init_context(
        WIDTH, HEIGHT, "BGRX", WIDTH, HEIGHT, "YUV420P", typedict({"full-range": full_range})
    )
    return converter.convert_image(
        ImageWrapper(0, 0, WIDTH, HEIGHT, pixels, "BGRX", 24, WIDTH * 4, planes=0, thread_safe=True)
    )


def film(codec: str, profile: str, b_frames: bool, full_range: bool, frame=photo, more={}) -> bytes:
    frames = FRAMES if frame is photo else 4
    encoder = __import__(f"xpra.codecs.{codec}.encoder", fromlist=["Encoder"]).Encoder()
    options = {"quality": 90, "speed": 50, "content-type": "video", "full-range": full_range} | more
    settings = {"h264.YUV420P.profile": profile, "b-frames": int(b_frames), "dst-formats": ["YUV420P"]}
    encoder.init_context("h264", WIDTH, HEIGHT, "YUV420P", typedict(options | settings))
    draws = []
    for number in range(frames):
        frame_options = typedict(options | {"b-frames": int(b_frames)})
        draws.append(encoder.compress_image(planes(frame(number), full_range), frame_options))
    while draws[-1][1].get("delayed", 0) > 0:
        draws.append(encoder.flush(len(draws)))
    print(codec, profile, more, [(len(data), client.get("delayed", 0), client.get("type")) for data, client in draws])
    # The server sends nothing while the encoder has nothing.
    return b"".join(
        struct.pack("<BBI", client.get("delayed", 0), client["full-range"], len(data)) + data
        for data, client in draws
        if data
    )


for name, arguments in {
    "x264-baseline": ("x264", "baseline", False, True),
    "x264-high": ("x264", "high", False, True),
    "x264-high-limited": ("x264", "high", False, False),
    "x264-high-b-frames": ("x264", "high", True, True),
    "x264-main-b-frames": ("x264", "main", True, True),
    "openh264": ("openh264", "baseline", False, True),
    # What a window that flips at each key press is sent: quality rises until the encoder's QP is 5.
    "flip-high-cavlc": ("x264", "high", False, True, flip, {"quality": 95, "h264.fast-decode": True}),
    "flip-high-cabac": ("x264", "high", False, True, flip, {"quality": 95}),
    "flip-main": ("x264", "main", False, True, flip, {"quality": 95}),
    "flip-baseline": ("x264", "baseline", False, True, flip, {"quality": 95}),
    # What windows of the content type "video" are sent: the encoder holds frames back, without reordering them.
    "x264-high-delayed": ("x264", "high", False, True, photo, {"content-types": ("video",), "speed": 30}),
}.items():
    Path(__file__).with_name(f"{name}.draws").write_bytes(film(*arguments))
