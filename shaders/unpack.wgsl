// Unpacks the bytes of a picture, as they came, into a window's backing: packed RGB of any order
// and depth, or planes of YUV. A picture that is not as large as its rectangle is scaled
// (bilinear). The numbers of FORMAT are those of render/gpu/unpack.rs.

const BGRX: u32 = 0u;
const RGBX: u32 = 1u;
const XRGB: u32 = 2u;
const XBGR: u32 = 3u;
const RGB: u32 = 4u;
const BGR: u32 = 5u;
const BGR565: u32 = 6u;
const R210: u32 = 7u;
const GREY: u32 = 8u;
const YUV: u32 = 9u;

override FORMAT: u32 = 0u;
override SCALED: bool = false;

struct Params {
    // Of the picture's rectangle in the backing, in pixels; may be negative.
    rect_origin: vec2<i32>,
    rect_size: vec2<u32>,
    picture_size: vec2<u32>,
    // YUV: bits by which a luma position is shifted to find its chroma sample.
    chroma_shift: vec2<u32>,
    // In bytes; packed pixels use x.
    plane_offsets: vec4<u32>,
    rowstrides: vec4<u32>,
    // YUV: rows of the matrix that makes R, G and B of (Y, U, V, 1), samples being 0..=255.
    red: vec4<f32>,
    green: vec4<f32>,
    blue: vec4<f32>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> bytes: array<u32>;

fn byte_at(address: u32) -> u32 {
    return (bytes[address >> 2u] >> ((address & 3u) * 8u)) & 0xffu;
}

// The four bytes from `address`, the first in the low bits.
fn word_at(address: u32) -> u32 {
    let shift = (address & 3u) * 8u;
    let index = address >> 2u;
    if shift == 0u {
        return bytes[index];
    }
    return (bytes[index] >> shift) | (bytes[index + 1u] << (32u - shift));
}

// The lowest `bits` bits of `value`, scaled to 0..=255.
fn to_8_bits(value: u32, bits: u32) -> u32 {
    let top = (1u << bits) - 1u;
    return ((value & top) * 255u + top / 2u) / top;
}

// Byte `index` (0..=3) of a word.
fn byte_of(word: u32, index: u32) -> u32 {
    return (word >> (index * 8u)) & 0xffu;
}

fn yuv_pixel(at: vec2<u32>) -> vec3<f32> {
    let chroma_at = at >> params.chroma_shift;
    let luma = byte_at(params.plane_offsets.x + at.y * params.rowstrides.x + at.x);
    let u = byte_at(params.plane_offsets.y + chroma_at.y * params.rowstrides.y + chroma_at.x);
    let v = byte_at(params.plane_offsets.z + chroma_at.y * params.rowstrides.z + chroma_at.x);
    let sample = vec4<f32>(f32(luma), f32(u), f32(v), 1.0);
    let rgb = vec3<f32>(dot(params.red, sample), dot(params.green, sample), dot(params.blue, sample));
    return clamp(rgb, vec3<f32>(0.0), vec3<f32>(255.0));
}

// A pixel of the picture, channels 0..=255.
fn pixel(at: vec2<u32>) -> vec3<f32> {
    if FORMAT == YUV {
        return yuv_pixel(at);
    }
    let row = params.plane_offsets.x + at.y * params.rowstrides.x;
    var rgb: vec3<u32>;
    switch FORMAT {
        case RGBX: {
            let word = word_at(row + at.x * 4u);
            rgb = vec3<u32>(byte_of(word, 0u), byte_of(word, 1u), byte_of(word, 2u));
        }
        case XRGB: {
            let word = word_at(row + at.x * 4u);
            rgb = vec3<u32>(byte_of(word, 1u), byte_of(word, 2u), byte_of(word, 3u));
        }
        case XBGR: {
            let word = word_at(row + at.x * 4u);
            rgb = vec3<u32>(byte_of(word, 3u), byte_of(word, 2u), byte_of(word, 1u));
        }
        case RGB: {
            let word = word_at(row + at.x * 3u);
            rgb = vec3<u32>(byte_of(word, 0u), byte_of(word, 1u), byte_of(word, 2u));
        }
        case BGR: {
            let word = word_at(row + at.x * 3u);
            rgb = vec3<u32>(byte_of(word, 2u), byte_of(word, 1u), byte_of(word, 0u));
        }
        case BGR565: {
            let word = word_at(row + at.x * 2u);
            rgb = vec3<u32>(to_8_bits(word >> 11u, 5u), to_8_bits(word >> 5u, 6u), to_8_bits(word, 5u));
        }
        case R210: {
            let word = word_at(row + at.x * 4u);
            rgb = vec3<u32>(to_8_bits(word >> 20u, 10u), to_8_bits(word >> 10u, 10u), to_8_bits(word, 10u));
        }
        case GREY: {
            rgb = vec3<u32>(byte_at(row + at.x));
        }
        default: {
            let word = word_at(row + at.x * 4u);
            rgb = vec3<u32>(byte_of(word, 2u), byte_of(word, 1u), byte_of(word, 0u));
        }
    }
    return vec3<f32>(rgb);
}

fn scaled_pixel(in_rect: vec2<f32>) -> vec3<f32> {
    let last = vec2<f32>(params.picture_size) - 1.0;
    let scale = vec2<f32>(params.picture_size) / vec2<f32>(params.rect_size);
    let at = clamp(in_rect * scale - 0.5, vec2<f32>(0.0), last);
    let low = vec2<u32>(at);
    let high = min(low + 1u, vec2<u32>(last));
    let part = fract(at);
    let top = mix(pixel(low), pixel(vec2<u32>(high.x, low.y)), part.x);
    let bottom = mix(pixel(vec2<u32>(low.x, high.y)), pixel(high), part.x);
    return mix(top, bottom, part.y);
}

@vertex
fn vertex(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    // One triangle that covers the backing; the scissor rectangle cuts out the draw's part.
    let corner = vec2<f32>(f32(index & 1u), f32(index >> 1u));
    return vec4<f32>(corner * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn fragment(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let in_rect = position.xy - vec2<f32>(params.rect_origin);
    var rgb: vec3<f32>;
    if SCALED {
        rgb = scaled_pixel(in_rect);
    } else {
        rgb = pixel(vec2<u32>(in_rect));
    }
    return vec4<f32>(rgb / 255.0, 1.0);
}
