//! The question whether a server's certificate is to be trusted. Fills an OS window of its own.

use egui::{Align, Grid, Key, Label, Layout, RichText, ScrollArea, Ui};

use super::dialogs::dialog;
use super::theme;
use crate::session::{Certificate, CertificateAnswer, CertificateQuestion};

/// Size of its window, in points.
pub const CERTIFICATE_SIZE: (u32, u32) = (600, 410);
/// Room for the buttons and what stands above them.
const BUTTONS_HEIGHT: f32 = 44.0;

/// The dialog: Enter and Escape say no. `Some` when the user decided.
pub fn certificate_ui(question: &CertificateQuestion, ui: &mut Ui) -> Option<CertificateAnswer> {
    dialog(ui, |ui| {
        ui.label(RichText::new("Is this the right server?").heading().color(theme::TEXT));
        ui.add(Label::new(RichText::new(&question.server).strong().color(theme::TEXT)).truncate());
        let room = (ui.available_height() - BUTTONS_HEIGHT).max(60.0);
        ScrollArea::vertical().max_height(room).auto_shrink([false, false]).show(ui, |ui| {
            let fault = format!("This machine cannot tell by its certificate. {}", question.fault);
            ui.add(Label::new(RichText::new(fault).color(theme::WARNING)).wrap());
            ui.add_space(4.0);
            facts(&question.certificate, ui);
            ui.add_space(4.0);
            let advice = "Trust it only if the server shows the same fingerprint to who runs it: \
                          openssl x509 -noout -fingerprint -sha256 -in CERTIFICATE. Nothing was sent to it yet.";
            ui.add(Label::new(RichText::new(advice).color(theme::LABEL)).wrap());
        });
        buttons(ui)
    })
}

fn facts(certificate: &Certificate, ui: &mut Ui) {
    Grid::new("certificate").num_columns(2).spacing([14.0, 6.0]).show(ui, |ui| {
        let names = match certificate.names.is_empty() {
            true => "(no host)".to_owned(),
            false => certificate.names.join(", "),
        };
        let valid = format!("{} to {}", certificate.valid_from, certificate.valid_to);
        for (label, value) in [
            ("For", names.as_str()),
            ("Subject", &certificate.subject),
            ("Issuer", &certificate.issuer),
            ("Valid", &valid),
        ] {
            // All of it is the server's word.
            ui.label(RichText::new(label).color(theme::UNIT));
            ui.add(Label::new(RichText::new(value).color(theme::TEXT)).wrap());
            ui.end_row();
        }
        ui.label(RichText::new("SHA-256").color(theme::UNIT));
        let groups: Vec<String> = certificate.fingerprint.groups().collect();
        ui.add(Label::new(RichText::new(groups.join("\n")).monospace().color(theme::TEXT)).extend());
        ui.end_row();
    });
}

fn buttons(ui: &mut Ui) -> Option<CertificateAnswer> {
    let mut answer = None;
    ui.with_layout(Layout::bottom_up(Align::Max), |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let cancel = egui::Button::new(RichText::new("Cancel").color(theme::BACKGROUND));
            let cancel = ui.add(cancel.fill(theme::ACCENT));
            // The answer that does no harm is the one that Enter gives.
            if ui.memory(|memory| memory.focused().is_none()) {
                cancel.request_focus();
            }
            if cancel.clicked() {
                answer = Some(CertificateAnswer::No);
            }
            if ui.button("Only this time").clicked() {
                answer = Some(CertificateAnswer::Once);
            }
            if ui.button("Trust this one").clicked() {
                answer = Some(CertificateAnswer::Keep);
            }
        });
    });
    if ui.input(|input| input.key_pressed(Key::Escape)) {
        answer = Some(CertificateAnswer::No);
    }
    answer
}
