//! X keysyms: their names, and the keysym of a key that winit describes in its own terms.

use winit::keyboard::{Key, KeyLocation, NamedKey, NativeKey};
use xkeysym::{Keysym, key as xk};

use super::KeyPress;

/// Keysyms from here on up to `0x0110_ffff` stand for Unicode code points.
const UNICODE_BASE: u32 = 0x0100_0000;

/// Keysyms of dead keys: `dead_grave` to `dead_greek`, with room for later ones (X11/keysymdef.h).
const DEAD_KEYS: std::ops::RangeInclusive<u32> = xk::dead_grave..=0xfe9f;

/// The name of a keysym as `XKeysymToString` gives it: `a`, `Return`, `eacute`, `XF86AudioMute`,
/// `U20AC` for code points without a name of their own. Empty if it has none.
pub fn name(keysym: u32) -> String {
    if keysym == xk::NoSymbol {
        return String::new();
    }
    if let Some(name) = Keysym::new(keysym).name() {
        // The crate gives the C macro's name: `XK_a`, `XF86XK_AudioMute`.
        return name.strip_prefix("XK_").map_or_else(|| name.replacen("XK_", "", 1), str::to_owned);
    }
    match keysym.checked_sub(UNICODE_BASE).and_then(char::from_u32).map(u32::from) {
        Some(point @ 0x100..=0xffff) => format!("U{point:04X}"),
        Some(point @ 0x1_0000..) => format!("U{point:08X}"),
        _ => String::new(),
    }
}

/// The keysym for a key as winit sees it, where the window system gives no exact one. Dead keys
/// have none: they are composed on this side, and the composed character is sent.
pub fn from_winit(key: &Key, location: KeyLocation) -> Option<u32> {
    match key {
        Key::Character(text) => {
            let mut characters = text.chars();
            let first = characters.next().filter(|_| characters.next().is_none())?;
            Some(
                keypad_character(first)
                    .filter(|_| location == KeyLocation::Numpad)
                    .unwrap_or_else(|| Keysym::from_char(first).raw()),
            )
        }
        Key::Named(named) => named_keysym(*named, location),
        Key::Dead(_) | Key::Unidentified(_) => None,
    }
    .filter(|keysym| *keysym != xk::NoSymbol)
}

/// Whether a key event may have come from this keysym, or its `capital` letter. Only characters, dead keys, the keypad
/// and keys without a name can tell.
pub fn is_typed(keysym: u32, capital: bool, press: &KeyPress) -> bool {
    let character = Keysym::new(keysym).key_char();
    match &press.logical {
        Key::Character(text) if capital => {
            character.is_some_and(|character| text.chars().eq(character.to_uppercase()))
        }
        Key::Character(text) => character.is_some_and(|character| text.chars().eq([character])),
        Key::Dead(_) => DEAD_KEYS.contains(&keysym),
        Key::Named(_) => {
            press.location != KeyLocation::Numpad || character.is_none() || keysym == xk::KP_Enter
        }
        // A level without a keysym types nothing, and is no other level.
        Key::Unidentified(native) => *native == NativeKey::Xkb(keysym),
    }
}

fn keypad_character(character: char) -> Option<u32> {
    Some(match character {
        '0'..='9' => xk::KP_0 + (u32::from(character) - u32::from('0')),
        '.' => xk::KP_Decimal,
        ',' => xk::KP_Separator,
        '+' => xk::KP_Add,
        '-' => xk::KP_Subtract,
        '*' => xk::KP_Multiply,
        '/' => xk::KP_Divide,
        '=' => xk::KP_Equal,
        _ => return None,
    })
}

fn named_keysym(named: NamedKey, location: KeyLocation) -> Option<u32> {
    let right = location == KeyLocation::Right;
    let side = |on_left: u32, on_right: u32| if right { on_right } else { on_left };
    if location == KeyLocation::Numpad
        && let Some(keysym) = keypad_named(named)
    {
        return Some(keysym);
    }
    Some(match named {
        NamedKey::Shift => side(xk::Shift_L, xk::Shift_R),
        NamedKey::Control => side(xk::Control_L, xk::Control_R),
        NamedKey::Alt => side(xk::Alt_L, xk::Alt_R),
        NamedKey::Super => side(xk::Super_L, xk::Super_R),
        NamedKey::Meta => side(xk::Meta_L, xk::Meta_R),
        NamedKey::Hyper => side(xk::Hyper_L, xk::Hyper_R),
        _ => NAMED.iter().find(|(name, _)| *name == named)?.1,
    })
}

fn keypad_named(named: NamedKey) -> Option<u32> {
    Some(match named {
        NamedKey::Enter => xk::KP_Enter,
        NamedKey::Tab => xk::KP_Tab,
        NamedKey::Space => xk::KP_Space,
        NamedKey::Home => xk::KP_Home,
        NamedKey::End => xk::KP_End,
        NamedKey::ArrowLeft => xk::KP_Left,
        NamedKey::ArrowUp => xk::KP_Up,
        NamedKey::ArrowRight => xk::KP_Right,
        NamedKey::ArrowDown => xk::KP_Down,
        NamedKey::PageUp => xk::KP_Page_Up,
        NamedKey::PageDown => xk::KP_Page_Down,
        NamedKey::Insert => xk::KP_Insert,
        NamedKey::Delete => xk::KP_Delete,
        NamedKey::Clear => xk::KP_Begin,
        _ => return None,
    })
}

/// Named keys that have one keysym wherever they are.
const NAMED: &[(NamedKey, u32)] = &[
    (NamedKey::AltGraph, xk::ISO_Level3_Shift),
    (NamedKey::CapsLock, xk::Caps_Lock),
    (NamedKey::NumLock, xk::Num_Lock),
    (NamedKey::ScrollLock, xk::Scroll_Lock),
    (NamedKey::Enter, xk::Return),
    (NamedKey::Tab, xk::Tab),
    (NamedKey::Space, xk::space),
    (NamedKey::Backspace, xk::BackSpace),
    (NamedKey::Delete, xk::Delete),
    (NamedKey::Insert, xk::Insert),
    (NamedKey::Escape, xk::Escape),
    (NamedKey::Pause, xk::Pause),
    (NamedKey::PrintScreen, xk::Print),
    (NamedKey::ContextMenu, xk::Menu),
    (NamedKey::Clear, xk::Clear),
    (NamedKey::Home, xk::Home),
    (NamedKey::End, xk::End),
    (NamedKey::PageUp, xk::Prior),
    (NamedKey::PageDown, xk::Next),
    (NamedKey::ArrowLeft, xk::Left),
    (NamedKey::ArrowUp, xk::Up),
    (NamedKey::ArrowRight, xk::Right),
    (NamedKey::ArrowDown, xk::Down),
    (NamedKey::Select, xk::Select),
    (NamedKey::Execute, xk::Execute),
    (NamedKey::Help, xk::Help),
    (NamedKey::Find, xk::Find),
    (NamedKey::Cancel, xk::Cancel),
    (NamedKey::Undo, xk::Undo),
    (NamedKey::Redo, xk::Redo),
    (NamedKey::Copy, xk::XF86_Copy),
    (NamedKey::Cut, xk::XF86_Cut),
    (NamedKey::Paste, xk::XF86_Paste),
    (NamedKey::Compose, xk::Multi_key),
    (NamedKey::ModeChange, xk::Mode_switch),
    (NamedKey::GroupNext, xk::ISO_Next_Group),
    (NamedKey::GroupPrevious, xk::ISO_Prev_Group),
    (NamedKey::GroupFirst, xk::ISO_First_Group),
    (NamedKey::GroupLast, xk::ISO_Last_Group),
    (NamedKey::KanjiMode, xk::Kanji),
    (NamedKey::NonConvert, xk::Muhenkan),
    (NamedKey::Convert, xk::Henkan_Mode),
    (NamedKey::Romaji, xk::Romaji),
    (NamedKey::Hiragana, xk::Hiragana),
    (NamedKey::Katakana, xk::Katakana),
    (NamedKey::HiraganaKatakana, xk::Hiragana_Katakana),
    (NamedKey::Zenkaku, xk::Zenkaku),
    (NamedKey::Hankaku, xk::Hankaku),
    (NamedKey::ZenkakuHankaku, xk::Zenkaku_Hankaku),
    (NamedKey::HangulMode, xk::Hangul),
    (NamedKey::HanjaMode, xk::Hangul_Hanja),
    (NamedKey::KanaMode, xk::Kana_Lock),
    (NamedKey::Alphanumeric, xk::Eisu_toggle),
    (NamedKey::F1, xk::F1),
    (NamedKey::F2, xk::F2),
    (NamedKey::F3, xk::F3),
    (NamedKey::F4, xk::F4),
    (NamedKey::F5, xk::F5),
    (NamedKey::F6, xk::F6),
    (NamedKey::F7, xk::F7),
    (NamedKey::F8, xk::F8),
    (NamedKey::F9, xk::F9),
    (NamedKey::F10, xk::F10),
    (NamedKey::F11, xk::F11),
    (NamedKey::F12, xk::F12),
    (NamedKey::F13, xk::F13),
    (NamedKey::F14, xk::F14),
    (NamedKey::F15, xk::F15),
    (NamedKey::F16, xk::F16),
    (NamedKey::F17, xk::F17),
    (NamedKey::F18, xk::F18),
    (NamedKey::F19, xk::F19),
    (NamedKey::F20, xk::F20),
    (NamedKey::F21, xk::F21),
    (NamedKey::F22, xk::F22),
    (NamedKey::F23, xk::F23),
    (NamedKey::F24, xk::F24),
    (NamedKey::AudioVolumeMute, xk::XF86_AudioMute),
    (NamedKey::AudioVolumeDown, xk::XF86_AudioLowerVolume),
    (NamedKey::AudioVolumeUp, xk::XF86_AudioRaiseVolume),
    (NamedKey::MediaPlay, xk::XF86_AudioPlay),
    (NamedKey::MediaPause, xk::XF86_AudioPause),
    (NamedKey::MediaPlayPause, xk::XF86_AudioPlay),
    (NamedKey::MediaStop, xk::XF86_AudioStop),
    (NamedKey::MediaTrackNext, xk::XF86_AudioNext),
    (NamedKey::MediaTrackPrevious, xk::XF86_AudioPrev),
    (NamedKey::MediaRecord, xk::XF86_AudioRecord),
    (NamedKey::MediaRewind, xk::XF86_AudioRewind),
    (NamedKey::MediaFastForward, xk::XF86_AudioForward),
    (NamedKey::BrowserBack, xk::XF86_Back),
    (NamedKey::BrowserForward, xk::XF86_Forward),
    (NamedKey::BrowserRefresh, xk::XF86_Refresh),
    (NamedKey::BrowserHome, xk::XF86_HomePage),
    (NamedKey::BrowserSearch, xk::XF86_Search),
    (NamedKey::BrowserFavorites, xk::XF86_Favorites),
    (NamedKey::LaunchMail, xk::XF86_Mail),
    (NamedKey::LaunchApplication2, xk::XF86_Calculator),
    (NamedKey::BrightnessUp, xk::XF86_MonBrightnessUp),
    (NamedKey::BrightnessDown, xk::XF86_MonBrightnessDown),
    (NamedKey::Eject, xk::XF86_Eject),
    (NamedKey::WakeUp, xk::XF86_WakeUp),
];
