//! The names that scripts ask for. Whoever asks for one that is being looked up waits for the same answer; nothing is
//! kept beyond that.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch::{Receiver, channel};
use tokio::time::{Instant, timeout_at};

use crate::outcome::{DnsReason, FailureReason, Observed, Peer};
use crate::probe::dns::{Resolver, is_name};

/// The addresses; none for a name that there is not. Or why nobody can tell.
pub(super) type Found = Result<Vec<IpAddr>, &'static str>;

/// The look-ups that are under way.
#[derive(Debug, Default)]
pub(super) struct LookUps(Arc<Mutex<UnderWay>>);

type UnderWay = HashMap<String, Receiver<Option<Found>>>;

impl LookUps {
    /// The addresses of a name.
    pub(super) async fn addresses(
        &self,
        name: &str,
        resolver: &Arc<Resolver>,
        deadline: Instant,
    ) -> Found {
        let late = || Err(DnsReason::Timeout.as_str());
        if !is_name(name) {
            return Ok(Vec::new());
        }
        loop {
            let (mut answer, is_own) = self.join(name, resolver, deadline);
            let found = timeout_at(deadline, answer.wait_for(Option::is_some)).await;
            let Ok(Ok(found)) = found else {
                return late();
            };
            let found = found.clone().unwrap_or_else(late);
            // Another's time may have been shorter.
            if is_own || found != late() || deadline <= Instant::now() {
                return found;
            }
        }
    }

    fn join(
        &self,
        name: &str,
        resolver: &Arc<Resolver>,
        deadline: Instant,
    ) -> (Receiver<Option<Found>>, bool) {
        let mut under_way = lock(&self.0);
        if let Some(answer) = under_way.get(name) {
            return (answer.clone(), false);
        }
        let (tell, answer) = channel(None);
        under_way.insert(name.to_owned(), answer.clone());
        let (name, resolver, all) = (name.to_owned(), Arc::clone(resolver), Arc::clone(&self.0));
        tokio::spawn(async move {
            let found = look_up(&name, &resolver, deadline).await;
            lock(&all).remove(&name);
            tell.send(Some(found)).ok();
        });
        (answer, true)
    }
}

fn lock(under_way: &Mutex<UnderWay>) -> MutexGuard<'_, UnderWay> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn look_up(name: &str, resolver: &Resolver, deadline: Instant) -> Found {
    let mut unseen = Observed::default();
    let asked = resolver.addresses(name, Peer::Proxy, deadline, &mut unseen);
    let failure = match timeout_at(deadline, asked).await {
        Ok(Ok(addresses)) => return Ok(addresses),
        Ok(Err(failure)) => failure,
        Err(_) => return Err(DnsReason::Timeout.as_str()),
    };
    match failure.reason {
        FailureReason::Dns(DnsReason::NxDomain | DnsReason::NoAddress) => Ok(Vec::new()),
        FailureReason::Dns(reason) => Err(reason.as_str()),
        _ => Err(DnsReason::NetworkError.as_str()),
    }
}
