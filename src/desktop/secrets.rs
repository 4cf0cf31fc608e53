//! The desktop's own store of passwords: the Secret Service (`org.freedesktop.secrets`) on the session's bus, where GNOME's
//! keyring, KWallet and others answer.
//!
//! Each call runs in a thread of its own and comes to an end within [`PATIENCE`], whatever the service does; what it came to
//! is told there. Passwords pass the bus enciphered with a key of this session's.

use std::collections::HashMap;
use std::thread::JoinHandle;
use std::time::Duration;

use secret_service::{EncryptionType, Error, Item, SecretService};
use zeroize::Zeroizing;

use super::purpose::{Found, Purpose};
use crate::session::Secret;

/// How long the service may take to answer, without what it asks the user.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the user may take to unlock the store.
const UNLOCKING: Duration = Duration::from_secs(60);
/// A longer one is none of ours, in bytes.
const MAX_PASSWORD: usize = 64 << 10;
/// What is kept, in the service's words.
const CONTENT: &str = "text/plain; charset=utf8";

impl Purpose {
    /// What the store finds it by; `number` is ours as text.
    fn attributes<'a>(&'a self, number: &'a str) -> HashMap<&'a str, &'a str> {
        let Self { server, user, .. } = self;
        HashMap::from([("application", "farpane"), ("server", server), ("user", user), ("number", number)])
    }
}

/// Looks for a password. If the store is locked, its owner asks the user to unlock it.
///
/// # Errors
/// If there is no thread.
pub fn look_up(
    purpose: Purpose,
    tell: impl FnOnce(Found) + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    in_thread(PATIENCE + UNLOCKING, async move { find(&purpose).await }, move |found| {
        tell(found.unwrap_or_else(|why| {
            tracing::debug!(why, "the desktop's store of passwords cannot be used");
            Found::NoStore
        }));
    })
}

/// Keeps a password, in the place of an earlier one. `tell` hears why not.
///
/// # Errors
/// If there is no thread.
pub fn keep(
    purpose: Purpose,
    password: Secret,
    tell: impl FnOnce(Result<(), String>) + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    let keep = async move {
        let service = connect().await?;
        let collection = answer(service.get_default_collection()).await?;
        if answer(collection.is_locked()).await? {
            collection.unlock().await.map_err(words)?;
        }
        let label = format!("Farpane: {}", purpose.server);
        let secret = password.expose().as_bytes();
        let number = purpose.number.to_string();
        let attributes = purpose.attributes(&number);
        let item = collection.create_item(&label, attributes, secret, true, CONTENT);
        item.await.map(drop).map_err(words)
    };
    in_thread(PATIENCE + UNLOCKING, keep, tell)
}

/// Forgets a password.
///
/// # Errors
/// If there is no thread.
pub fn forget(purpose: Purpose) -> std::io::Result<JoinHandle<()>> {
    let forget = async move {
        let service = connect().await?;
        let number = purpose.number.to_string();
        let items = answer(service.search_items(purpose.attributes(&number))).await?;
        for item in items.unlocked {
            answer(item.delete()).await?;
        }
        Ok(())
    };
    in_thread(PATIENCE, forget, |forgotten| {
        if let Err(why) = forgotten {
            tracing::warn!(why, "a password that the server refused is still in the desktop's store");
        }
    })
}

async fn find(purpose: &Purpose) -> Result<Found, String> {
    let service = connect().await?;
    let number = purpose.number.to_string();
    let items = answer(service.search_items(purpose.attributes(&number))).await?;
    let item = match (items.unlocked.first(), items.locked.first()) {
        (Some(item), _) => item,
        (None, Some(item)) => {
            // Who does not unlock it is asked for the password.
            if item.unlock().await.is_err() {
                return Ok(Found::Nothing);
            }
            item
        }
        (None, None) => return Ok(Found::Nothing),
    };
    password(item).await
}

async fn password(item: &Item<'_>) -> Result<Found, String> {
    let bytes = Zeroizing::new(answer(item.get_secret()).await?);
    let text = std::str::from_utf8(&bytes).ok();
    let text = text.filter(|text| !text.is_empty() && text.len() <= MAX_PASSWORD);
    Ok(text.map_or(Found::Nothing, |text| Found::Password(Secret::new(text.to_owned()))))
}

async fn connect() -> Result<SecretService<'static>, String> {
    answer(SecretService::connect(EncryptionType::Dh)).await
}

/// What the service answers in time.
async fn answer<T>(asked: impl Future<Output = Result<T, Error>>) -> Result<T, String> {
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(answer) => answer.map_err(words),
        Err(_) => Err(format!("it does not answer within {} s", PATIENCE.as_secs())),
    }
}

fn words(error: Error) -> String {
    error.to_string()
}

fn in_thread<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, String>> + Send + 'static,
    tell: impl FnOnce(Result<T, String>) + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let run = move || {
        let limited = async { tokio::time::timeout(limit, work).await };
        let done = runtime.block_on(limited);
        tell(done.unwrap_or_else(|_| Err(format!("it does not answer within {} s", limit.as_secs()))));
    };
    std::thread::Builder::new().name("farpane-secrets".to_owned()).spawn(run)
}
