//! The sessions behind one address, as a proxy names them when it is not told which one is wanted.

/// What 3.1.3 and 6.5.5 say before the names, which they part by commas.
const BEFORE: &str = "more than one is available:";
/// Displays that are offered at most.
const MAX_DISPLAYS: usize = 100;
/// Bytes of the name of one: mostly a colon and a number.
const MAX_NAME: usize = 100;

/// Whether a proxy of 6.5.5 takes what hello says of the screen, which has the same key, for a display that is wanted, and
/// does not find it. Without any name it names those that it has.
pub fn are_withheld(reasons: &[String]) -> bool {
    let is = |index: usize, word: &str| {
        reasons.get(index).is_some_and(|reason| reason.to_ascii_lowercase().starts_with(word))
    };
    is(0, "session not found") && is(1, "display ")
}

/// The displays that a goodbye names as those to choose from. What cannot be one is left out.
pub fn offered(reasons: &[String]) -> Vec<String> {
    let listed = reasons.iter().find_map(|reason| reason.split_once(BEFORE)).map_or("", |(_, listed)| listed);
    let is_name = |name: &&str| {
        (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
    };
    listed.split(',').map(str::trim).filter(is_name).take(MAX_DISPLAYS).map(str::to_owned).collect()
}
