//! Configuration files, session files, links, saved connections, and what is printed about them.

mod command_line;
mod connections;
mod edit;
mod files;
mod links;
mod look;
mod secrets;
mod session_files;
