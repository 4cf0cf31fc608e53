//! The one integration test binary: modules by area, helpers in `support`.

#![allow(clippy::disallowed_methods, reason = "tests copy as they like: nothing of it is on a hot path")]

mod app;
mod bench;
mod book;
mod clipboard;
mod codec;
mod config;
mod copy_budget;
mod demo;
mod fuzz;
mod geometry;
mod hostile;
mod idle;
mod input;
mod interop;
mod layers;
mod licences;
mod net;
mod packets;
mod pipeline;
mod protocol;
mod recording;
mod render;
mod scaling;
mod session;
mod stats;
mod steady_state;
mod supply_chain;
mod support;
mod threads;
mod ui;
mod unsafe_code;
mod wayland;
mod websocket;
