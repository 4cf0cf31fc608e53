//! The window system's libraries, which winit loads when it starts: a program that is linked with them
//! could not say which are missing. Some of them winit does not even ask for before it panics.

/// Libraries that the window system needs and that are not on this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "missing on this machine: {} (on Debian and Ubuntu: apt install {})",
    .0.iter().map(|library| library.file).collect::<Vec<_>>().join(", "),
    .0.iter().map(|library| library.package).collect::<Vec<_>>().join(" ")
)]
pub struct MissingLibraries(pub Vec<Library>);

/// A library, by the name it is loaded by and by that of Debian's package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Library {
    pub file: &'static str,
    pub package: &'static str,
}

/// Fails if a library is missing that winit needs for windows on this display: on Wayland's if
/// `wayland`, else on X11's. Nothing is missing on systems that have neither.
///
/// # Errors
/// With all that are missing.
pub fn check_libraries(wayland: bool) -> Result<(), MissingLibraries> {
    let missing: Vec<Library> =
        needed(wayland).into_iter().filter(|(_, there)| !there).map(|(library, _)| library).collect();
    if missing.is_empty() { Ok(()) } else { Err(MissingLibraries(missing)) }
}

#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
fn needed(wayland: bool) -> Vec<(Library, bool)> {
    let library = |file, package, there| (Library { file, package }, there);
    let mut all =
        vec![library("libxkbcommon.so.0", "libxkbcommon0", xkbcommon_dl::xkbcommon_option().is_some())];
    if wayland {
        all.push(library(
            "libwayland-client.so.0",
            "libwayland-client0",
            wayland_sys::client::is_lib_available(),
        ));
    } else {
        all.extend([
            library(
                "libxkbcommon-x11.so.0",
                "libxkbcommon-x11-0",
                xkbcommon_dl::x11::xkbcommon_x11_option().is_some(),
            ),
            library("libX11.so.6", "libx11-6", x11_dl::xlib::Xlib::open().is_ok()),
            library("libX11-xcb.so.1", "libx11-xcb1", x11_dl::xlib_xcb::Xlib_xcb::open().is_ok()),
            library("libXcursor.so.1", "libxcursor1", x11_dl::xcursor::Xcursor::open().is_ok()),
            library("libXi.so.6", "libxi6", x11_dl::xinput2::XInput2::open().is_ok()),
        ]);
    }
    all
}

#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
fn needed(_wayland: bool) -> Vec<(Library, bool)> {
    Vec::new()
}
