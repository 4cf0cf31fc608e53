//! Packs the fonts of the user interface, which are 670 kB of the program otherwise; `ui::fonts` unpacks them.

use std::io::{Error, Write as _};
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::ZlibEncoder;

fn main() -> Result<(), Error> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = PathBuf::from(std::env::var_os("OUT_DIR").ok_or(Error::other("no OUT_DIR"))?);
    let fonts = [
        ("Hack.z", epaint_default_fonts::HACK_REGULAR),
        ("Ubuntu-Light.z", epaint_default_fonts::UBUNTU_LIGHT),
    ];
    for (name, font) in fonts {
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
        packed.write_all(font)?;
        std::fs::write(folder.join(name), packed.finish()?)?;
    }
    Ok(())
}
