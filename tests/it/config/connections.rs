//! Saved and recent connections.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use farpane::config::SessionFile;
use farpane::config::connections::{ConnectionKey, MAX_RECENT, Store, StoreError};
use farpane::net::Target;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn saved(name: &str) -> ConnectionKey {
    ConnectionKey::Saved(name.to_owned())
}

fn names(store: &Store) -> Vec<String> {
    store.list().expect("readable").into_iter().map(|saved| saved.name).collect()
}

#[test]
fn connections_are_saved_renamed_and_deleted() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = Store::at(dir.path().join("deep/connections"));
    assert_eq!((names(&store), store.recent()), (vec![], vec![]));
    let file = SessionFile::parse("host=h\nunknown=kept\n");
    let path = store.save("Work", &file, false).expect("writable");
    store.save("älter", &file, false).expect("writable");
    assert_eq!(names(&store), ["Work", "älter"]);
    assert!(store.holds(&path) && !store.holds(&dir.path().join("other.xpra")));
    assert_eq!(store.load("Work").expect("it is there").to_text(), file.to_text());
    assert_eq!(store.save("Work", &file, false), Err(StoreError::Exists { name: "Work".into() }));
    store.save("Work", &SessionFile::parse("host=i\n"), true).expect("replaced");

    store.note_use(saved("Work"), at(100)).expect("writable");
    store.save_thumbnail(&saved("Work"), b"PNG").expect("writable");
    assert_eq!(store.rename("Work", "älter"), Err(StoreError::Exists { name: "älter".into() }));
    store.rename("Work", "Office").expect("free");
    let office =
        store.list().expect("readable").into_iter().find(|saved| saved.name == "Office").expect("renamed");
    assert_eq!(office.last_used, Some(at(100)));
    let thumbnail = office.thumbnail.expect("it followed");
    assert_eq!(std::fs::read(&thumbnail).expect("readable"), b"PNG");

    store.delete("Office").expect("it is there");
    assert!(!thumbnail.exists() && store.recent().is_empty());
    assert_eq!(store.delete("Office"), Err(StoreError::Missing { name: "Office".into() }));
    assert_eq!(names(&store), ["älter"]);
}

#[test]
fn names_stay_in_the_folder() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = Store::at(dir.path());
    let file = SessionFile::default();
    for name in ["", "..", "../x", "a/b", "a\\b", "/etc/x", ".x", "x.", " x", "x\n", "a:b", &"x".repeat(101)]
    {
        let error = store.save(name, &file, true).expect_err(name);
        assert_eq!(error, StoreError::Name { got: name.to_owned() });
        assert!(store.load(name).is_err() && store.save_thumbnail(&saved(name), b"x").is_err(), "{name}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).expect("a directory").count(), 0);
}

#[test]
fn the_latest_is_the_first_and_the_list_is_bounded() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = Store::at(dir.path());
    let target = Target::parse("tcp://m%40e:secret@host:1/100").expect("a URL");
    let address = ConnectionKey::address(&target);
    assert_eq!(address, ConnectionKey::Address("tcp://m%40e@host:1/100".into()));
    assert_eq!(Target::parse("tcp://m%40e@host:1/100").map(|t| t.username), Ok(Some("m@e".into())));
    store.save("a", &SessionFile::default(), false).expect("writable");
    store.note_use(saved("a"), at(5)).expect("writable");
    store.note_use(address.clone(), at(7)).expect("writable");
    store.save_thumbnail(&address, b"PNG").expect("writable");
    store.note_use(saved("a"), at(9)).expect("writable");
    store.note_use(saved("gone"), at(10)).expect("writable");
    let recent = store.recent();
    assert_eq!(recent.iter().map(|r| r.which.clone()).collect::<Vec<_>>(), [saved("a"), address.clone()]);
    assert_eq!(
        (recent[0].last_used, recent[0].thumbnail.is_some(), recent[1].thumbnail.is_some()),
        (at(9), false, true)
    );
    let text = std::fs::read_to_string(dir.path().join("recent.json")).expect("a list");
    assert!(!text.contains("secret"), "{text}");

    let picture = store.thumbnail(&address);
    for n in 0..MAX_RECENT as u64 {
        store.note_use(ConnectionKey::Address(format!("tcp://h:{n}/")), at(100 + n)).expect("writable");
    }
    assert_eq!(store.recent().len(), MAX_RECENT);
    assert!(!picture.exists(), "the picture of a forgotten address is deleted");
}

#[test]
fn a_broken_list_is_forgotten() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = Store::at(dir.path());
    for text in ["{", "[{\"which\":{\"saved\":3}}]", &"[".repeat(500_000)] {
        std::fs::write(dir.path().join("recent.json"), text).expect("writable");
        assert_eq!(store.recent(), []);
    }
    let far = "[{\"which\":{\"address\":\"x\"},\"seconds\":18446744073709551615}]";
    std::fs::write(dir.path().join("recent.json"), far).expect("writable");
    assert_eq!(store.recent().len(), 1);
}

/// Who clicks on an address that a link brought has not typed it.
#[test]
fn a_strangers_address_stays_one() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = Store::at(dir.path());
    let target = Target::parse("tcp://stranger:1/").expect("valid");
    let (address, which) = ("tcp://stranger:1/", ConnectionKey::address(&target));
    assert!(!store.knows(&target));
    store.note_use_of(which.clone(), true, at(100)).expect("writable");
    assert!(store.is_foreign(address) && store.knows(&target));
    store.note_use_of(which.clone(), true, at(200)).expect("writable");
    assert!(store.is_foreign(address));
    // Once typed, it is the user's, whatever links say of it later.
    store.note_use(which.clone(), at(300)).expect("writable");
    assert!(!store.is_foreign(address));
    store.note_use_of(which, true, at(400)).expect("writable");
    assert!(!store.is_foreign(address));
    let saved = Target::parse("tcp://saved:1/").expect("valid");
    store
        .save("Work", &SessionFile::new(&saved, &farpane::config::Layer::default()), false)
        .expect("writable");
    assert!(store.knows(&saved) && !store.knows(&Target::parse("tcp://saved:2/").expect("valid")));
}
