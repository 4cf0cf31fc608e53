//! The corpora: `tests/fuzz/corpus/NAME`, a file a target, in which inputs stand one after the other, each behind its
//! length (16 bits, little-endian). A fuzzer wants a folder of files instead: here is the way there and back.

use std::path::{Path, PathBuf};

use super::{seeds, targets};

/// Of one target's corpus, in bytes: all of them together have at most 1 MB.
const MAX_BYTES: usize = 38_000;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name)
}

/// The inputs of a target; none where it has no corpus.
pub fn read(name: &str) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(file(name)).unwrap_or_default();
    let mut rest = &bytes[..];
    let mut inputs = Vec::new();
    while let Some((len, after)) = rest.split_first_chunk() {
        let len = usize::from(u16::from_le_bytes(*len));
        let (input, after) = after.split_at_checked(len).unwrap_or_else(|| panic!("{name} is cut"));
        inputs.push(input.to_vec());
        rest = after;
    }
    inputs
}

fn write(name: &str, inputs: &[Vec<u8>]) {
    let mut bytes = Vec::new();
    for input in inputs {
        bytes.extend(u16::try_from(input.len()).expect("at most 64 KiB").to_le_bytes());
        bytes.extend(input);
    }
    std::fs::create_dir_all(file("")).expect("a folder");
    std::fs::write(file(name), bytes).expect("a file");
}

fn of_folder(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.flatten().filter_map(|entry| std::fs::read(entry.path()).ok()).collect()
}

/// With `FARPANE_FUZZ_FOLDERS`, a folder, it puts the corpus of each target there as files (`NAME/*`), or, where
/// `NAME.new/` holds what a fuzzer made of it, that into the corpus: the smallest first, as many as there is room for.
#[test]
fn corpora_are_small() {
    if let Some(folders) = std::env::var_os("FARPANE_FUZZ_FOLDERS") {
        for target in targets::ALL {
            let folder = Path::new(&folders).join(target.name);
            let mut made = of_folder(&folder.with_extension("new"));
            if made.is_empty() {
                std::fs::create_dir_all(&folder).expect("a folder");
                for (number, input) in read(target.name).into_iter().chain(seeds::of(target.name)).enumerate()
                {
                    std::fs::write(folder.join(number.to_string()), input).expect("a file");
                }
                continue;
            }
            made.sort_by(|one, other| (one.len(), one).cmp(&(other.len(), other)));
            let mut left = MAX_BYTES;
            made.retain(|input| {
                let fits = input.len() + 2 <= left && input.len() <= target.max_len;
                left -= if fits { input.len() + 2 } else { 0 };
                fits
            });
            write(target.name, &made);
        }
    }
    let mut all = 0;
    for target in targets::ALL {
        let bytes: usize = read(target.name).iter().map(|input| input.len() + 2).sum();
        assert!((1..=MAX_BYTES).contains(&bytes), "{} has {bytes} bytes", target.name);
        all += bytes;
    }
    assert!(all <= 1_000_000, "{all} bytes");
}
