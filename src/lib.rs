//! Farpane: a native viewer for Xpra sessions.
//!
//! The modules below stand in layer order: a module may use those above it in this list, never those under it
//! (`tests/it/layers.rs` checks it; `cargo check --lib --no-default-features` proves that layers 0 and 1 need no
//! socket, window or GPU library).
//!
//! | layer | modules |
//! |---|---|
//! | 0 | [`stats`], [`geometry`], [`buffers`], [`protocol`], [`recording`] (and [`fuzzing`], what must hold for any peer) |
//! | 1 | [`codec`], [`session`] |
//! | 2 | [`channel`], [`net`], [`pipeline`], [`render`], [`ui`], [`input`], [`desktop`], [`serving`], [`demo`], [`player`] |
//! | 3 | [`threads`], [`config`], [`headless`], `bench`, [`app`], [`cli`] |

pub use farpane_engine::{buffers, codec, geometry, protocol, recording, session, stats};

#[doc(hidden)]
pub use farpane_engine::fuzzing;

#[cfg(feature = "viewer")]
pub use farpane_engine::{channel, net, pipeline, render, threads};

#[cfg(feature = "viewer")]
pub mod ui;

#[cfg(feature = "viewer")]
pub mod input;

#[cfg(feature = "viewer")]
pub mod desktop;

#[cfg(feature = "viewer")]
pub mod serving;

#[cfg(feature = "viewer")]
pub mod demo;

#[cfg(feature = "viewer")]
pub mod player;

#[cfg(feature = "viewer")]
pub mod config;

#[cfg(feature = "viewer")]
pub mod headless;

#[cfg(feature = "bench")]
pub mod bench;

#[cfg(feature = "viewer")]
pub mod app;

#[cfg(feature = "viewer")]
pub mod cli;
