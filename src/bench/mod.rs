//! Layer 3: `farpane bench`: what the hot paths cost, measured by running the viewer's own code.

pub mod docs;
pub mod live;
pub mod overlay;
pub mod peers;
pub mod receive;
pub mod start;
