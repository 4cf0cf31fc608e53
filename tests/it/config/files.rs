//! Configuration files, and which layer wins.

use std::path::{Path, PathBuf};

use farpane::config::file::{parse, shown};
use farpane::config::{ConfigFiles, Layer, Origin, RendererChoice, Request, Settings};

fn layer(text: &str) -> Layer {
    parse(text, Path::new("c.toml")).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str) -> String {
    parse(text, Path::new("c.toml")).expect_err(text).to_string()
}

#[test]
fn every_kind_of_value_is_read() {
    let layer = layer(
        "overlay = true\nquality = 0x20\nconnect-timeout = 2.5\nencodings = ['png', 'rgb']\n\
         compression_level = 3\nrenderer = 'cpu'\npassword-file = '~/secret'\n",
    );
    let options = layer.options().expect("all of them are valid");
    assert!(options.overlay);
    assert_eq!((options.quality, options.compression_level), (32, 3));
    assert_eq!(options.connect_timeout.as_millis(), 2500);
    assert_eq!(options.encodings, ["png", "rgb"]);
    assert_eq!(options.renderer, RendererChoice::Cpu);
    let home = std::env::home_dir().expect("a home");
    assert_eq!(options.password_file, Some(home.join("secret")));
    let line = layer.value("renderer").map(|value| value.origin.to_string());
    assert_eq!(line.as_deref(), Some("c.toml:6"));
}

#[test]
fn mistakes_have_a_line_and_a_suggestion() {
    for (text, message) in [
        ("# x\nqualty = 3", "c.toml:2: there is no option `qualty` (did you mean `quality`?)"),
        ("Overlay_Key = 'x'", "c.toml:1: there is no option `Overlay_Key` (did you mean `overlay-key`?)"),
        ("xyz = 3", "c.toml:1: there is no option `xyz`"),
        (
            "\n\nquality = 300",
            "c.toml:3: `300` is not a value for `quality`: expected a number from 0 to 100",
        ),
        (
            "renderer = 'gpu'",
            "c.toml:1: `gpu` is not a value for `renderer`: expected one of auto, wgpu, cpu",
        ),
        ("overlay = 'maybe'", "`maybe` is not a value for `overlay`: expected yes or no"),
        ("overlay-key = 'Hyper+x'", "`Hyper+x` is not a key combination"),
        ("speed = [1]", "c.toml:1: expected text, a number, true or false"),
        ("[farpane]\nspeed = 1", "c.toml:1: there is no option `farpane`"),
        ("speed = 1\nspeed = 2", "c.toml:2: duplicate key"),
        ("speed 1", "c.toml:1:"),
    ] {
        let error = refused(text);
        assert!(error.contains(message), "{text}: {error}");
    }
}

#[test]
fn the_users_file_is_over_the_systems() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (system, user) = (dir.path().join("system.toml"), dir.path().join("user.toml"));
    std::fs::write(&system, "quality = 10\nspeed = 10\n").expect("writable");
    std::fs::write(&user, "quality = 20\n").expect("writable");
    let files = ConfigFiles { system: Some(system.clone()), user: Some(user.clone()), user_is_named: false };
    let layer = files.read().expect("two good files");
    let options = layer.options().expect("valid");
    assert_eq!((options.quality, options.speed), (20, 10));
    assert_eq!(layer.value("speed").map(|v| &v.origin), Some(&Origin::File { path: system, line: 2 }));
    std::fs::remove_file(&user).expect("it is there");
    assert_eq!(files.read().expect("it need not exist").options().expect("valid").quality, 10);
    let named = ConfigFiles { user_is_named: true, ..files };
    let error = named.read().expect_err("it was named").to_string();
    assert!(error.contains("user.toml"), "{error}");
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("large.toml");
    std::fs::write(&path, "# \n".repeat(200_000)).expect("writable");
    let files = ConfigFiles { user: Some(path), ..ConfigFiles::default() };
    let error = files.read().expect_err("600 kB").to_string();
    assert!(error.contains("too large"), "{error}");
}

#[test]
fn an_empty_variable_stands_for_no_file() {
    let files = ConfigFiles::locate(Some(PathBuf::new()));
    assert_eq!((files.user, files.user_is_named), (None, false));
    let files = ConfigFiles::locate(Some("x.toml".into()));
    assert_eq!((files.user, files.user_is_named), (Some("x.toml".into()), true));
}

#[test]
fn command_line_over_link_over_file_over_default() {
    let mut settings =
        Settings { files: layer("quality = 10\nspeed = 10\nmin-speed = 5\n"), ..Settings::default() };
    settings.given.set("quality", "30", Origin::CommandLine).expect("valid");
    let request = Request::address("xpra://host/?quality=20&speed=20").expect("a link");
    let pictures = settings.config(&request).expect("valid").connection.session.pictures;
    assert_eq!(
        (pictures.quality, pictures.speed, pictures.min_speed, pictures.min_quality),
        (Some(30), Some(20), Some(5), None)
    );
}

/// What `config --show` prints says what the options say, and is a file to begin with.
#[test]
fn what_is_shown_can_be_read() {
    let said = "encodings = ['png', 'webp']\noverlay = true\nssl-check-hostname = false\nquality = 40\n\
                connect-timeout = 2.5\nrecord = 'a \"b\\\\c'\nusername = '007'\noverlay-key = 'F9'\n";
    let before = layer(said);
    let text = shown(&before);
    let after = layer(&text);
    let texts = |layer: &Layer| {
        layer.values().map(|(name, value)| (name.to_owned(), value.text.clone())).collect::<Vec<_>>()
    };
    assert_eq!(texts(&before), texts(&after), "{text}");
    assert!(text.contains("# from c.toml:4"), "{text}");
    // Each default is the option's own.
    let with_defaults: String = shown(&Layer::default())
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .filter(|line| line.contains(" = ") && !line.contains("# not set"))
        .map(|line| format!("{line}\n"))
        .collect();
    let defaults = layer(&with_defaults);
    assert!(defaults.values().count() > 10, "{with_defaults}");
    let (one, other) = (defaults.options().expect("valid"), Layer::default().options().expect("valid"));
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
}
