//! The web configuration at work: TLS, logins, headers and the rate limit, each as the files say at this time. Files
//! are read anew when they changed. A file that has become bad lets nobody in until it is mended.

mod clients;
mod gate;
mod in_force;
mod keeper;
mod limit;
mod login;
mod tls;

pub(super) use self::gate::{guard, with_configured_headers};
pub(super) use self::keeper::Keeper;
pub use self::keeper::WebFile;
#[cfg(any(test, fuzzing))]
pub(super) use self::login::credentials;
pub(super) use self::tls::H2;
