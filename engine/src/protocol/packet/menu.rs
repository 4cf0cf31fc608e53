//! A server's menu of applications, as servers tell it in `setting-change`: by the name `xdg-menu` (3.1 to 6.5), or `menu`
//! (from 6.5 on, to clients that ask for it by that name). Icons and descriptions stand in it too; nothing of them is kept.

use super::args::{Args, Item, Map};
use super::encode::Encoder;
use super::names::Naming;
use super::{Dict, Value};
use crate::protocol::text;

/// Submenus that are kept.
const MAX_CATEGORIES: usize = 100;
/// Applications that are kept, in all submenus together.
const MAX_APPLICATIONS: usize = 2000;
/// Characters of a name.
const MAX_NAME: usize = 100;
/// Bytes of a command. A longer one is of no use if it is cut.
const MAX_COMMAND: usize = 1024;

/// The applications that a server offers, by submenu.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Menu {
    pub categories: Vec<Category>,
}

/// A submenu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// One line without hidden characters.
    pub name: String,
    pub applications: Vec<Application>,
}

/// An application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// One line without hidden characters.
    pub name: String,
    /// What starts it, as the `Exec` of a desktop entry has it: with field codes. No hidden characters.
    pub command: String,
}

impl Application {
    /// What starts it without any file: the command without its field codes.
    pub fn command_line(&self) -> String {
        let mut line = String::new();
        let mut characters = self.command.chars();
        while let Some(character) = characters.next() {
            match character {
                // Two of them are one that is meant; the others stand for files, icons and names.
                '%' => line.extend(characters.next().filter(|code| *code == '%')),
                character => line.push(character),
            }
        }
        line.trim().to_owned()
    }
}

impl Menu {
    /// Whether a setting of this name is the menu.
    pub fn is_name(setting: &str) -> bool {
        matches!(setting, "menu" | "xdg-menu")
    }

    /// The name of the setting for a peer that spells packets like this.
    pub const fn name(naming: Naming) -> &'static str {
        match naming {
            Naming::Legacy => "xdg-menu",
            Naming::V65 | Naming::V66 => "menu",
        }
    }

    /// Reads the setting's value. What is no map is an empty menu.
    pub fn read(args: &mut Args<'_>) -> Self {
        let Ok(menu) = args.map("menu") else { return Self::default() };
        let mut room = MAX_APPLICATIONS;
        let categories = menu.entries().filter_map(|(name, category)| {
            let applications: Vec<_> = applications(category)?.take(room).collect();
            room -= applications.len();
            let name = text::shown(name, MAX_NAME);
            (!applications.is_empty()).then_some(Category { name, applications })
        });
        Self { categories: categories.take(MAX_CATEGORIES).collect() }
    }

    /// Writes it as a server does.
    pub fn write(&self, args: &mut Encoder<'_>) {
        let mut menu = Dict::default();
        for category in &self.categories {
            let mut entries = Dict::default();
            for Application { name, command } in &category.applications {
                let mut entry = Dict::default();
                entry.push("Name", name.as_str()).push("Exec", command.as_str());
                entries.push(name, entry);
            }
            let mut submenu = Dict::default();
            submenu.push("Entries", entries);
            menu.push(&category.name, submenu);
        }
        args.value(&Value::Dict(menu));
    }
}

/// The applications of a submenu that can be started and seen.
fn applications(category: Item<'_>) -> Option<impl Iterator<Item = Application>> {
    let entries = value(category.map()?, "Entries")?.map()?;
    Some(entries.entries().filter_map(|(name, entry)| {
        let entry = entry.map()?;
        let is_set = |key| value(entry, key).and_then(Item::int::<i64>).is_some_and(|set| set != 0);
        // What runs in a terminal would run in none.
        if ["Terminal", "NoDisplay", "Hidden"].into_iter().any(is_set) {
            return None;
        }
        // `command` is only the program, without arguments, where a `TryExec` stands beside `Exec`.
        let told = |key| value(entry, key).and_then(Item::str).filter(|command| is_command(command));
        let command = told("Exec").or_else(|| told("command"))?.to_owned();
        let name = text::shown(name, MAX_NAME);
        (!name.is_empty()).then_some(Application { name, command })
    }))
}

fn is_command(command: &str) -> bool {
    !command.is_empty() && command.len() <= MAX_COMMAND && !command.chars().any(text::is_hidden)
}

fn value<'a>(map: Map<'a>, key: &str) -> Option<Item<'a>> {
    map.entries().find_map(|(name, value)| (name == key).then_some(value))
}
