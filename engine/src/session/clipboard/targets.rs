//! Targets: the forms in which a selection can be had. Programs, desktops and servers spell text in different ways, and
//! not everything may travel.

use crate::protocol::packet::clipboard::{Contents, Data};

/// The spellings of text, the best first. `STRING` is Latin-1, the others are UTF-8 (ICCCM §2.6.2; `text/plain`
/// without a character set is UTF-8 in all programs that offer it).
const TEXT: [&str; 5] = ["UTF8_STRING", "text/plain;charset=utf-8", "text/plain", "TEXT", "STRING"];
/// Begins with one of these: never asked for or answered by servers, since it means nothing elsewhere.
const LOCAL: [&str; 7] = [
    "NeXT",
    "com.apple.",
    "CorePasteboardFlavorType",
    "dyn.",
    "resource-transfer-format",
    "x-special/",
    "application/vnd.portal.",
];
/// Not contents, but requests to the owner or the window system; or an encoding that needs the local X library.
const NO_CONTENTS: [&str; 10] = [
    "TARGETS",
    "MULTIPLE",
    "TIMESTAMP",
    "SAVE_TARGETS",
    "DELETE",
    "INSERT_SELECTION",
    "INSERT_PROPERTY",
    "COMPOUND_TEXT",
    "GTK_TEXT_BUFFER_CONTENTS",
    "_QT_SELECTION",
];

/// How contents that were got become those that were wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    AsIs,
    /// Text in another spelling: this one.
    Text(&'static str),
}

/// Which spelling of text it is, however its character set is written.
fn spelling(target: &str) -> Option<&'static str> {
    TEXT.into_iter().find(|known| known.eq_ignore_ascii_case(target))
}

/// Whether the other side may ask for it.
pub fn may_travel(target: &str) -> bool {
    !LOCAL.iter().any(|prefix| target.starts_with(prefix)) && !NO_CONTENTS.contains(&target)
}

/// What can be offered where `owned` is what the owner offers: what may travel, and text in every spelling.
pub fn offered(owned: &[String]) -> Vec<String> {
    let mut targets: Vec<String> = Vec::new();
    for target in owned.iter().filter(|target| may_travel(target)) {
        if !targets.contains(target) {
            targets.push(target.clone());
        }
    }
    if targets.iter().any(|target| spelling(target).is_some()) {
        let missing = TEXT.into_iter().filter(|text| !owned.iter().any(|target| target == text));
        targets.extend(missing.map(str::to_owned));
    }
    targets
}

/// What an owner is asked for who offers `owned`, when somebody wants `wanted`; `None` if it does not have it.
pub fn resolve(wanted: &str, owned: &[String]) -> Option<(String, Conversion)> {
    if !may_travel(wanted) {
        return None;
    }
    if owned.iter().any(|target| target == wanted) {
        return Some((wanted.to_owned(), Conversion::AsIs));
    }
    let into = spelling(wanted)?;
    let best = |text: &&str| owned.iter().find(|target| spelling(target) == Some(text));
    let target = TEXT.iter().find_map(best)?;
    Some((target.clone(), Conversion::Text(into)))
}

/// The one target whose contents a greedy peer gets with the token: a picture, else text.
pub fn first(owned: &[String]) -> Option<&str> {
    let picture = ["image/png", "image/jpeg"].into_iter();
    let has = |name: &&str| owned.iter().any(|target| target == name);
    picture.chain(TEXT).find(has)
}

/// Contents as they were wanted.
pub fn convert(contents: Contents, conversion: Conversion) -> Option<Contents> {
    let Conversion::Text(into) = conversion else { return Some(contents) };
    let Data::Bytes(bytes) = &contents.data else { return None };
    let is_latin1 = spelling(&contents.kind)? == "STRING";
    // An answer to TEXT is in whatever encoding its type says.
    let kind = if into == "TEXT" { "UTF8_STRING" } else { into };
    let data = match (is_latin1, kind == "STRING") {
        (true, true) | (false, false) => return Some(Contents { kind: kind.to_owned(), ..contents }),
        (true, false) => bytes.iter().copied().map(char::from).collect::<String>().into_bytes(),
        (false, true) => {
            let text = std::str::from_utf8(bytes).ok()?;
            text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
        }
    };
    Some(Contents::bytes(kind, data))
}
