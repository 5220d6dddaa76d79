//! The functions that a proxy script may call. Those that need nothing but their arguments are written in JavaScript;
//! here is what needs the world outside: names, the clock, this machine's addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use ipnet::IpNet;
use rquickjs::{Ctx, Function, Object, Result};

use super::desk::Desk;

/// Defines the functions; called once for each engine.
pub(super) fn install(ctx: &Ctx<'_>, desk: &Rc<Desk>) -> Result<()> {
    let native = Object::new(ctx.clone())?;
    let of_resolve = Rc::clone(desk);
    let resolve = move |host: String| texts(&of_resolve.resolve(&host));
    native.set("resolve", Function::new(ctx.clone(), resolve)?)?;
    let of_alert = Rc::clone(desk);
    let alert = move |message: String| of_alert.alert(&message);
    native.set("alert", Function::new(ctx.clone(), alert)?)?;
    let own_addresses = || texts(&own_addresses());
    native.set("ownAddresses", Function::new(ctx.clone(), own_addresses)?)?;
    native.set("milliseconds", Function::new(ctx.clone(), milliseconds)?)?;
    let is_ipv4 = |text: String| text.parse::<Ipv4Addr>().is_ok();
    native.set("isIpv4", Function::new(ctx.clone(), is_ipv4)?)?;
    let is_address = |text: String| text.parse::<IpAddr>().is_ok();
    native.set("isAddress", Function::new(ctx.clone(), is_address)?)?;
    let is_in_prefix = |address: String, prefix: String| is_in_prefix(&address, &prefix);
    native.set("isInPrefix", Function::new(ctx.clone(), is_in_prefix)?)?;
    let sorted = |list: String| sorted(&list);
    native.set("sorted", Function::new(ctx.clone(), sorted)?)?;
    let prelude: Function<'_> = ctx.eval(include_str!("prelude.js"))?;
    prelude.call((native,))
}

fn texts(addresses: &[IpAddr]) -> Vec<String> {
    addresses.iter().map(ToString::to_string).collect()
}

/// The addresses from which this machine goes out. Connecting a datagram socket looks up the route and sends
/// nothing.
fn own_addresses() -> Vec<IpAddr> {
    let outside: [(IpAddr, IpAddr); 2] = [
        (
            Ipv4Addr::UNSPECIFIED.into(),
            Ipv4Addr::new(8, 8, 8, 8).into(),
        ),
        (
            Ipv6Addr::UNSPECIFIED.into(),
            Ipv6Addr::new(0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8888).into(),
        ),
    ];
    let own = outside.into_iter().filter_map(|(from, to)| {
        let socket = UdpSocket::bind((from, 0)).ok()?;
        socket.connect(SocketAddr::new(to, 53)).ok()?;
        Some(socket.local_addr().ok()?.ip())
    });
    own.collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of this era fit into the 53 bits of JavaScript's numbers"
)]
fn milliseconds() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_millis() as f64
}

fn is_in_prefix(address: &str, prefix: &str) -> bool {
    let (address, prefix) = (address.parse::<IpAddr>(), prefix.parse::<IpNet>());
    matches!((address, prefix), (Ok(address), Ok(prefix)) if prefix.contains(&address))
}

/// IPv6 addresses come before those of IPv4, as Microsoft has it.
fn sorted(list: &str) -> Option<String> {
    let addresses = list.split(';').map(|part| part.trim().parse());
    let mut addresses: Vec<IpAddr> = addresses.collect::<std::result::Result<_, _>>().ok()?;
    addresses.sort_by_key(|address| (address.is_ipv4(), *address));
    Some(texts(&addresses).join(";"))
}
