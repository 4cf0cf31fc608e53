//! Where the system is not asked about changes of its network.

/// Hears of nothing.
pub struct NetworkChanges;

impl NetworkChanges {
    /// Nothing is there to listen to.
    pub fn watch() -> Option<Self> {
        None
    }

    /// Never.
    pub async fn next(&mut self) {
        std::future::pending().await
    }
}
