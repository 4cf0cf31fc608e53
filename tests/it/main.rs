//! The one integration test binary: modules by area, helpers in `support`.

mod app;
mod codec;
mod copy_budget;
mod demo;
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
mod session;
mod stats;
mod support;
mod ui;
mod websocket;
