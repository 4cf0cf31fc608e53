//! What a decode thread can do beside decoding: nothing that leaves the process.

use std::io::ErrorKind;
use std::net::{TcpListener, UdpSocket};
use std::process::Command;
use std::time::Duration;

use farpane::buffers::BufferPool;
use farpane::channel::RenderQueue;
use farpane::pipeline::{Confinement, DecodePool, confine};

use crate::support::wait_for;

#[test]
fn nothing_can_be_opened_or_started() {
    let confined = std::thread::spawn(|| {
        assert_eq!(confine::this_thread(), Confinement::Seccomp);
        let folder = std::env::temp_dir();
        [
            std::fs::File::open("/etc/hostname").err(),
            std::fs::File::create(folder.join("farpane-confined")).err(),
            std::fs::read_dir("/").err(),
            TcpListener::bind("127.0.0.1:0").err(),
            UdpSocket::bind("127.0.0.1:0").err(),
            Command::new("/bin/true").spawn().err(),
            std::thread::Builder::new().spawn(|| {}).err(),
        ]
        .map(|error| error.map(|error| error.kind()))
    });
    let kinds = confined.join().expect("it goes on");
    assert_eq!(kinds, [Some(ErrorKind::PermissionDenied); 7]);
    // Other threads are as before.
    assert!(std::fs::File::open("/etc/hostname").is_ok());
}

/// The kernel's own word on the threads of this process, by their names.
#[test]
fn every_decode_thread_is() {
    let pool = DecodePool::with_threads(3, &BufferPool::default(), RenderQueue::default()).expect("threads");
    assert_eq!(pool.confinement(), Confinement::Seccomp);
    let decoding = || -> Vec<String> {
        let tasks = std::fs::read_dir("/proc/self/task").expect("the threads").filter_map(Result::ok);
        let statuses = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("status")).ok());
        statuses.filter(|status| status.starts_with("Name:\tfarpane-decode-")).collect()
    };
    // SIGINT and SIGCHLD: handlers of signals would not work there.
    let (ctrl_c, child) = (1 << (2 - 1), 1 << (17 - 1));
    let is_confined = |status: &String| {
        let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:\t")).expect("a mask");
        let blocked = u64::from_str_radix(blocked, 16).expect("a mask");
        status.contains("Seccomp:\t2")
            && status.contains("NoNewPrivs:\t1")
            && blocked & (ctrl_c | child) == ctrl_c | child
    };
    // They are confined before anything else, but not before they have begun.
    wait_for(
        "all of them",
        Duration::from_secs(30),
        || format!("{:#?}", decoding()),
        || {
            let all = decoding();
            (all.len() >= 3 && all.iter().all(is_confined)).then_some(())
        },
    );
}
