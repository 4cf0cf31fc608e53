//! The documents say what is true: the guide builds, its links lead somewhere, its pictures are there, and
//! every command line, configuration and session file in it is understood by the program.

mod built;
mod cited;
mod examples;
mod markdown;
mod options;
mod security;
