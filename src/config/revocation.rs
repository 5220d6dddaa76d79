//! The section `revocation`: how the revocation of certificates is reached.

use super::RevocationSettings;
use super::names::Names;
use super::reader::Value;
use crate::route::Route;

/// The word for the routes of the endpoints themselves.
pub(super) const SAME: &str = "same";

/// Why no route may have that name.
pub(super) const SAME_IS_TAKEN: &str =
    "`same` has a meaning of its own in `revocation`: choose another name";

/// Reads the section.
pub(super) fn read(value: &Value<'_>, routes: &Names<Route>) -> Option<RevocationSettings> {
    value.fields(|fields| {
        let route = fields.get("route");
        let named = route.filter(|value| value.text().is_some_and(|text| text != SAME));
        RevocationSettings {
            route: named.and_then(|value| routes.name(&value)),
        }
    })
}
