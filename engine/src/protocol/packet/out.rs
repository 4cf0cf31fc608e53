//! A packet that is being written: its name in the peer's spelling, then its arguments.

use super::encode::Encoder;
use super::names::{self, Alias, Naming};
use super::{Value, WindowId};

/// Where the packets of one subject are written to.
#[derive(Debug)]
pub struct Out<'a, 'b> {
    pub naming: Naming,
    /// The subject's names in this direction.
    aliases: &'static [Alias],
    encoder: &'a mut Encoder<'b>,
}

impl<'a, 'b> Out<'a, 'b> {
    /// To `encoder`, for a peer that spells packets like this.
    pub fn new(naming: Naming, encoder: &'a mut Encoder<'b>) -> Self {
        Self { naming, aliases: &[], encoder }
    }

    /// From now on, packets of the subject that has these names.
    pub fn names(&mut self, aliases: &'static [Alias]) -> &mut Self {
        self.aliases = aliases;
        self
    }

    /// Whether the peer knows none but legacy names and shapes.
    pub fn is_legacy(&self) -> bool {
        self.naming == Naming::Legacy
    }

    /// A packet by its modern name, with `count` arguments, which `fill` adds.
    pub fn packet(&mut self, modern: &'static str, count: usize, fill: impl FnOnce(&mut Encoder<'_>)) {
        self.named(names::spelled(self.aliases, modern, self.naming), count, fill);
    }

    /// A packet with just this name.
    pub fn named(&mut self, name: &str, count: usize, fill: impl FnOnce(&mut Encoder<'_>)) {
        self.encoder.list(count + 1, |packet| {
            packet.str(name);
            fill(packet);
        });
    }

    /// A packet that says nothing but a window.
    pub fn window(&mut self, modern: &'static str, wid: WindowId) {
        self.packet(modern, 1, |args| args.uint(wid.0));
    }

    /// A packet of integers.
    pub fn ints(&mut self, modern: &'static str, values: &[i64]) {
        self.packet(modern, values.len(), |args| args.ints_bare(values));
    }

    /// A packet of a text and any values.
    pub fn texts(&mut self, modern: &'static str, text: &str, values: &[Value]) {
        self.packet(modern, 1 + values.len(), |args| {
            args.str(text);
            values.iter().for_each(|value| args.value(value));
        });
    }
}

impl Encoder<'_> {
    /// A window or, for none, 0.
    pub fn window(&mut self, wid: Option<WindowId>) {
        self.uint(wid.map_or(0, |wid| wid.0));
    }

    /// A width or height: windows are at most 65535 pixels wide and high.
    pub fn size(&mut self, value: u32) {
        self.int(size(value));
    }
}

/// A width or height as servers take it: 16 bits.
pub fn size(value: u32) -> i64 {
    i64::from(value.min(u32::from(u16::MAX)))
}

/// A position as servers take it: 16 bits, with a sign.
pub fn position(value: i32) -> i64 {
    i64::from(value.clamp(i32::from(i16::MIN), i32::from(i16::MAX)))
}
