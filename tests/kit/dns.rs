//! Just enough of the DNS to see whether a name server has begun to answer.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

/// Whether `server` answers the question for the address of `name` with at least one record.
pub(crate) fn answers(server: SocketAddr, name: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_read_timeout(Some(Duration::from_millis(300)))?;
        socket.send_to(&question(name), server)?;
        let mut answer = [0; 512];
        let length = socket.recv(&mut answer)?;
        // The header (RFC 1035 §4.1.1): the code is the low four bits of byte 3, the count bytes 6 and 7.
        Ok(length > 12 && answer[3].trailing_zeros() >= 4 && answer[7] > 0)
    };
    ask().unwrap_or(false)
}

fn question(name: &str) -> Vec<u8> {
    let mut message = vec![0x4c, 0x61, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        message.push(u8::try_from(label.len()).expect("a label"));
        message.extend_from_slice(label.as_bytes());
    }
    message.extend_from_slice(&[0, 0, 1, 0, 1]);
    message
}
