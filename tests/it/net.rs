//! URLs, transports, the network task and the command line.

mod args;
mod cli;
mod server;
mod task;
mod uri;
