//! Layer 2: from winit's keyboard and pointer events to what the session sends.
//!
//! Pure mappings and small state machines: what the window system knows beyond winit (exact
//! keysyms, locks, groups) comes in as plain values ([`keyboard::KeyFacts`]).

pub mod keyboard;
pub mod keysym;
pub mod pointer;

pub use keyboard::{Composing, KeyChange, KeyFacts, KeyPress, Keyboard};
pub use pointer::{Pointer, WheelFilter, WheelScale};
