//! Text that leaves the engine: bounded before it is copied, and made Unicode where it is none.

use rquickjs::{Ctx, FromJs, Function, Result, String as JsString, Value};

/// JavaScript may hold halves of characters, for which UTF-8 has no place.
const WELL_FORMED: &str = "(text) => text.toWellFormed()";

/// An argument of at most so many bytes; `None` for a longer one.
pub(super) struct Text<const MOST: usize>(pub(super) Option<String>);

impl<'js, const MOST: usize> FromJs<'js> for Text<MOST> {
    fn from_js(_: &Ctx<'js>, value: Value<'js>) -> Result<Self> {
        bounded_text(&JsString::from_value(value)?, MOST).map(Self)
    }
}

impl<const MOST: usize> Text<MOST> {
    /// What is too long is the same as nothing where it is none of what is looked for anyway.
    pub(super) fn or_empty(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

/// The text, if it is no longer than that. The engine's own copy counts to the memory that the script may take.
pub(super) fn bounded_text(text: &JsString<'_>, most: usize) -> Result<Option<String>> {
    if text.clone().to_cstring()?.len() > most {
        return Ok(None);
    }
    if let Ok(text) = text.to_string() {
        return Ok(Some(text));
    }
    let well_formed: Function<'_> = text.ctx().eval(WELL_FORMED)?;
    let text: JsString<'_> = well_formed.call((text.clone(),))?;
    text.to_string().map(Some)
}
