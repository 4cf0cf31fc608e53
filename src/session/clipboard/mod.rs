//! The clipboard: who owns which selection, here or there, and what is asked for by whom.

mod desktop;

pub use desktop::{FromDesktop, ToDesktop, Unreadable};
