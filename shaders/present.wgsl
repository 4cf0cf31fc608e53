// Shows a window's backing from the top left corner of the target: one backing pixel for one of
// the target, or scaled to `shown`. Beyond it its edge goes on, as far as the scissor rectangle lets it. The backing's alpha means
// nothing: windows are opaque. render/cpu/scale.rs does the same.

override SCALED: bool = false;
override NEAREST: bool = false;

struct Params {
    // If it is scaled: size of the whole backing on the target, in pixels.
    shown: vec2<u32>,
}

@group(0) @binding(0) var backing: texture_2d<f32>;
@group(0) @binding(1) var<uniform> params: Params;

fn pixel(at: vec2<u32>) -> vec3<f32> {
    return textureLoad(backing, at, 0).rgb;
}

fn scaled_pixel(at: vec2<u32>) -> vec3<f32> {
    let size = textureDimensions(backing);
    let last = size - 1u;
    if NEAREST {
        // Where the middle of the pixel lies, in integers: both sides are the same everywhere.
        return pixel(min((2u * at + 1u) * size / (2u * params.shown), last));
    }
    let scale = vec2<f32>(size) / vec2<f32>(params.shown);
    let in_backing = clamp((vec2<f32>(at) + 0.5) * scale - 0.5, vec2<f32>(0.0), vec2<f32>(last));
    let low = vec2<u32>(in_backing);
    let high = min(low + 1u, last);
    let part = fract(in_backing);
    let top = mix(pixel(low), pixel(vec2<u32>(high.x, low.y)), part.x);
    let bottom = mix(pixel(vec2<u32>(low.x, high.y)), pixel(high), part.x);
    return mix(top, bottom, part.y);
}

@vertex
fn vertex(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    let corner = vec2<f32>(f32(index & 1u), f32(index >> 1u));
    return vec4<f32>(corner * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn fragment(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    var shown = textureDimensions(backing);
    if SCALED {
        shown = params.shown;
    }
    let at = min(vec2<u32>(position.xy), shown - 1u);
    if SCALED {
        return vec4<f32>(scaled_pixel(at), 1.0);
    }
    return vec4<f32>(pixel(at), 1.0);
}
