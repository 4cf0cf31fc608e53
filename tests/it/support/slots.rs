//! How many heavy tests run at once: one more than there are cores, five at most. They wait for servers and windows
//! nearly as long as they compute.

use std::fs::{self, File};
use std::time::Duration;

/// The right to run a server and a viewer; given back when dropped.
///
/// It is a file lock, so it also holds between the processes of `cargo nextest`.
pub struct Slot {
    _lock: File,
}

impl Slot {
    /// Waits until one is free.
    pub fn take() -> Self {
        let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
        fs::create_dir_all(directory).expect("the target's tmp directory");
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut files: Vec<File> = (0..cores.min(4) + 1)
            .map(|number| File::create(directory.join(format!("slot-{number}.lock"))).expect("a lock file"))
            .collect();
        loop {
            if let Some(free) = files.iter().position(|file| file.try_lock().is_ok()) {
                return Self { _lock: files.swap_remove(free) };
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
