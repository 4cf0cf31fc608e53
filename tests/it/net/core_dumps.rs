//! A crash leaves nothing behind in which a password could be.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

/// Whether a `farpane` that crashes while it waits for a server leaves a core dump, where the system would take one.
fn leaves_a_core(variables: &[(&str, &str)]) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("tcp://{}/", listener.local_addr().expect("it is bound"));
    let script = "ulimit -c unlimited; exec \"$@\"";
    let mut crashing = Command::new("sh")
        .args(["-c", script, "sh", env!("CARGO_BIN_EXE_farpane"), "info", &url])
        .envs(variables.iter().copied())
        .env("FARPANE_CONFIG", "")
        .current_dir(folder.path())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    // By now it has done what it does first.
    let _connection = listener.accept().expect("a connection");
    let pid = crashing.id().to_string();
    assert!(Command::new("kill").args(["-ABRT", &pid]).status().expect("kill").success());
    crashing.wait().expect("its end").core_dumped()
}

#[test]
fn none_is_left() {
    assert!(!leaves_a_core(&[]), "there is a core dump");
    // Where the system takes none at all this shows nothing.
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    if pattern.trim() == "core" {
        assert!(leaves_a_core(&[("FARPANE_CORE_DUMPS", "yes")]), "not even where it is allowed");
    }
}
