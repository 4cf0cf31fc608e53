//! Where Farpane uses no store of passwords of the desktop's.

use std::thread::JoinHandle;

use super::purpose::{Found, Purpose};
use crate::session::Secret;

/// Finds no store.
///
/// # Errors
/// Always.
pub fn look_up(
    _purpose: Purpose,
    _tell: impl FnOnce(Found) + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Keeps nothing.
///
/// # Errors
/// Always.
pub fn keep(
    _purpose: Purpose,
    _password: Secret,
    _tell: impl FnOnce(Result<(), String>) + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Has nothing to forget.
///
/// # Errors
/// Always.
pub fn forget(_purpose: Purpose) -> std::io::Result<JoinHandle<()>> {
    Err(std::io::ErrorKind::Unsupported.into())
}
