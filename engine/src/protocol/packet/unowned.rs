//! Packets that servers may send and that no subject here has, with the reason. They are known, so they are no
//! errors; the session does nothing about them.

/// Modern and legacy names, by why nobody has them.
const UNOWNED: &[(&str, &[&str])] = &[
    ("what others copied, which servers tell to who records it", &["clipboard-record"]),
    (
        "sound is not offered",
        &["audio-capabilities", "audio-data", "audio-keepalive", "audio-level", "audio-signal", "sound-data"],
    ),
    (
        "files, printing and links are not offered",
        &[
            "ack-file-chunk",
            "file-ack-chunk",
            "file-data-request",
            "file-data-response",
            "file-open-url",
            "file-request",
            "file-send",
            "file-send-chunk",
            "open-url",
            "send-data-request",
            "send-data-response",
            "send-file",
            "send-file-chunk",
        ],
    ),
    (
        "notifications are not offered",
        &["notification-close", "notification-show", "notify_close", "notify_show"],
    ),
    ("a webcam is not offered", &["webcam-ack", "webcam-stop"]),
    (
        "other users' input, which servers tell to who records or watches it",
        &["keyboard-record", "pointer", "pointer-button", "pointer-motion", "pointer-wheel"],
    ),
    ("the server's own log and icon, which are not asked for", &["display-icon", "logging", "logging-event"]),
    (
        "it answers what is never asked, or sets what cannot be changed while attached",
        &[
            "connection-data",
            "logging-control",
            "rpc-reply",
            "set_deflate",
            "shell-reply",
            "ssl-upgrade",
            "udp-control",
        ],
    ),
];

/// `name` as a constant and why nobody has it, if servers send it and no subject has it.
pub fn find(name: &str) -> Option<(&'static str, &'static str)> {
    UNOWNED.iter().find_map(|(why, names)| Some((*names.iter().find(|known| **known == name)?, *why)))
}
