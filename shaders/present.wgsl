// Shows a window's backing, one backing pixel for one of the target, from the top left corner.
// What the backing does not cover is black. The backing's alpha means nothing: windows are opaque.

@group(0) @binding(0) var backing: texture_2d<f32>;

@vertex
fn vertex(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    let corner = vec2<f32>(f32(index & 1u), f32(index >> 1u));
    return vec4<f32>(corner * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn fragment(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let at = vec2<u32>(position.xy);
    if any(at >= textureDimensions(backing)) {
        return vec4<f32>(0.0, 0.0, 0.0, 1.0);
    }
    return vec4<f32>(textureLoad(backing, at, 0).rgb, 1.0);
}
