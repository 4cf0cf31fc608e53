//! The settings window: what the user's configuration file says, changed in it at once.

use std::path::{Path, PathBuf};

use winit::dpi::LogicalSize;
use winit::window::{Window, WindowAttributes};

use crate::config::file::ConfigFileError;
use crate::config::layers::{PROXY, each_definition};
use crate::config::{ConfigFiles, edit, file};
use crate::net::new_file;
use crate::ui::settings::{SettingKind, SettingRow, SettingsAction, SettingsForm, settings_ui};

use super::panel::Panel;

/// What the window shows, and the file behind it.
pub struct SettingsPanel {
    form: SettingsForm,
    /// `None`: the system does not say where it belongs.
    path: Option<PathBuf>,
    files: ConfigFiles,
    size: LogicalSize<f64>,
}

impl SettingsPanel {
    /// Of these files.
    pub fn new(files: ConfigFiles, size: LogicalSize<f64>) -> Self {
        let path = files.user.clone();
        let mut panel = Self { form: SettingsForm::default(), path, files, size };
        panel.read();
        panel
    }

    /// Does what the user asks. True if that is to close the window.
    pub fn act(&mut self, action: SettingsAction) -> bool {
        match action {
            SettingsAction::Close => return true,
            SettingsAction::Set { name, value } => self.set(&name, value.as_deref()),
        }
        false
    }

    /// Takes what the files say.
    fn read(&mut self) {
        let text = self.path.as_deref().map_or_else(|| Ok(String::new()), text_of);
        self.form.path = self.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        match (self.files.read(), text) {
            (Ok(layer), Ok(text)) => {
                self.form.text = text;
                self.form.rows = rows(&layer, self.path.as_deref());
                self.form.error.clear();
            }
            (Err(error), text) => {
                self.form.text = text.unwrap_or_default();
                self.form.error = error.to_string();
            }
            (_, Err(error)) => self.form.error = error,
        }
    }

    fn set(&mut self, name: &str, value: Option<&str>) {
        match self.write(name, value) {
            Ok(()) => self.read(),
            // What was typed stays, to be mended.
            Err(error) => self.form.error = error,
        }
    }

    fn write(&self, name: &str, value: Option<&str>) -> Result<(), String> {
        let path = self.path.as_deref().ok_or("there is no place for a configuration file")?;
        // A link stays one.
        let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let text = edit::with_option(&text_of(path)?, path, name, value).map_err(|error| match error {
            // Where it would have stood helps nobody.
            ConfigFileError::Option { source, .. } => source.to_string(),
            error => error.to_string(),
        })?;
        let cannot = |why: std::io::Error| format!("cannot write {}: {why}", path.display());
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(cannot)?;
        }
        new_file::replace(path, text.as_bytes()).map_err(cannot)
    }
}

/// What a file says; nothing if it is not there.
fn text_of(path: &Path) -> Result<String, String> {
    file::text(path, false).map_err(|error| error.to_string())
}

/// Every option, with what the files say of it.
fn rows(layer: &crate::config::Layer, own: Option<&Path>) -> Vec<SettingRow> {
    let mut rows = Vec::new();
    each_definition(|arg| {
        let name = arg.get_long().unwrap_or_default();
        // A proxy's password is not shown, and not lost either: the file is the place for that.
        if name == PROXY {
            return;
        }
        let default = arg.get_default_values().iter().map(|value| value.to_string_lossy());
        let default = default.collect::<Vec<_>>().join(",");
        let choices: Vec<String> = arg
            .get_possible_values()
            .iter()
            .filter(|value| !value.is_hide_set())
            .map(|value| value.get_name().to_owned())
            .collect();
        let kind = if file::is_flag(arg) {
            SettingKind::YesNo
        } else if choices.is_empty() || arg.get_value_delimiter().is_some() {
            SettingKind::Text
        } else {
            SettingKind::OneOf(choices)
        };
        let said = layer.value(name);
        let is_own = said.is_some_and(|value| match &value.origin {
            crate::config::Origin::File { path, .. } => Some(path.as_path()) == own,
            _ => false,
        });
        let value = said.map(|value| value.text.to_string_lossy().into_owned());
        rows.push(SettingRow {
            name: name.to_owned(),
            help: arg.get_help().map(ToString::to_string).unwrap_or_default(),
            kind,
            is_own,
            value: value.unwrap_or_else(|| default.clone()),
            before: None,
            default,
        });
    });
    rows
}

impl Panel for SettingsPanel {
    type Action = SettingsAction;

    fn attributes(&self) -> WindowAttributes {
        Window::default_attributes()
            .with_title("Settings")
            .with_inner_size(self.size)
            .with_min_inner_size(LogicalSize::new(360, 240))
    }

    fn ui(&mut self, ui: &mut egui::Ui) -> Option<SettingsAction> {
        settings_ui(&mut self.form, ui)
    }

    fn closed(&self) -> SettingsAction {
        SettingsAction::Close
    }
}
