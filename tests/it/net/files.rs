//! Files that are made for the user: new ones, for the owner's eyes only.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use farpane::app::export;
use farpane::net::{Recorder, new_file};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

#[test]
fn what_is_there_is_never_written_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("precious.json"), "precious").expect("a file");
    let error = new_file::create(&file("precious.json")).expect_err("it exists");
    assert!(error.to_string().contains("no file is written over"), "{error}");
    assert!(new_file::check(&file("precious.json")).is_err() && new_file::check(&file("new")).is_ok());
    // A link, even one that leads nowhere, is somebody's.
    std::os::unix::fs::symlink(file("elsewhere"), file("link.json")).expect("a link");
    assert!(new_file::create(&file("link.json")).is_err() && !file("elsewhere").exists());
    for expected in ["precious-2.json", "precious-3.json"] {
        let (_, path) = new_file::create_numbered(&file("precious.json")).expect("another name");
        assert_eq!(path, file(expected));
        assert_eq!(mode(&path), 0o600);
    }
    assert_eq!(std::fs::read(file("precious.json")).expect("it is there"), b"precious");
    // Nothing is lost in a device.
    new_file::create(Path::new("/dev/null")).expect("a device");
    assert!(new_file::create(&file("no/such/folder")).is_err());
}

#[test]
fn only_the_owner_can_read_what_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let recording = folder.path().join("session.fpr");
    Recorder::create(&recording, "tcp://host/".to_owned()).expect("a file").finish().expect("complete");
    assert_eq!(mode(&recording), 0o600);
    assert!(Recorder::create(&recording, "tcp://host/".to_owned()).is_err());
    let exported = export::save_in(folder.path(), "csv", b"a,b").expect("a file");
    assert_eq!(mode(&exported), 0o600);
}

/// The commands refuse before they attach to anything.
#[test]
fn commands_refuse_a_file_that_exists() {
    let folder = tempfile::tempdir().expect("a folder");
    let precious = folder.path().join("precious.png");
    std::fs::write(&precious, "precious").expect("a file");
    let precious_name = precious.display().to_string();
    // Nobody listens at port 1: it would be another error.
    for words in [["screenshot", "127.0.0.1:1", &precious_name], ["record", "127.0.0.1:1", &precious_name]] {
        let output = Command::new(env!("CARGO_BIN_EXE_farpane"))
            .args(words)
            .env("FARPANE_CONFIG", "")
            .output()
            .expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("no file is written over"), "{said}");
    }
    assert_eq!(std::fs::read(&precious).expect("it is there"), b"precious");
}

#[test]
fn screenshots_and_statistics_are_the_owners_alone() {
    let server = farpane::demo::Server::start("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let folder = tempfile::tempdir().expect("a folder");
    let (picture, stats) = (folder.path().join("a.png"), folder.path().join("stats.json"));
    std::fs::write(&stats, "precious").expect("a file");
    let output = Command::new("sh")
        .args(["-c", "umask 000; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_farpane"), "screenshot"])
        .arg(server.address().to_string())
        .arg(&picture)
        .arg("--stats-json")
        .arg(&stats)
        .env("FARPANE_CONFIG", "")
        .env("XDG_RUNTIME_DIR", std::env::temp_dir())
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read(&stats).expect("it is there"), b"precious");
    for path in [&picture, &folder.path().join("stats-2.json")] {
        assert_eq!(mode(path), 0o600, "{}", path.display());
    }
}
