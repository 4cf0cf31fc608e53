//! In place of `flush`, where there is no X connection to send off.

use std::sync::Arc;

use crate::channel::WindowTarget;
use crate::render::RenderError;

/// Nothing.
pub(super) struct Flusher;

impl Flusher {
    pub(super) fn new(_target: &Arc<dyn WindowTarget>) -> Result<Self, RenderError> {
        Ok(Self)
    }

    /// Has nothing to do.
    pub(super) fn flush(&self) -> Result<(), RenderError> {
        Ok(())
    }
}
