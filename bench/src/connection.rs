//! A client's end of a keep-alive connection: blocking, and with as little work as possible.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::failure::Failure;

/// How long an answer may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// An open connection to a server on this machine.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects to a port of 127.0.0.1.
    pub(crate) fn open(port: u16) -> Result<Self, Failure> {
        let open = || {
            let stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(DEADLINE))?;
            Ok(stream)
        };
        let stream = open().map_err(|cause: std::io::Error| Failure::new(format!("no connection: {cause}")))?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a whole request.
    pub(crate) fn send(&mut self, request: &[u8]) -> Result<(), Failure> {
        self.stream.write_all(request).map_err(Failure::while_at("sending a request"))
    }

    /// Receives one answer. `Err` unless it has this status and its body contains this text.
    pub(crate) fn receive(&mut self, status: u16, contains: &str) -> Result<(), Failure> {
        let head = loop {
            if let Some(end) = self.buffer.windows(4).position(|part| part == b"\r\n\r\n") {
                break end + 4;
            }
            self.read()?;
        };
        let (said, length) = read_head(&self.buffer[..head])?;
        while self.buffer.len() < head + length {
            self.read()?;
        }
        let body = String::from_utf8_lossy(&self.buffer[head..head + length]);
        let right = said == status && body.contains(contains);
        let outcome = if right { Ok(()) } else { Err(Failure::new(format!("the answer was {said}: {body}"))) };
        self.buffer.drain(..head + length);
        outcome
    }

    fn read(&mut self) -> Result<(), Failure> {
        let mut part = [0; 16 * 1024];
        match self.stream.read(&mut part) {
            Ok(0) => Err(Failure::new("the server closed the connection")),
            Ok(size) => {
                self.buffer.extend_from_slice(&part[..size]);
                Ok(())
            }
            Err(cause) => Err(Failure::new(format!("receiving an answer: {cause}"))),
        }
    }
}

/// The status, and the length of the body.
fn read_head(head: &[u8]) -> Result<(u16, usize), Failure> {
    let text = std::str::from_utf8(head).map_err(Failure::while_at("an answer's head"))?;
    let status = text.get(9..12).and_then(|digits| digits.parse().ok());
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") { value.trim().parse().ok() } else { None }
    });
    status.zip(length).ok_or_else(|| Failure::new(format!("an answer without a status or a length: {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_has_a_status_and_a_length() {
        assert_eq!(read_head(b"HTTP/1.1 402 Payment Required\r\nContent-Length: 12\r\n\r\n").unwrap(), (402, 12));
        assert!(read_head(b"HTTP/1.1 200 OK\r\nx: 1\r\n\r\n").is_err());
    }
}
