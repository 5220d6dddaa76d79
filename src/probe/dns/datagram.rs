//! A question over UDP (RFC 1035 §4.2.1), from a socket and a port of its own. What comes back from elsewhere, under
//! another number or to another question is not its answer, and is passed over (RFC 5452 §9.1).

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use hickory_resolver::net::NetError;
use hickory_resolver::proto::op::{DnsRequest, DnsResponse, ResponseCode};
use tokio::net::UdpSocket;

/// Room for any answer that fits into a datagram as servers send them; what is longer comes truncated, and is asked for
/// over TCP.
const LONGEST_ANSWER: usize = 4096;

/// Asks once: a lost datagram is a failed probe, not a hidden retry.
pub(super) async fn ask(server: SocketAddr, request: &DnsRequest) -> Result<DnsResponse, NetError> {
    let own: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = std::net::UdpSocket::bind(own)?;
    socket.set_nonblocking(true)?;
    // From then on, only that server is heard, and that nobody listens there.
    socket.connect(server)?;
    // What is sent first finds room: only the answer has to be waited for, which saves a turn of the runtime.
    socket.send(&request.to_vec()?)?;
    let socket = UdpSocket::from_std(socket)?;
    loop {
        let mut datagram = Vec::with_capacity(LONGEST_ANSWER);
        socket.recv_buf(&mut datagram).await?;
        if !datagram.starts_with(&request.metadata.id.to_be_bytes()) {
            continue;
        }
        let response = DnsResponse::from_buffer(datagram)?;
        if answers(&response, request) {
            return Ok(response);
        }
    }
}

/// Servers that understood nothing may say so without the question.
fn answers(response: &DnsResponse, request: &DnsRequest) -> bool {
    let refuses = response.metadata.response_code != ResponseCode::NoError;
    response.queries == request.queries || (refuses && response.queries.is_empty())
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use hickory_resolver::proto::op::{DnsRequestOptions, Message, Query};
    use hickory_resolver::proto::rr::{Name, RecordType};

    use super::*;

    fn question(name: &str) -> Query {
        Query::query(Name::from_str(name).unwrap(), RecordType::A)
    }

    /// The code of what is taken for the answer, of all that a server sends.
    async fn taken(answers: impl Fn(&Message) -> Vec<Message>) -> Option<ResponseCode> {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let request = DnsRequest::from_query(question("a.test."), DnsRequestOptions::default());
        let serve = async {
            let mut bytes = [0; 512];
            let (length, client) = server.recv_from(&mut bytes).await.unwrap();
            let asked = Message::from_vec(&bytes[..length]).unwrap();
            for answer in answers(&asked) {
                let bytes = answer.to_vec().unwrap();
                server.send_to(&bytes, client).await.unwrap();
            }
        };
        let (response, ()) = tokio::join!(ask(address, &request), serve);
        response
            .ok()
            .map(|response| response.metadata.response_code)
    }

    fn answer(to: &Message, code: ResponseCode) -> Message {
        let mut answer = Message::response(to.metadata.id, to.metadata.op_code);
        answer.metadata.response_code = code;
        answer.queries.clone_from(&to.queries);
        answer
    }

    #[tokio::test]
    async fn only_the_answer_to_the_question_is_heard() {
        let code = taken(|asked| {
            let mut of_another = answer(asked, ResponseCode::Refused);
            of_another.metadata.id = asked.metadata.id.wrapping_add(1);
            let mut to_another = answer(asked, ResponseCode::Refused);
            to_another.queries = vec![question("b.test.")];
            let mut to_none = answer(asked, ResponseCode::NoError);
            to_none.queries.clear();
            let right = answer(asked, ResponseCode::NXDomain);
            vec![of_another, to_another, to_none, right]
        });
        assert_eq!(code.await, Some(ResponseCode::NXDomain));
    }

    #[tokio::test]
    async fn a_refusal_without_the_question_is_one() {
        let code = taken(|asked| {
            let mut bare = answer(asked, ResponseCode::FormErr);
            bare.queries.clear();
            vec![bare]
        });
        assert_eq!(code.await, Some(ResponseCode::FormErr));
    }

    #[tokio::test]
    async fn that_nobody_listens_is_known_at_once() {
        let nobody = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = nobody.local_addr().unwrap();
        drop(nobody);
        let request = DnsRequest::from_query(question("a.test."), DnsRequestOptions::default());
        let error = ask(address, &request).await.unwrap_err();
        assert!(matches!(error, NetError::Io(_)), "{error}");
    }
}
