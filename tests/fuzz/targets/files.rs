//! Files of others: session files, configuration files, recordings.

use std::path::Path;

use farpane::buffers::BufferPool;
use farpane::channel::clock;
use farpane::config::{Layer, SessionFile, file};
use farpane::recording::{Reader, Writer};

use super::Input;

/// A session file is kept as it is; what is changed in it is found again, and leads where it should.
pub fn session_file(bytes: &[u8]) {
    let file = SessionFile::from_bytes(bytes);
    let text = file.to_text();
    assert_eq!(*SessionFile::parse(&text).to_text(), *text);
    let problems = file.problems();
    for own in [true, false] {
        let request = file.request(own);
        assert_eq!(request.is_ok(), problems.is_empty(), "{problems:?}");
    }
    if let Ok(request) = file.request(true) {
        let mut changed = file.clone();
        if changed.update(&request.target, &request.options).is_ok() {
            let read = SessionFile::parse(&changed.to_text());
            let again =
                read.request(true).unwrap_or_else(|error| panic!("{error}: {:?}", *changed.to_text()));
            assert_eq!(again.target.endpoint, request.target.endpoint, "{:?}", *changed.to_text());
        }
    }
    let mut changed = file;
    if changed.set("host", "elsewhere").is_ok() {
        let read = SessionFile::parse(&changed.to_text());
        assert_eq!(read.value("host"), Some("elsewhere"), "{:?}", *changed.to_text());
    }
    changed.forget_passwords();
    let read = SessionFile::parse(&changed.to_text());
    assert!(read.password().is_none_or(|password| password.expose().is_empty()));
}

/// A configuration file is understood or refused; what was understood is shown as a file that says the same.
pub fn configuration_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(layer) = file::parse(&text, Path::new("farpane.toml")) {
        let read = |layer: &Layer| {
            let shown = file::shown(layer);
            file::parse(&shown, Path::new("farpane.toml")).unwrap_or_else(|error| panic!("{error}: {shown}"))
        };
        let values = |layer: &Layer| -> Vec<_> {
            layer.values().map(|(name, value)| (name.to_owned(), value.text.clone())).collect()
        };
        // What is shown has one form for each value: once it was taken, nothing changes any more.
        let again = read(&layer);
        assert_eq!(values(&again).len(), values(&layer).len());
        assert_eq!(values(&read(&again)), values(&again));
    }
}

/// A recording is read up to where it is damaged; what was read is written, and read again to the same.
///
/// Checksums keep almost all inputs from being read further than they go: they are put right first.
pub fn recording(bytes: &[u8]) {
    let mut input = Input(bytes);
    let file = if input.u8() & 1 == 1 { with_checksums(input.0) } else { input.0.to_vec() };
    let zero = clock::now();
    let Ok(mut reader) = Reader::new(&file[..], BufferPool::default()) else { return };
    let mut writer = Writer::new(Vec::new(), reader.start().clone()).expect("memory");
    let mut packets = Vec::new();
    while let Ok(Some(packet)) = reader.next(zero) {
        writer.packet(&packet.raw.lend()).expect("memory");
        packets.push(packet);
    }
    assert!(reader.position() <= file.len() as u64);
    let written = writer.finish().expect("memory");
    let mut again = Reader::new(&written[..], BufferPool::default()).expect("what was written here");
    assert_eq!(again.start(), reader.start());
    for packet in &packets {
        let read = again.next(zero).expect("what was written here").expect("as many packets");
        assert_eq!((&read.raw.main, &read.raw.chunks), (&packet.raw.main, &packet.raw.chunks));
    }
    assert!(again.next(zero).expect("what was written here").is_none());
}

/// The recording with the checksum of its start and of each entry as they should be, as far as lengths lead.
fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    const BEFORE_FACTS: usize = 14;
    let mut file = bytes.to_vec();
    let Some(len) =
        bytes.get(10..BEFORE_FACTS).and_then(|len| Some(u32::from_le_bytes(len.try_into().ok()?)))
    else {
        return file;
    };
    let mut end = BEFORE_FACTS.saturating_add(len as usize);
    let mut begin = 0;
    while let Some(part) = bytes.get(begin..end) {
        let checksum = crc32fast::hash(part).to_le_bytes();
        let Some(place) = file.get_mut(end..end + 4) else { break };
        place.copy_from_slice(&checksum);
        begin = end + 4;
        let mut rest = Input(bytes.get(begin..).unwrap_or_default());
        varint(&mut rest);
        let len = varint(&mut rest);
        end = (bytes.len() - rest.0.len()).saturating_add(len);
        if begin >= bytes.len() {
            break;
        }
    }
    file
}

fn varint(input: &mut Input<'_>) -> usize {
    let mut value = 0_usize;
    for shift in (0..63).step_by(7) {
        let byte = input.u8();
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}
