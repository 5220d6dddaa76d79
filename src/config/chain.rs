//! `expect.chain` of an endpoint: who vouches for its certificate.

use super::reader::Value;
use super::scalars::{regex, word};
use super::yaml::Yaml;
use crate::endpoint::{ChainExpectation, ExpectedRoot, Fingerprint, Inspection, IssuerRule};

/// How the meaning of inspection is written.
pub(super) const INSPECTION: [(&str, Inspection); 2] = [
    ("unsupported", Inspection::Unsupported),
    ("tolerated", Inspection::Tolerated),
];

/// Reads the section.
pub(super) fn read(value: &Value<'_>) -> Option<ChainExpectation> {
    value.fields(|fields| {
        let says_who = fields.get("roots").is_some() || fields.get("issuers").is_some();
        let roots = fields.optional("roots", |value| value.filled_list(root));
        let issuers = fields.optional("issuers", |value| value.filled_list(issuer));
        let inspection = fields.optional("inspection", |value| word(value, &INSPECTION));
        if !says_who {
            return value.refuse("without `roots` or `issuers`, every chain is the expected one");
        }
        Some(ChainExpectation {
            roots: roots.unwrap_or_default().into(),
            issuers: issuers.unwrap_or_default(),
            // Whoever writes down who is to vouch wants to know when somebody else does.
            inspection: inspection.unwrap_or(Inspection::Unsupported),
        })
    })?
}

fn root(value: &Value<'_>) -> Option<ExpectedRoot> {
    match value.text()?.parse::<Fingerprint>() {
        Ok(sha256) => Some(ExpectedRoot {
            name: String::new(),
            sha256,
        }),
        Err(error) => value.refuse(error.to_string()),
    }
}

fn issuer(value: &Value<'_>) -> Option<IssuerRule> {
    regex(value).map(IssuerRule)
}

/// The section as it is written.
pub(super) fn written(chain: &ChainExpectation) -> Yaml {
    let roots = Yaml::texts(chain.roots.iter().map(|root| root.sha256.as_str()));
    let issuers = Yaml::texts(chain.issuers.iter().map(|issuer| issuer.0.as_str()));
    Yaml::mapping([
        ("roots", roots.if_any()),
        ("issuers", issuers.if_any()),
        ("inspection", Some(Yaml::text(chain.inspection.as_str()))),
    ])
}
