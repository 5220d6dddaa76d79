//! reachd answers all day one question: is every required internet endpoint reachable, by every way out,
//! and if not, which hop is at fault and what should be done?

pub mod app;
pub mod catalog;
pub mod config;
pub mod endpoint;
pub mod explain;
pub mod history;
pub mod metrics;
pub mod observer;
pub mod outcome;
pub mod plan;
pub mod platform;
pub mod probe;
pub mod report;
pub mod route;
pub mod scheduler;
pub mod server;
