//! Layer 2 (3 for app): see DESIGN.
