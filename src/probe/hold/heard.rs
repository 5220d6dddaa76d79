//! What a peer says on a connection on which it was asked nothing, or before it answers.

/// How much of it is told, in characters.
const MOST_TOLD: usize = 80;

/// How much of it is kept for that, in bytes: no character takes more than four.
const MOST_KEPT: usize = 4 * MOST_TOLD;

/// Who says more is not listened to any further, in bytes. A greeting and a word now and then for an hour are far
/// below it.
const MOST_HEARD: usize = 4 * 1024 * 1024;

/// What was said so far.
#[derive(Debug, Default)]
pub(super) struct Heard {
    beginning: Vec<u8>,
    length: usize,
}

impl Heard {
    /// Adds a piece. It is read and, beyond its beginning, forgotten, so that nothing old is taken for news.
    pub(super) fn add(&mut self, piece: &[u8]) {
        let room = MOST_KEPT.saturating_sub(self.beginning.len());
        let kept = &piece[..piece.len().min(room)];
        self.beginning.extend_from_slice(kept);
        self.length = self.length.saturating_add(piece.len());
    }

    /// Whether it is more than anybody should say.
    pub(super) fn is_too_much(&self) -> bool {
        self.length > MOST_HEARD
    }

    /// Its first line, as far as it can be told.
    pub(super) fn first_line(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.beginning);
        let line = text.lines().next()?.trim();
        Some(line.chars().take(MOST_TOLD).collect())
    }
}
