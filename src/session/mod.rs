//! Layer 1: the session's state without IO: handshake, authentication, capabilities, windows,
//! draw ledger, input state. No clock, socket, thread or pixel in here: time is passed in, what
//! is to be done is appended to a list that the caller owns.

pub mod event;

pub use event::{
    CloseReason, DrawDone, DrawRequest, Input, Key, Keymap, KeymapEntry, Output, SessionEvent, SizeLimits,
    WindowChange, WindowInfo, WindowState,
};
