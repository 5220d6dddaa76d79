//! The section `routes`: which ways out an endpoint is probed over, and routes beyond `direct` and the proxies.

use super::names::Names;
use super::reader::Value;
use super::revocation::{SAME, SAME_IS_TAKEN};
use super::scalars;
use crate::endpoint::ResolverSettings;
use crate::route::{Route, Way};

/// Every route by name, and those of an endpoint that names none.
pub(super) struct Routes {
    pub(super) all: Names<Route>,
    pub(super) default: Vec<String>,
}

/// Reads the section, or makes up what it means that there is none.
pub(super) fn read(
    value: Option<&Value<'_>>,
    proxies: Names<Way>,
    resolvers: &Names<ResolverSettings>,
) -> Routes {
    let mut all = Names::new("route");
    all.declare("direct", Some(Route::direct()));
    let mut of_proxies = Vec::new();
    for (name, way) in proxies.into_declared() {
        of_proxies.push(name.clone());
        let route = way.map(|way| Route {
            name: name.clone(),
            way,
            resolver: None,
        });
        all.declare(name, route);
    }
    let default = match value {
        Some(value) => listed(value, &mut all, resolvers),
        None if of_proxies.is_empty() => vec!["direct".to_owned()],
        None => of_proxies,
    };
    Routes { all, default }
}

fn listed(
    value: &Value<'_>,
    all: &mut Names<Route>,
    resolvers: &Names<ResolverSettings>,
) -> Vec<String> {
    let names = value.filled_list(|item| {
        if item.is_mapping() {
            defined(item, all, resolvers)
        } else {
            all.name(item)
        }
    });
    names.unwrap_or_default()
}

/// `{name: corp-quad9, via: corp, resolver: quad9}`
fn defined(
    value: &Value<'_>,
    all: &mut Names<Route>,
    resolvers: &Names<ResolverSettings>,
) -> Option<String> {
    value.fields(|fields| {
        let name = fields.required("name", |value| {
            let name = scalars::name(value)?;
            if name == SAME {
                return value.refuse(SAME_IS_TAKEN);
            }
            if all.has(&name) {
                return value.refuse(format!("there is already a route named {}", value.shown()));
            }
            Some(name)
        });
        let way = fields.required("via", |value| all.find(value).map(|via| via.way.clone()));
        let resolver = fields.required("resolver", |value| resolvers.find(value).cloned());
        let name = name?;
        let route = way.zip(resolver).map(|(way, resolver)| Route {
            name: name.clone(),
            way,
            resolver: Some(resolver),
        });
        all.declare(name.clone(), route);
        Some(name)
    })?
}
