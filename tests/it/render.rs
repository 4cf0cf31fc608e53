//! The renderer, off screen and in windows, compared with the CPU reference.

mod formats;
mod own;
mod rig;
mod scaled;
mod shaders;
mod updates;
mod windowed;
