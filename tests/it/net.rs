//! URLs, transports, the network task and the command line.

mod addresses;
mod args;
mod cli;
mod files;
mod owner;
mod server;
mod task;
mod uri;
