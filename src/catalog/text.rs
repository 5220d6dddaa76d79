//! The catalog for a person at a terminal.

mod list;
mod show;

pub use list::list_text;
pub(super) use list::{from, in_cloud};
pub(super) use show::facts;
pub use show::show_text;
