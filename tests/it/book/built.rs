//! The guide as mdBook builds it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::markdown::ROOT;

/// Where `make setup-test` installs mdBook.
fn mdbook() -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || {
        let home = || variable("HOME").expect("HOME").join(".cache");
        variable("FARPANE_CACHE")
            .unwrap_or_else(|| variable("XDG_CACHE_HOME").unwrap_or_else(home).join("farpane"))
    };
    let prefix = variable("FARPANE_MDBOOK").unwrap_or_else(|| cache().join("mdbook"));
    let program = prefix.join("bin/mdbook");
    assert!(program.is_file(), "{} is missing: run `make setup-test`", program.display());
    program
}

/// The values of an attribute in a page.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let begin = format!(" {attribute}=\"");
    page.match_indices(&begin).filter_map(|(at, _)| page[at + begin.len()..].split('"').next()).collect()
}

#[test]
fn the_guide_builds_without_warnings_and_every_link_in_it_works() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(mdbook())
        .args(["build", "docs", "--dest-dir"])
        .arg(folder.path())
        .current_dir(ROOT)
        .env_remove("RUST_LOG")
        .output()
        .expect("mdbook runs");
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && !said.contains("WARN") && !said.contains("ERROR"), "{said}");

    let read =
        |path: &Path| std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder.path()).expect("the book") {
        let path = entry.expect("a file").path();
        let is_page = path.extension().is_some_and(|extension| extension == "html");
        // The page for what is not found has absolute addresses; the one for printing has all pages in it.
        if !is_page || path.ends_with("404.html") || path.ends_with("print.html") {
            continue;
        }
        let page = read(&path);
        for target in [values(&page, "href"), values(&page, "src")].concat() {
            if target.contains("://") || target.starts_with("data:") || target.starts_with("mailto:") {
                continue;
            }
            count += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = file.split('?').next().unwrap_or_default();
            let to = if file.is_empty() { path.clone() } else { folder.path().join(file) };
            let has_anchor = || {
                let page = read(&to);
                let ids: HashSet<&str> = values(&page, "id").into_iter().collect();
                ids.contains(anchor)
            };
            if !to.exists() || !anchor.is_empty() && !has_anchor() {
                wrong.push(format!("{}: {target}", path.file_name().expect("a name").to_string_lossy()));
            }
        }
    }
    assert!(wrong.is_empty(), "links that lead nowhere:\n{}", wrong.join("\n"));
    assert!(count > 100, "only {count} links were found in the book");
}
