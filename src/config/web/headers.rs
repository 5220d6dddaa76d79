//! `headers`: the few that the exporters allow.

use crate::config::reader::Value;
use crate::config::scalars::word;

const CONTENT_SECURITY_POLICY: &str = "Content-Security-Policy";
const FRAME_OPTIONS: &str = "X-Frame-Options";
const CONTENT_TYPE_OPTIONS: &str = "X-Content-Type-Options";
const XSS_PROTECTION: &str = "X-XSS-Protection";
const TRANSPORT_SECURITY: &str = "Strict-Transport-Security";

/// In the order in which they are sent.
pub(super) fn read(value: &Value<'_>) -> Option<Vec<(&'static str, String)>> {
    value.fields(|fields| {
        let headers = [
            (
                CONTENT_SECURITY_POLICY,
                fields.optional(CONTENT_SECURITY_POLICY, text),
            ),
            (
                FRAME_OPTIONS,
                fields.optional(FRAME_OPTIONS, |value| {
                    one_of(value, &["deny", "sameorigin"])
                }),
            ),
            (
                CONTENT_TYPE_OPTIONS,
                fields.optional(CONTENT_TYPE_OPTIONS, |value| one_of(value, &["nosniff"])),
            ),
            (XSS_PROTECTION, fields.optional(XSS_PROTECTION, text)),
            (
                TRANSPORT_SECURITY,
                fields.optional(TRANSPORT_SECURITY, text),
            ),
        ];
        let present = headers.into_iter();
        present
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    })
}

/// Blank counts as absent, as it does for the exporters.
fn one_of(value: &Value<'_>, words: &[&'static str]) -> Option<String> {
    if value.written()?.is_empty() {
        return None;
    }
    let words: Vec<_> = words.iter().map(|word| (*word, *word)).collect();
    word(value, &words).map(str::to_owned)
}

fn text(value: &Value<'_>) -> Option<String> {
    let text = value.written()?;
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return (!text.is_empty()).then(|| text.to_owned());
    }
    value.refuse("a header's value is one line of ASCII")
}
