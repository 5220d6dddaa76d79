//! The functions that a proxy script may call. Those that need nothing but their arguments are written in JavaScript;
//! here is what needs the world outside: names, the clock, this machine's addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use ipnet::IpNet;
use rquickjs::{Ctx, Exception, Function, Object, Result};

use super::desk::Desk;
use super::text::Text;

/// No name is longer, nor is any address or prefix.
type Name = Text<255>;

/// Far more addresses than anybody sorts.
type List = Text<8192>;

/// The prelude hands on less.
type Message = Text<4096>;

/// Defines the functions; called once for each engine.
pub(super) fn install(ctx: &Ctx<'_>, desk: &Rc<Desk>) -> Result<()> {
    let native = Object::new(ctx.clone())?;
    let of_resolve = Rc::clone(desk);
    let resolve = move |ctx: Ctx<'_>, host: Name| {
        let found = of_resolve.resolve(host.or_empty());
        // Thrown, so that the script goes on as little as can be; if it catches this, it is stopped all the same.
        found
            .map(|addresses| texts(&addresses))
            .map_err(|_| Exception::throw_message(&ctx, "the run begins again"))
    };
    native.set("resolve", Function::new(ctx.clone(), resolve)?)?;
    let of_alert = Rc::clone(desk);
    let alert = move |message: Message| of_alert.alert(message.or_empty());
    native.set("alert", Function::new(ctx.clone(), alert)?)?;
    let own_addresses = || texts(&own_addresses());
    native.set("ownAddresses", Function::new(ctx.clone(), own_addresses)?)?;
    native.set("milliseconds", Function::new(ctx.clone(), milliseconds)?)?;
    let is_ipv4 = |text: Name| text.or_empty().parse::<Ipv4Addr>().is_ok();
    native.set("isIpv4", Function::new(ctx.clone(), is_ipv4)?)?;
    let is_address = |text: Name| text.or_empty().parse::<IpAddr>().is_ok();
    native.set("isAddress", Function::new(ctx.clone(), is_address)?)?;
    let is_in_prefix =
        |address: Name, prefix: Name| is_in_prefix(address.or_empty(), prefix.or_empty());
    native.set("isInPrefix", Function::new(ctx.clone(), is_in_prefix)?)?;
    let sorted = |list: List| sorted(list.or_empty());
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
