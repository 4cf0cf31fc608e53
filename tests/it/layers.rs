//! The shape of the source tree, as DESIGN and `src/lib.rs` promise it.

use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Files grow beyond their one job before they grow beyond this.
const MAX_LINES: usize = 600;

fn files_under(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files_under(&path, found);
        } else {
            found.push(path);
        }
    }
}

pub fn sources(folder: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    files_under(&Path::new(ROOT).join(folder), &mut files);
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(ROOT).expect("a path in the project").display().to_string();
            (name, fs::read_to_string(path).expect("UTF-8 source"))
        })
        .collect()
}

/// The crate's modules that `module` may use.
fn may_use(module: &str) -> Vec<&'static str> {
    const LAYER_0: [&str; 5] = ["stats", "geometry", "buffers", "protocol", "recording"];
    const LAYER_2: [&str; 9] =
        ["net", "pipeline", "render", "ui", "input", "desktop", "serving", "demo", "player"];
    let below = |count: usize| LAYER_0[..count].to_vec();
    let layers_0_and_1 = || [&LAYER_0[..], &["codec", "session"]].concat();
    let base_of_2 = || [layers_0_and_1(), vec!["channel"]].concat();
    let layer_2 = || [base_of_2(), LAYER_2.to_vec()].concat();
    match module {
        "stats" | "geometry" => vec![],
        "buffers" => below(2),
        "protocol" => below(3),
        // The session never sees a pixel.
        "recording" | "fuzzing" | "codec" | "session" => below(4),
        "channel" => layers_0_and_1(),
        // They speak only the protocol, and know what time it is.
        "serving" => [below(5), vec!["channel"]].concat(),
        "demo" | "player" => [below(5), vec!["channel", "serving"]].concat(),
        // They meet only in channel.
        "net" | "pipeline" | "render" | "ui" | "input" | "desktop" => base_of_2(),
        // It starts those three, and knows nothing of who wants that.
        "threads" => [base_of_2(), vec!["net", "pipeline", "render"]].concat(),
        "config" => layer_2(),
        "app" | "headless" | "bench" => [layer_2(), vec!["threads", "config", "headless"]].concat(),
        "cli" => [layer_2(), vec!["config", "headless", "bench", "app"]].concat(),
        "lib" | "main" => vec![],
        other => panic!("{other} is in no layer: give it a place in src/lib.rs and here"),
    }
}

fn module_of(file: &str) -> &str {
    let inside = file.strip_prefix("engine/").unwrap_or(file).strip_prefix("src/").expect("a source file");
    inside.split('/').next().expect("a name").trim_end_matches(".rs")
}

/// The module names that follow `crate::` in a line, also in `use crate::{a::B, c}`.
fn crate_paths(line: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let before = line[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &line[at + "crate::".len()..];
        let name =
            |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        match rest.strip_prefix('{') {
            // One level is enough: rustfmt's default keeps a `use` for each module.
            Some(group) => names.extend(group.split(',').map(|part| name(part.trim()))),
            None => names.push(name(rest)),
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn arrows_point_down() {
    assert_eq!(crate_paths("use crate::net::{Tcp, Tls};"), ["net"]);
    assert_eq!(crate_paths("use crate::{net::Tcp, stats};"), ["net", "stats"]);
    assert_eq!(crate_paths("let a = crate::stats::x(mycrate::y);"), ["stats"]);
    let mut wrong = Vec::new();
    for (file, text) in [sources("src"), sources("engine/src")].concat() {
        let module = module_of(&file);
        let allowed = may_use(module);
        for (number, line) in
            text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
        {
            for used in crate_paths(line) {
                if used != module && !allowed.contains(&used.as_str()) {
                    wrong.push(format!("{file}:{}: {module} may not use {used}", number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The two crates are one program: they say the same version to servers and to users.
#[test]
fn both_crates_have_one_version() {
    let version = |manifest: &str| {
        let text = fs::read_to_string(Path::new(ROOT).join(manifest)).expect("a manifest");
        text.lines().find(|line| line.starts_with("version = ")).expect("a version").to_owned()
    };
    assert_eq!(version("Cargo.toml"), version("engine/Cargo.toml"));
}

#[test]
fn every_source_says_what_it_is_for() {
    let silent: Vec<String> = [sources("src"), sources("engine/src"), sources("tests")]
        .concat()
        .into_iter()
        .filter(|(_, text)| !text.trim_start().starts_with("//!"))
        .map(|(file, _)| file)
        .collect();
    assert!(silent.is_empty(), "files that do not begin with a //! line: {silent:#?}");
}

#[test]
fn files_keep_to_one_job() {
    let long: Vec<String> = [sources("src"), sources("engine/src"), sources("tests")]
        .concat()
        .into_iter()
        .map(|(file, text)| (text.lines().count(), file))
        .filter(|(lines, _)| *lines > MAX_LINES)
        .map(|(lines, file)| format!("{lines} {file}"))
        .collect();
    assert!(long.is_empty(), "files of more than {MAX_LINES} lines: {long:#?}");
}

/// `make test` builds no programs out of comments, which takes minutes: what would be one belongs into a test.
#[test]
fn comments_hold_no_programs() {
    for folder in ["src", "engine/src"] {
        for (file, text) in sources(folder) {
            let is_comment = |line: &&str| line.starts_with("///") || line.starts_with("//!");
            let fences =
                text.lines().map(str::trim_start).filter(is_comment).filter(|line| line.contains("```"));
            for (number, fence) in fences.enumerate() {
                let is_end = number % 2 == 1;
                assert!(is_end || fence.ends_with("```text"), "{file}: `{fence}`, which is no ```text");
            }
        }
    }
}

#[test]
fn nothing_is_left_unfinished() {
    // Written apart, so that this file does not find itself.
    let marks =
        [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("#[ig", "nore"), concat!("unimpl", "emented!(")];
    for (file, text) in [sources("src"), sources("engine/src"), sources("tests")].concat() {
        for mark in marks {
            assert!(!text.contains(mark), "{file} contains {mark}");
        }
    }
}

/// A clone builds with whatever registry the user's cargo, pip and apt are set to.
#[test]
fn no_file_names_a_registry() {
    let hosts = [
        concat!("index.crates", ".io"),
        concat!("static.crates", ".io"),
        concat!("pypi", ".org/simple"),
        concat!("files.pythonhosted", ".org"),
        concat!("deb.debian", ".org"),
    ];
    let mut files = Vec::new();
    for folder in ["src", "engine", "tests", "packaging", ".ci", "docs"] {
        files_under(&Path::new(ROOT).join(folder), &mut files);
    }
    for name in ["Makefile", "Cargo.toml", "Cargo.lock", "README.md", "deny.toml"] {
        files.push(Path::new(ROOT).join(name));
    }
    for path in files {
        let text = String::from_utf8_lossy(&fs::read(&path).expect("a readable file")).into_owned();
        for host in hosts {
            assert!(!text.contains(host), "{} names {host}", path.display());
        }
    }
}
