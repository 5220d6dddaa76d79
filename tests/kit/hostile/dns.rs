//! Name servers that mean harm, over UDP, TCP, TLS and HTTPS. The first label of the name that is asked for is the fault.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;

use super::dns_messages::Question;
use super::tls::{Identity, greeted, secured};
use super::{for_ever, h2, named, trickle, until_closed};
use crate::kit::faults::serve;

/// What is answered over UDP, and by whom.
#[derive(Clone, Copy)]
enum Datagram {
    Answer(fn(&Question) -> Vec<u8>),
    /// By somebody else.
    FromElsewhere(fn(&Question) -> Vec<u8>),
    /// Again and again.
    Flood(fn(&Question) -> Vec<u8>),
}

type Stream = fn(&mut dyn Duplex, &Question) -> io::Result<()>;

/// What can be read and written: TCP, or TLS over it.
trait Duplex: Read + Write {}

impl<S: Read + Write> Duplex for S {}

/// How many datagrams are a flood.
const FLOOD: usize = 20_000;

const DATAGRAMS: [(&str, Datagram); 19] = [
    (
        "wrong-id",
        Datagram::Answer(|it| it.with_id(it.id ^ 1).address()),
    ),
    (
        "wrong-id-flood",
        Datagram::Flood(|it| it.with_id(it.id ^ 1).address()),
    ),
    (
        "wrong-question",
        Datagram::Answer(|it| it.named("elsewhere.test").address()),
    ),
    ("no-question", Datagram::Answer(Question::without_question)),
    ("other-address", Datagram::FromElsewhere(Question::address)),
    (
        "other-name",
        Datagram::Answer(|it| it.address_of("elsewhere.test")),
    ),
    (
        "other-name-after-alias",
        Datagram::Answer(|it| it.alias_and_address("elsewhere.test", "nowhere.test")),
    ),
    (
        "alias-to-itself",
        Datagram::Answer(Question::alias_to_itself),
    ),
    ("alias-loop", Datagram::Answer(Question::alias_loop)),
    ("alias-chain", Datagram::Answer(|it| it.alias_chain(20))),
    ("pointer-loop", Datagram::Answer(Question::pointer_loop)),
    ("pointer-ahead", Datagram::Answer(Question::pointer_ahead)),
    (
        "cut-off",
        Datagram::Answer(|it| {
            let whole = it.address();
            whole[..whole.len() - 3].to_vec()
        }),
    ),
    ("claims-more", Datagram::Answer(Question::claims_more)),
    ("tiny", Datagram::Answer(|it| it.id.to_be_bytes().to_vec())),
    ("question-only", Datagram::Answer(Question::echo)),
    // Over TCP, after they were truncated
    ("many-addresses", Datagram::Answer(Question::truncated)),
    ("long-text", Datagram::Answer(Question::truncated)),
    ("long-alias-chain", Datagram::Answer(Question::truncated)),
];

const STREAMS: [(&str, Stream); 14] = [
    ("many-addresses", |it, question| {
        it.write_all(&framed(&question.addresses(4000)))
    }),
    ("long-text", |it, question| {
        it.write_all(&framed(&question.text(60_000)))
    }),
    ("long-alias-chain", |it, question| {
        it.write_all(&framed(&question.alias_chain(1500)))
    }),
    ("alias-chain", |it, question| {
        it.write_all(&framed(&question.alias_chain(20)))
    }),
    ("trickled", |mut it, question| {
        trickle(&mut it, framed(&question.address()))
    }),
    ("wrong-question", |it, question| {
        it.write_all(&framed(&question.named("elsewhere.test").address()))
    }),
    ("wrong-id", |mut it, question| {
        it.write_all(&framed(&question.with_id(question.id ^ 1).address()))?;
        until_closed(&mut it)
    }),
    ("wrong-id-flood", |mut it, question| {
        for_ever(
            &mut it,
            &framed(&question.with_id(question.id ^ 1).address()),
        )
    }),
    ("pointer-loop", |mut it, question| {
        it.write_all(&framed(&question.pointer_loop()))?;
        until_closed(&mut it)
    }),
    ("empty-messages", |mut it, _| for_ever(&mut it, &[0, 0])),
    ("cut-off", |it, question| {
        let whole = framed(&question.address());
        it.write_all(&whole[..whole.len() - 3])
    }),
    ("closes", |_, _| Ok(())),
    ("silent", |mut it, _| until_closed(&mut it)),
    ("other-name", |it, question| {
        it.write_all(&framed(&question.address_of("elsewhere.test")))
    }),
];

type Https = fn(&mut super::tls::Secured, &Question) -> io::Result<()>;

const HTTPS: [(&str, Https); 7] = [
    ("ignores-window", |it, _| {
        it.write_all(&h2::ok())?;
        loop {
            it.write_all(&h2::data(&[0; 1000]))?;
        }
    }),
    ("trickled-body", |it, _| {
        it.write_all(&h2::ok())?;
        trickle(it, h2::data(&[0; 100]))
    }),
    ("trickled-head", |it, _| trickle(it, h2::ok())),
    ("silent", |it, _| until_closed(it)),
    ("page", |it, _| {
        it.write_all(&h2::ok())?;
        it.write_all(&h2::last_data(b"<html>Log in first</html>"))?;
        until_closed(it)
    }),
    ("wrong-question", |it, question| {
        it.write_all(&h2::ok())?;
        it.write_all(&h2::last_data(&question.named("elsewhere.test").address()))?;
        until_closed(it)
    }),
    ("long-error", |it, _| {
        it.write_all(&h2::server_error())?;
        for _ in 0..60 {
            it.write_all(&h2::data(&[b'x'; 1000]))?;
        }
        it.write_all(&h2::last_data(b""))?;
        until_closed(it)
    }),
];

pub(super) fn start(address: Ipv4Addr, identity: &Identity) {
    let socket = UdpSocket::bind((address, 53)).unwrap();
    let elsewhere = UdpSocket::bind((address, 54)).unwrap();
    thread::spawn(move || serve_datagrams(&socket, &elsewhere));
    let listen = |port: u16| TcpListener::bind((address, port)).unwrap();
    serve(listen(53), over_stream);
    let server = identity.clone();
    serve(listen(853), move |stream| {
        over_stream(&mut handshake(stream, &server, "dot")?)
    });
    let server = identity.clone();
    serve(listen(443), move |stream| {
        let mut stream = handshake(stream, &server, "h2")?;
        let question = h2::hear_request(&mut stream)?;
        let question = Question::read(&question).expect("a question");
        h2::greet(&mut stream)?;
        named(&HTTPS, &question.name)(&mut stream, &question)
    });
}

fn handshake(
    stream: &mut TcpStream,
    identity: &Identity,
    alpn: &str,
) -> io::Result<super::tls::Secured> {
    let accepted = greeted(stream)?;
    secured(accepted, stream, identity.config(&[alpn]))
}

fn serve_datagrams(socket: &UdpSocket, elsewhere: &UdpSocket) {
    let mut buffer = [0; 512];
    loop {
        let Ok((length, client)) = socket.recv_from(&mut buffer) else {
            continue;
        };
        let Some(question) = Question::read(&buffer[..length]) else {
            continue;
        };
        let send = |from: &UdpSocket, answer: Vec<u8>, client: SocketAddr| {
            // The client may be gone already.
            from.send_to(&answer, client).ok()
        };
        match named(&DATAGRAMS, &question.name) {
            Datagram::Answer(answer) => send(socket, answer(&question), client),
            Datagram::FromElsewhere(answer) => send(elsewhere, answer(&question), client),
            Datagram::Flood(answer) => {
                let socket = socket.try_clone().unwrap();
                thread::spawn(move || {
                    for _ in 0..FLOOD {
                        send(&socket, answer(&question), client);
                    }
                });
                None
            }
        };
    }
}

fn over_stream(stream: &mut impl Duplex) -> io::Result<()> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message)?;
    let question = Question::read(&message).expect("a question");
    named(&STREAMS, &question.name)(stream, &question)
}

/// A message behind its length (RFC 1035 §4.2.2).
fn framed(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).expect("64 kB at most");
    [&length.to_be_bytes(), message].concat()
}
