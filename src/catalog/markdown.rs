//! The catalog as Markdown: tables to put into a change request or a wiki.

mod list;
mod show;

pub use list::list_markdown;
pub use show::show_markdown;
