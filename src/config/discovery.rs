//! The section `discovery`: where targets come from that the file itself does not name.

mod read;
mod written;

use std::path::PathBuf;
use std::time::Duration;

pub(super) use read::read;
use url::Url;
pub(super) use written::written;

use super::Overrides;
use crate::endpoint::TlsSettings;
use crate::route::Secret;

/// Where targets come from that the file itself does not name.
#[derive(Debug, Clone, PartialEq)]
pub struct DiscoverySettings {
    /// Files of targets, in the format of Prometheus.
    pub file_sd: Vec<FileSource>,
    /// Servers of targets, in the format of Prometheus.
    pub http_sd: Vec<HttpSource>,
    /// The Microsoft 365 endpoints web service.
    pub m365: Option<M365Source>,
}

/// Files of targets.
#[derive(Debug, Clone, PartialEq)]
pub struct FileSource {
    /// Their path; the name of the file may have `*` and `?` in it.
    pub pattern: PathBuf,
    /// What holds for targets whose labels say nothing else.
    pub defaults: TargetDefaults,
}

/// A server of targets.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpSource {
    /// Unique among the servers; the label `source`.
    pub name: String,
    /// What is asked for.
    pub url: Url,
    /// How often.
    pub refresh_interval: Duration,
    /// Over which route, by name.
    pub route: String,
    /// As whom.
    pub login: Option<ServerLogin>,
    /// Whom to trust: the global settings, with its own on top.
    pub tls: TlsSettings,
    /// What holds for targets whose labels say nothing else.
    pub defaults: TargetDefaults,
}

/// As whom a server of targets is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum ServerLogin {
    /// Name and password (RFC 7617).
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A token (RFC 6750).
    Bearer(Secret),
}

/// What holds for targets whose labels say nothing else.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetDefaults {
    /// The label `service`.
    pub service: String,
    /// Whether they are critical, their routes, and their rhythm.
    pub overrides: Overrides,
}

/// The Microsoft 365 endpoints web service.
#[derive(Debug, Clone, PartialEq)]
pub struct M365Source {
    /// Which cloud's.
    pub instance: M365Instance,
    /// Of which services; `Common` comes with each.
    pub areas: Vec<M365Area>,
    /// Whether only what Microsoft calls required is taken.
    pub required_only: bool,
    /// Over which route it is asked, by name.
    pub route: String,
    /// Stands for `<tenant>` in the URLs.
    pub tenant: Option<String>,
    /// Where the service is: Microsoft's own, or a mirror.
    pub url: Url,
    /// What deviates from what the service says, and from the defaults.
    pub overrides: Overrides,
}

/// The clouds of Microsoft 365.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum M365Instance {
    /// All but the others.
    Worldwide,
    /// Operated by 21Vianet.
    China,
    /// The Department of Defense.
    UsGovDod,
    /// Government Community Cloud High.
    UsGovGccHigh,
}

/// The services that the endpoints are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum M365Area {
    /// What all others need.
    Common,
    /// Mail and calendars.
    Exchange,
    /// Files and sites.
    SharePoint,
    /// Teams.
    Skype,
}

// === impl DiscoverySettings ===

impl DiscoverySettings {
    /// Whether there is any source at all.
    #[must_use]
    pub fn names_any(&self) -> bool {
        !self.file_sd.is_empty() || !self.http_sd.is_empty() || self.m365.is_some()
    }
}

// === impl M365Instance ===

impl M365Instance {
    /// Every one.
    pub const ALL: [Self; 4] = [
        Self::Worldwide,
        Self::China,
        Self::UsGovDod,
        Self::UsGovGccHigh,
    ];

    /// The word of the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Worldwide => "worldwide",
            Self::China => "china",
            Self::UsGovDod => "usgovdod",
            Self::UsGovGccHigh => "usgovgcchigh",
        }
    }

    /// The word in the paths of the service.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Worldwide => "Worldwide",
            Self::China => "China",
            Self::UsGovDod => "USGovDoD",
            Self::UsGovGccHigh => "USGovGCCHigh",
        }
    }
}

// === impl M365Area ===

impl M365Area {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Common, Self::Exchange, Self::SharePoint, Self::Skype];

    /// The word of the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Common => "common",
            Self::Exchange => "exchange",
            Self::SharePoint => "sharepoint",
            Self::Skype => "skype",
        }
    }

    /// The word of the service.
    #[must_use]
    pub fn wire_name(self) -> &'static str {
        match self {
            Self::Common => "Common",
            Self::Exchange => "Exchange",
            Self::SharePoint => "SharePoint",
            Self::Skype => "Skype",
        }
    }
}
