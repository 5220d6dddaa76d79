//! Whether an endpoint can be spoken to as an override asks: of the catalog's endpoints only the plan knows what they
//! are. The user's own were looked at with the configuration.

use super::Builder;
use crate::config::{EndpointSettings, login_fault};
use crate::endpoint::Target;

impl Builder<'_> {
    pub(super) fn check_access(&mut self, settings: &EndpointSettings) {
        let EndpointSettings {
            endpoint,
            overrides,
            tls,
            ..
        } = settings;
        let target = &endpoint.target;
        let credentials = overrides.credentials.as_ref();
        if let Some(why) = credentials.and_then(|credentials| login_fault(credentials, target, tls))
        {
            self.problem(endpoint, &format!("has an `auth` that is no good: {why}"));
        }
        if overrides.pins.is_some() && !is_secured(target) {
            let what = "has `expect.certificate_sha256`, which means something only for https:// and tls://";
            self.problem(endpoint, what);
        }
        if overrides.tls.is_some() && matches!(target, Target::Tcp(_) | Target::Dns(_)) {
            let what = "has `tls`, which means something only for https://, http:// and tls://";
            self.problem(endpoint, what);
        }
    }
}

fn is_secured(target: &Target) -> bool {
    match target {
        Target::Http(url) => url.scheme() == "https",
        Target::Tls(_) => true,
        Target::Tcp(_) | Target::Dns(_) => false,
    }
}
