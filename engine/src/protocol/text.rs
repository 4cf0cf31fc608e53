//! Text from the peer as it may be shown: in titles, dialogs, menus, logs and the terminal.

/// Characters of a name from the wire in messages and logs.
pub const MAX_NAME: usize = 64;

/// At most `most` characters of `text`, without those that are not seen but change what is: control
/// characters, Unicode's format characters (which turn the direction of text, for example), line and paragraph
/// separators. What comes out is one line.
pub fn shown(text: &str, most: usize) -> String {
    text.chars().filter(|character| !is_hidden(*character)).take(most).collect()
}

/// The same of bytes that should be UTF-8.
pub fn shown_bytes(bytes: &[u8], most: usize) -> String {
    // A character has at most four bytes; what is hidden counts too, so that little is looked at.
    let start = bytes.get(..most.saturating_mul(8)).unwrap_or(bytes);
    shown(&String::from_utf8_lossy(start), most)
}

/// A name from the wire, for messages and logs.
pub fn name(name: &str) -> String {
    shown(name, MAX_NAME)
}

/// Whether a character is of the Unicode categories Cc, Cf, Zl or Zp, or stands among format characters
/// without having been given a meaning yet.
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}'
            | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e00ff}')
}
