//! The text of a password field. What the toolkit sees, and keeps for its own purposes (undo, layout),
//! are dots; the password lies in one place that never grows, and is wiped when it goes.

use std::any::TypeId;
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use egui::TextBuffer;
use egui::text::CharIndex;
use zeroize::Zeroizing;

use crate::session::Secret;

/// What is typed beyond it is not taken, in bytes.
const MAX_BYTES: usize = 1024;
/// Stands for a character.
const DOT: char = '•';

/// A password while it is typed.
pub struct SecretText {
    text: Rc<RefCell<Zeroizing<String>>>,
    /// As many dots as the password has characters.
    dots: String,
}

impl Default for SecretText {
    fn default() -> Self {
        Self {
            text: Rc::new(RefCell::new(Zeroizing::new(String::with_capacity(MAX_BYTES)))),
            dots: String::new(),
        }
    }
}

impl SecretText {
    /// The password as it is typed, to show it to who types it.
    pub fn shared(&self) -> Rc<RefCell<Zeroizing<String>>> {
        Rc::clone(&self.text)
    }

    /// Takes the password out of the field.
    pub fn take(&mut self) -> Secret {
        let Self { text, .. } = std::mem::take(self);
        Secret::from(text.take())
    }
}

/// Where the character with this number begins, or the end of the text.
fn byte_of(text: &str, character: CharIndex) -> usize {
    text.char_indices().nth(character.0).map_or(text.len(), |(at, _)| at)
}

impl TextBuffer for SecretText {
    fn is_mutable(&self) -> bool {
        true
    }

    fn as_str(&self) -> &str {
        &self.dots
    }

    fn insert_text(&mut self, new: &str, at: CharIndex) -> usize {
        let mut text = self.text.borrow_mut();
        let mut at = byte_of(&text, at);
        let mut taken = 0;
        // Within its room: a text that grows leaves what it held where it was.
        for c in new.chars().filter(|c| !c.is_control()) {
            if text.len() + c.len_utf8() > MAX_BYTES {
                break;
            }
            text.insert(at, c);
            at += c.len_utf8();
            taken += 1;
            self.dots.push(DOT);
        }
        taken
    }

    fn delete_char_range(&mut self, range: Range<CharIndex>) {
        let mut text = self.text.borrow_mut();
        let (from, to) = (byte_of(&text, range.start), byte_of(&text, range.end));
        if from < to {
            text.drain(from..to);
            self.dots = std::iter::repeat_n(DOT, text.chars().count()).collect();
        }
    }

    /// Undo gives dots back, which say nothing of what was there.
    fn replace_with(&mut self, text: &str) {
        if text.is_empty() {
            self.clear();
        }
    }

    fn type_id(&self) -> TypeId {
        TypeId::of::<Self>()
    }
}
