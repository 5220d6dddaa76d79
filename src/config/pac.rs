//! The mapping `pac` of a proxy: where its script is kept, and how its answers are used.

use std::ops::RangeInclusive;
use std::time::Duration;

use url::Url;

use super::files::{path, read_bounded};
use super::reader::Value;
use super::scalars::{boolean, duration};
use super::target::target;
use crate::endpoint::Target;
use crate::route::PacSource;

/// The longest script; WinHTTP takes no more either.
const MAX_SCRIPT_BYTES: u64 = 1 << 20;

/// How long a script may be kept.
const REFRESHES: RangeInclusive<Duration> =
    Duration::from_secs(10)..=Duration::from_secs(24 * 60 * 60);

/// How long it is kept where nothing is said.
pub(super) const REFRESH: Duration = Duration::from_secs(600);

/// What the mapping says.
pub(super) struct Script {
    pub(super) source: PacSource,
    pub(super) failover: bool,
}

/// Reads the mapping.
pub(super) fn read(value: &Value<'_>) -> Option<Script> {
    value.fields(|fields| {
        let failover = fields.optional("failover", boolean);
        let (of_url, of_file) = (fields.get("url"), fields.get("file"));
        let source = match (of_url, of_file) {
            (Some(value), None) => {
                let refresh = fields.optional("refresh", |value| duration(value, &REFRESHES));
                let refresh = refresh.unwrap_or(REFRESH);
                url(&value).map(|url| PacSource::Url { url, refresh })
            }
            (None, Some(value)) => {
                let why = "means something only with `url`: a file is read anew when it changes";
                fields.meaningless("refresh", why);
                file(&value)
            }
            (Some(_), Some(_)) => {
                fields.known(["refresh"]);
                fields
                    .whole()
                    .refuse("a script has either a `url` or a `file`, not both")
            }
            (None, None) => {
                fields.known(["refresh"]);
                fields.whole().refuse("`url` or `file` is missing")
            }
        };
        Some(Script {
            source: source?,
            failover: failover.unwrap_or_default(),
        })
    })?
}

/// Never shows the URL: whoever writes a password into it shall not find it in a log.
fn url(value: &Value<'_>) -> Option<Url> {
    match target(&value.text()?) {
        Ok(Target::Http(url)) => Some(url),
        Ok(_) => value.refuse("the URL of a script begins with http:// or https://"),
        Err(error) => value.refuse(error.to_string()),
    }
}

fn file(value: &Value<'_>) -> Option<PacSource> {
    let path = path(value)?;
    match read_bounded(&path, MAX_SCRIPT_BYTES) {
        Ok(_) => Some(PacSource::File(path)),
        Err(why) => value.refuse(why),
    }
}
