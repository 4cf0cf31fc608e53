#!/bin/sh
# Writes docs/options.md anew from the program's own definitions (tests/it/book/options.rs).
cd "$(dirname "$0")/.." && FARPANE_WRITE_DOCS=1 exec cargo --locked test --test it book::options
