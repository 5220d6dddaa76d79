//! Kerberos as the operating system's library GSSAPI has it. It blocks while it asks the KDC, and takes the keytab and
//! the credential cache from the environment of the process: so only a process of its own calls it.

#[cfg(all(feature = "kerberos", unix))]
use libgssapi::{
    context::{ClientCtx, CtxFlags},
    credential::{Cred, CredUsage},
    error::Error,
    name::Name,
    oid::{
        GSS_MECH_KRB5, GSS_MECH_SPNEGO, GSS_NT_HOSTBASED_SERVICE, GSS_NT_KRB5_PRINCIPAL, Oid,
        OidSet,
    },
};

/// The command of reachd that makes tokens, line by line; for reachd itself.
pub const COMMAND: &str = "kerberos-tokens";

/// Whether this build can make tokens.
pub const IS_BUILT_IN: bool = cfg!(all(feature = "kerberos", unix));

/// Makes tokens of one identity.
#[derive(Debug)]
pub struct Tokens {
    principal: Option<String>,
}

impl Tokens {
    /// Of this principal, or of whom the credential cache belongs to.
    #[must_use]
    pub fn new(principal: Option<String>) -> Self {
        Self { principal }
    }
}

#[cfg(all(feature = "kerberos", unix))]
impl Tokens {
    /// The first token of SPNEGO for a service such as `HTTP@proxy.corp.example`.
    ///
    /// # Errors
    /// When there is no ticket, in the words of the library.
    pub fn first(&self, service: &str) -> Result<Vec<u8>, String> {
        // Asked for Kerberos itself, the library says what is wrong; SPNEGO says that it found nothing.
        let token = self
            .token(service, GSS_MECH_KRB5)
            .and_then(|_| self.token(service, GSS_MECH_SPNEGO));
        token
            .map_err(|error| error.to_string())?
            .ok_or_else(|| "the library made no token".to_owned())
    }

    fn token(&self, service: &str, mechanism: Oid<'static>) -> Result<Option<Vec<u8>>, Error> {
        let service = Name::new(service.as_bytes(), Some(GSS_NT_HOSTBASED_SERVICE))?;
        // Without a principal the library itself chooses, and is as lenient with a ticket as the KDC.
        let principal = self.principal.as_deref();
        let credential = principal
            .map(|principal| {
                let name = Name::new(principal.as_bytes(), Some(GSS_NT_KRB5_PRINCIPAL))?;
                let mechanisms = OidSet::singleton(mechanism)?;
                Cred::acquire(Some(&name), None, CredUsage::Initiate, Some(&mechanisms))
            })
            .transpose()?;
        let flags = CtxFlags::empty();
        let mut context = ClientCtx::new(credential, service, flags, Some(mechanism));
        let token = context.step(None, None)?;
        Ok(token.map(|token| token.to_vec()))
    }
}

#[cfg(not(all(feature = "kerberos", unix)))]
impl Tokens {
    /// Never, for this build has no library.
    ///
    /// # Errors
    /// Always.
    pub fn first(&self, service: &str) -> Result<Vec<u8>, String> {
        let whose = self.principal.as_deref().unwrap_or("anybody");
        Err(format!(
            "no ticket of {whose} for {service}: this build of reachd is without the feature `kerberos`"
        ))
    }
}
