//! Every `unsafe` of the program is listed in SECURITY.md and says in place why it is sound.

use std::collections::BTreeMap;

use crate::layers::sources;

/// Lines above a place in which its `SAFETY` comment is looked for.
const ABOVE: usize = 6;

/// Lines with an unsafe block or impl. An `unsafe fn` of such an impl has a block of its own inside.
fn places(text: &str) -> Vec<usize> {
    let code = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    let is_place =
        |line: &str| ["unsafe {", "unsafe impl", "unsafe extern"].iter().any(|mark| line.contains(mark));
    let is_text = |line: &str| line.contains("reason = \"");
    text.lines()
        .enumerate()
        .filter(|(_, line)| is_place(&code(line)) && !is_text(line))
        .map(|(number, _)| number)
        .collect()
}

#[test]
fn each_place_is_listed_and_says_why() {
    let (mut found, mut silent) = (BTreeMap::new(), Vec::new());
    for (file, text) in [sources("src"), sources("engine/src")].concat() {
        let lines: Vec<&str> = text.lines().collect();
        for number in places(&text) {
            if !lines[number.saturating_sub(ABOVE)..number].iter().any(|line| line.contains("SAFETY:")) {
                silent.push(format!("{file}:{}", number + 1));
            }
            *found.entry(file.clone()).or_insert(0_usize) += 1;
        }
    }
    assert!(silent.is_empty(), "without a SAFETY comment: {silent:#?}");
    let page = include_str!("../../SECURITY.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let listed: BTreeMap<String, usize> = rows
        .map(|row| {
            let (file, rest) = row.split_once("` | ").expect("a file");
            let (count, why) = rest.split_once(" | ").expect("a number");
            assert!(why.len() > 10, "{file} has no reason");
            (file.to_owned(), count.parse().expect("a number"))
        })
        .collect();
    assert_eq!(listed, found, "SECURITY.md (left) lists other places than there are (right)");
}

#[test]
fn places_are_found() {
    let text = "let a = unsafe { b() };\n// unsafe { c }\n#[expect(unsafe_code, reason = \"an unsafe impl\")]\n\
                unsafe impl Send for A {}\nunsafe fn d() {}\nstatic E: F = G(|| unsafe {\n";
    assert_eq!(places(text), [0, 3, 5]);
}
