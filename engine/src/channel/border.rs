//! A coloured edge over the content of a session's windows, so that the user sees whose they are.

/// How it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Border {
    /// Red, green, blue.
    pub color: [u8; 3],
    /// Physical pixels.
    pub width: u32,
}
