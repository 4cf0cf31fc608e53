//! The clipboard.

mod desk;
mod incr;
mod raw;
mod x11;
mod x11_limits;
pub mod x11_programs;
