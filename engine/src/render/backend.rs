//! What the render thread asks of the thing that paints and presents.

use std::sync::Arc;

use super::RenderError;
use super::overlay::{Overlay, TextureChanges};
use crate::buffers::BufferPool;
use crate::channel::{RendererInfo, Scaling, SurfaceId, WindowTarget};
use crate::codec::{CompressedPixels, PictureRef};
use crate::geometry::{Rect, Size};
use crate::protocol::Bounds;
use crate::protocol::packet::WindowId;
use crate::protocol::packet::draw::ScrollRect;
use crate::stats::CopyLedger;

/// What became of a present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PresentOutcome {
    Presented,
    /// The system had no room for a picture: try again in a moment.
    TryLater,
    /// Nobody can see the window: the system will ask for a redraw.
    Hidden,
}

/// The parts of a window to present.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part<'a> {
    All,
    /// These rectangles of the backing, which may be none, and perhaps the overlay changed.
    Damage(&'a [Rect]),
}

/// Paints into backings and presents them. Everything happens in the order of the calls.
///
/// Only remote windows have a backing, so that nothing that a server sends reaches a window of our own.
/// A backing holds what the draws painted; its alpha has no meaning, windows are opaque.
/// After [`RenderError::DeviceLost`] a backend is of no use: the thread makes a new one.
pub(super) trait Backend {
    fn info(&self) -> RendererInfo;

    /// Shows all windows in this size and way from now on; before the first call one to one.
    /// Each is to be presented wholly next.
    fn set_scaling(&mut self, scaling: Scaling);

    /// What all windows together may take of memory from now on.
    fn set_bounds(&mut self, _bounds: Bounds) {}

    /// Makes the backing, black, or resizes it, keeping the top left part.
    fn resize(&mut self, wid: WindowId, size: Size) -> Result<(), RenderError>;

    /// Frees the backing.
    fn destroy(&mut self, wid: WindowId);

    /// Paints `picture` over `rect` of the backing, scaled if its size differs. The bytes of the
    /// picture are no longer needed afterwards.
    fn paint(
        &mut self,
        wid: WindowId,
        rect: Rect,
        picture: PictureRef<'_>,
        ledger: &mut CopyLedger,
    ) -> Result<(), RenderError>;

    /// Whether [`Self::paint_compressed`] costs less than unpacking before.
    fn unpacks(&self) -> bool {
        false
    }

    /// Paints pixels that are still compressed over `rect`, which has their size.
    fn paint_compressed(
        &mut self,
        wid: WindowId,
        rect: Rect,
        packed: &CompressedPixels,
        ledger: &mut CopyLedger,
    ) -> Result<(), RenderError> {
        // Rare: the draw was meant for another backend.
        let picture = packed.unpack(&BufferPool::new(0), ledger)?;
        self.paint(wid, rect, (&picture).into(), ledger)
    }

    /// Moves rectangles of the backing; each shows what was there before all of them. They must not cover more than
    /// the backing has.
    fn scroll(
        &mut self,
        wid: WindowId,
        rects: &[ScrollRect],
        ledger: &mut CopyLedger,
    ) -> Result<(), RenderError>;

    /// Hands over everything that was painted since the last call.
    fn submit(&mut self) -> Result<(), RenderError>;

    /// Makes the OS window `target` show the surface: a remote window's backing, or overlays alone.
    fn attach(&mut self, id: SurfaceId, target: Arc<dyn WindowTarget>, size: Size)
    -> Result<(), RenderError>;

    /// The OS window has another size.
    fn resize_surface(&mut self, id: SurfaceId, size: Size) -> Result<(), RenderError>;

    /// Forgets the OS window.
    fn detach(&mut self, id: SurfaceId);

    /// Changes the textures of the window's overlay.
    fn update_overlay(&mut self, id: SurfaceId, changes: &TextureChanges);

    /// Frees what the overlay needed.
    fn forget_overlay(&mut self, id: SurfaceId);

    /// Shows the backing if there is one, with the overlay over it, in the OS window. `ledger` counts what that
    /// costs, and what earlier calls cost that had none.
    fn present(
        &mut self,
        id: SurfaceId,
        part: Part<'_>,
        overlay: Option<&Overlay>,
        ledger: &mut CopyLedger,
    ) -> Result<PresentOutcome, RenderError>;

    /// What is shown of the backing with the overlay over it, as opaque RGBA.
    fn read_back(&mut self, wid: WindowId, overlay: Option<&Overlay>)
    -> Result<(Size, Vec<u8>), RenderError>;
}
