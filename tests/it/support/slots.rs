//! How many heavy tests run at once: one more than there are cores, five at most. They wait for servers and windows
//! nearly as long as they compute.

use std::cell::RefCell;
use std::fs::{self, File};
use std::rc::{Rc, Weak};
use std::time::Duration;

/// The right to run a server and a viewer; given back when dropped.
///
/// It is a file lock, so it also holds between the processes of `cargo nextest`. A test with several servers has one: each of
/// several such tests would wait for what the others hold.
pub struct Slot {
    _lock: Rc<File>,
}

thread_local! {
    /// What this test has.
    static HELD: RefCell<Weak<File>> = const { RefCell::new(Weak::new()) };
}

impl Slot {
    /// Waits until one is free.
    pub fn take() -> Self {
        if let Some(lock) = HELD.with_borrow(Weak::upgrade) {
            return Self { _lock: lock };
        }
        let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
        fs::create_dir_all(directory).expect("the target's tmp directory");
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut files: Vec<File> = (0..cores.min(4) + 1)
            .map(|number| File::create(directory.join(format!("slot-{number}.lock"))).expect("a lock file"))
            .collect();
        loop {
            if let Some(free) = files.iter().position(|file| file.try_lock().is_ok()) {
                let lock = Rc::new(files.swap_remove(free));
                HELD.set(Rc::downgrade(&lock));
                return Self { _lock: lock };
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
