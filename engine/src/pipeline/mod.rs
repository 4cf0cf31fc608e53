//! Layer 2: the decode pool, between the network task and the render thread.
//!
//! Draws of different windows decode side by side, and so do the pictures of one window that stand
//! alone; a window's video decodes in order, one frame at a time. Whatever the order of decoding,
//! results are committed to the render queue in the order in which the draws of each window came.
//! Nothing is dropped: a draw that cannot be decoded is committed as an error, in its place.

pub mod confine;
mod lanes;
mod pool;
mod worker;

pub use confine::Confinement;
pub use pool::DecodePool;
