//! Where the dependencies come from: what `cargo deny check bans sources` would refuse, without the tool. Their licences
//! are `licences.rs`'s.

use std::collections::BTreeMap;
use std::path::Path;

/// What the fuzz targets take besides Farpane's own dependencies. It is in no package.
const OF_THE_FUZZER: [&str; 4] = ["arbitrary", "derive_arbitrary", "farpane-fuzz", "libfuzzer-sys"];

fn table(file: &str) -> toml::Table {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("a file");
    text.parse().unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn packages(lock: &str) -> Vec<toml::Table> {
    let table = table(lock);
    let list = table["package"].as_array().expect("packages");
    list.iter().map(|package| package.as_table().expect("a package").clone()).collect()
}

fn text<'a>(package: &'a toml::Table, key: &str) -> &'a str {
    package.get(key).and_then(toml::Value::as_str).unwrap_or_default()
}

/// From one registry, with the checksum of what is taken from there; nothing from git, a folder or another registry.
#[test]
fn all_come_from_the_registry_with_a_checksum() {
    let registry = concat!("registry+https://github.com/rust-lang/crates", ".io-index");
    for lock in ["Cargo.lock", "tests/fuzz/Cargo.lock"] {
        let packages = packages(lock);
        assert!(packages.len() > 100, "only {} packages?", packages.len());
        for package in &packages {
            let name = text(package, "name");
            if name == "farpane" || name.starts_with("farpane-") {
                assert!(!package.contains_key("source"), "{name} comes from elsewhere");
                continue;
            }
            assert_eq!(text(package, "source"), registry, "{name}");
            assert_eq!(text(package, "checksum").len(), 64, "{name}");
        }
    }
}

/// The fuzzer tries the very libraries that the program has.
#[test]
fn the_fuzzer_has_the_same_dependencies() {
    let versions = |lock: &str| -> BTreeMap<(String, String), String> {
        let of = |package: &toml::Table| {
            let key = (text(package, "name").to_owned(), text(package, "version").to_owned());
            (key, text(package, "checksum").to_owned())
        };
        packages(lock).iter().map(of).collect()
    };
    let (own, fuzzer) = (versions("Cargo.lock"), versions("tests/fuzz/Cargo.lock"));
    for ((name, version), checksum) in fuzzer {
        if !OF_THE_FUZZER.contains(&name.as_str()) {
            assert_eq!(own.get(&(name.clone(), version.clone())), Some(&checksum), "{name} {version}");
        }
    }
}

/// Each dependency says which version: `*` is any. One of a folder is a part of Farpane.
#[test]
fn no_dependency_is_of_any_version() {
    for manifest in ["Cargo.toml", "engine/Cargo.toml", "tests/fuzz/Cargo.toml"] {
        let table = table(manifest);
        let mut seen = 0;
        look(&toml::Value::Table(table), &mut seen, manifest);
        assert!(seen > 3, "{manifest} has only {seen} dependencies?");
    }
}

fn look(value: &toml::Value, seen: &mut usize, manifest: &str) {
    let Some(table) = value.as_table() else { return };
    for (name, value) in table {
        if !name.ends_with("dependencies") {
            look(value, seen, manifest);
            continue;
        }
        for (name, dependency) in value.as_table().expect("dependencies") {
            *seen += 1;
            let version = dependency.as_str().or_else(|| dependency.get("version")?.as_str());
            let is_shared = dependency.get("workspace").is_some();
            assert!(is_shared || version.is_some_and(|version| !version.contains('*')), "{manifest}: {name}");
            assert!(dependency.get("git").is_none(), "{manifest}: {name}");
            let path = dependency.get("path").and_then(toml::Value::as_str);
            assert!(path.is_none_or(|path| ["engine", "../.."].contains(&path)), "{manifest}: {name}");
        }
    }
}
