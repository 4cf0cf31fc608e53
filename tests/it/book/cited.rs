//! Documents that comments cite exist.

use std::path::{Path, PathBuf};

/// Xpra's own, in its repository.
const XPRAS: [&str; 4] =
    ["Protocol.md", "docs/Network/Protocol.md", "docs/Usage/Authentication.md", "docs/Subsystems/Window.md"];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs" || ending == "wgsl" || ending == "sh")
        {
            found.push(path);
        }
    }
}

/// The names of documents in the line's comment.
fn cited(line: &str) -> impl Iterator<Item = &str> {
    let comment = line.split_once("//").map_or("", |(_, comment)| comment);
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    comment
        .split(move |c| !is_of_name(c))
        .map(|word| word.trim_matches('.'))
        .filter(|word| word.ends_with(".md"))
}

#[test]
fn documents_that_comments_cite_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    for folder in ["src", "tests", "shaders", "packaging", "engine"] {
        files(&root.join(folder), &mut sources);
    }
    let mut number = 0;
    for source in sources {
        let text = std::fs::read_to_string(&source).expect("text");
        for (line, words) in text.lines().enumerate() {
            for name in cited(words).filter(|name| !XPRAS.contains(name)) {
                let exists = root.join(name).exists() || root.join("docs").join(name).exists();
                assert!(exists, "{}:{}: there is no {name}", source.display(), line + 1);
                number += 1;
            }
        }
    }
    assert!(number >= 10, "{number}: are they looked for?");
    assert_eq!(
        cited(concat!("let a = 1; /", "/ see docs/x.md, and Y.md.")).collect::<Vec<_>>(),
        ["docs/x.md", "Y.md"]
    );
}
