//! Options of Xpra's client that Farpane does not have, so that who types one learns why.
//!
//! The names are those of `xpra attach --help` of 3.1.3 and 6.5.5; a test compares
//! (`tests/it/config/command_line.rs`). Those that mean the same in Farpane are names or aliases of its own
//! options.

/// What is said of Xpra's option `name` (without dashes), if it is one that Farpane lacks.
pub fn lacking(name: &str) -> Option<&'static str> {
    let name = name.strip_prefix("no-").unwrap_or(name);
    GROUPS.iter().find(|(_, names)| names.split_whitespace().any(|other| other == name)).map(|(why, _)| *why)
}

/// What to say of a first word that is a command of Xpra's, which Farpane lacks.
pub fn lacking_command(word: &str) -> Option<String> {
    let is_known = COMMANDS.split_whitespace().any(|command| command == word);
    is_known.then(|| {
        format!(
            "Farpane has no command `{word}`: it shows sessions that run, and Xpra's own program does the rest \
             (`xpra {word}`); a host of this name is written as tcp://{word}/"
        )
    })
}

/// The commands of `xpra --help` of 3.1.3 and 6.5.5 that Farpane lacks.
const COMMANDS: &str = "about autostart bug-report clean clean-displays clean-sockets configure connect-test control \
    desktop displays encoder encoding example gui id launcher list-mdns list-sessions list-windows \
    mdns-gui monitor monitor-info path-info print seamless send-file sessions setup-ssl shadow-screen shell \
    show-ssl showconfig start-gui toolbox upgrade upgrade-desktop upgrade-monitor \
    upgrade-shadow version";

/// Reasons, and the names that they hold for.
const GROUPS: [(&str, &str); 12] = [
    (
        "it is for servers, and Farpane only attaches to running ones (`farpane start` takes --start and --start-child)",
        "attach auth backend bind bind-quic bind-rdp bind-rfb bind-ssh bind-ssl bind-tcp bind-udp bind-vsock \
         bind-ws bind-wss chdir close-stderr commands control daemon dbus dbus-control dbus-launch dbus-proxy \
         displayfd env exec-wrapper exit-with-children exit-with-client exit-with-windows fake-xinerama gid \
         html http http-scripts idle-timeout input-method log-dir log-file lpadmin lpinfo mdns min-port \
         mmap-group pidfile proxy-start-sessions proxy-video-encoders pulseaudio pulseaudio-command \
         pulseaudio-configure-commands quic-auth rdp-auth rdp-upgrade resize-display rfb-auth rfb-upgrade \
         server-idle-timeout sessions-dir shell socket-permissions source source-start ssh-auth ssh-upgrade \
         ssl-auth ssl-client-verify-mode start start-after-connect start-child \
         start-child-after-connect start-child-late start-child-on-connect start-child-on-last-client-exit \
         start-env start-late start-new-commands start-on-connect start-on-disconnect \
         start-on-last-client-exit start-child-on-disconnect start-via-proxy sync-xvfb \
         system-proxy-socket systemd-run systemd-run-args tcp-auth tcp-proxy terminate-children udp-auth uid \
         use-display video-encoders vsock-auth websocket-upgrade ws-auth wss-auth xvfb",
    ),
    (
        "Farpane has no files, printing, notifications or tray",
        "delay-tray file-size-limit file-transfer \
         forward-xdg-open global-menus notifications open-command open-files open-url printing \
         system-tray tray tray-icon",
    ),
    (
        "Farpane plays no sound and sends none, nor a camera's picture",
        "audio audio-source av-sync microphone microphone-codec sound-source speaker speaker-codec webcam",
    ),
    ("Farpane ends ssh with the session, and finds xpra at the other end by itself", "exit-ssh remote-xpra"),
    ("an ssl:// address speaks TLS with the same port from the first byte on", "ssl-upgrade"),
    (
        "ssl:// and wss:// addresses use TLS, in the safe settings that rustls has",
        "ssl ssl-ca-data ssl-ciphers ssl-key-password ssl-options ssl-protocol \
         ssl-verify-flags",
    ),
    (
        "Farpane chooses it by itself",
        "auto-refresh-delay bandwidth-detection challenge-handlers csc-modules gstreamer keyboard-backend mmap \
         packet-encoders pings pixel-depth refresh-rate video video-decoders video-scaling",
    ),
    (
        "Farpane shows windows and pictures as the server says",
        "desktop-fullscreen dpi headerbar max-size min-size minimal modal-windows \
         session-name splash window-close window-icon windows xsettings",
    ),
    (
        "Farpane passes keys and pointer on as they are",
        "bell cursors input-devices key-shortcut keyboard-layout keyboard-layouts keyboard-model \
         keyboard-options keyboard-raw keyboard-sync keyboard-variant keyboard-variants middle-click \
         mousewheel pointer readonly shortcut-modifiers",
    ),
    ("use `--log debug`, or `--log farpane::net=trace`", "debug remote-logging"),
    (
        "sessions of this machine are found where Xpra puts its sockets; a socket elsewhere is socket:///PATH",
        "client-socket-dirs socket-dir socket-dirs",
    ),
    ("Farpane has no such option yet", "clipboard-filter-file local-clipboard lock remote-clipboard"),
];
