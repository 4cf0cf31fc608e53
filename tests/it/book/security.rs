//! Each promise of docs/security.md names tests, and they exist.

use std::path::{Path, PathBuf};

/// The file of the module whose tests are called `path::NAME`, and the name of the test.
fn place(path: &str) -> Option<(PathBuf, &str)> {
    let (module, name) = path.rsplit_once("::")?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    Some((folder.join(module.replace("::", "/")).with_extension("rs"), name))
}

#[test]
fn every_promise_has_its_test() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/security.md")).expect("the page");
    let mut tests = 0;
    for line in text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| promise")) {
        let column = line.trim_end_matches([' ', '|']).rsplit('|').next().expect("a column");
        let named: Vec<&str> = column.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "no test: {line}");
        for path in named {
            let (file, name) = place(path).unwrap_or_else(|| panic!("`{path}` is no test's path"));
            let source = std::fs::read_to_string(&file)
                .unwrap_or_else(|error| panic!("{path}: {}: {error}", file.display()));
            // A test of its own, or one that is made for every kind of server, or a property.
            let is_function = source.contains(&format!("fn {name}("));
            let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
            let at =
                lines.iter().position(|line| line.starts_with(&format!("fn {name}("))).unwrap_or_default();
            let mut above = lines.iter().take(at).rev().take_while(|line| line.starts_with("#["));
            let is_test = above.any(|line| *line == "#[test]");
            let lists = source.split("for_every_server!(").skip(1).filter_map(|rest| rest.split(')').next());
            let is_listed = lists.into_iter().any(|list| list.split(',').any(|one| one.trim() == name));
            assert!(is_function && (is_test || is_listed), "there is no test `{path}` in {}", file.display());
            tests += 1;
        }
    }
    assert!(tests > 25, "{tests} tests");
}
