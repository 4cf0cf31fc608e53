//! Tests of copy_budget.
