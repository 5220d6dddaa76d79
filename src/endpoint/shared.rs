//! What many have alike, kept once: thousands of endpoints expect the same, ask the same resolver and trust the same.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A value that is shared until somebody changes it.
#[derive(Debug, Default)]
pub struct Shared<T>(Arc<T>);

/// Values of which each is kept once, as far as that is quickly found out.
#[derive(Debug)]
pub struct Pool<T>(Vec<Shared<T>>);

/// Among more different values it is not looked: who has so many has few that are alike.
const MOST_KNOWN: usize = 32;

// === impl Shared ===

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

// === impl Pool ===

impl<T: PartialEq> Pool<T> {
    /// The value as it is kept already, or else from now on.
    pub fn keep(&mut self, value: impl Into<Shared<T>>) -> Shared<T> {
        let value = value.into();
        if let Some(known) = self.0.iter().find(|known| **known == value) {
            return known.clone();
        }
        if self.0.len() < MOST_KNOWN {
            self.0.push(value.clone());
        }
        value
    }
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alike_is_kept_once_until_it_is_changed() {
        let mut pool = Pool::default();
        let one = pool.keep("same".to_owned());
        let mut other = pool.keep("same".to_owned());
        assert!(Arc::ptr_eq(&one.0, &other.0));
        other.push('!');
        assert_eq!((one.as_str(), other.as_str()), ("same", "same!"));
        assert_ne!(one, other);
    }

    #[test]
    fn what_is_never_alike_is_not_looked_for() {
        let mut pool = Pool::default();
        for number in 0..2 * MOST_KNOWN {
            pool.keep(number);
        }
        assert_eq!(pool.0.len(), MOST_KNOWN);
    }
}
