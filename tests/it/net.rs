//! Tests of net.
