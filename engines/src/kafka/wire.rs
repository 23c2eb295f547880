//! Asks a broker whether it serves: one metadata request, written by hand.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

const METADATA: i16 = 3;
const VERSION: i16 = 4;
const PATIENCE: Duration = Duration::from_secs(2);
/// A one-node answer without topics takes about a hundred bytes.
const MAX_ANSWER: usize = 64 * 1024;

pub(super) fn serves(port: u16) -> bool {
    brokers(port).is_ok_and(|brokers| brokers > 0)
}

/// The number of brokers in the cluster's metadata.
fn brokers(port: u16) -> io::Result<i32> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&request())?;
    let mut size = [0; 4];
    stream.read_exact(&mut size)?;
    let size = usize::try_from(i32::from_be_bytes(size))
        .ok()
        .filter(|size| *size <= MAX_ANSWER)
        .ok_or(io::ErrorKind::InvalidData)?;
    let mut answer = vec![0; size];
    stream.read_exact(&mut answer)?;
    // Correlation id, throttle time, then the array of brokers.
    let count = answer.get(8..12).and_then(|bytes| bytes.try_into().ok()).ok_or(io::ErrorKind::InvalidData)?;
    Ok(i32::from_be_bytes(count))
}

fn request() -> Vec<u8> {
    let client = b"retrace-readiness";
    let mut body = Vec::new();
    body.extend(METADATA.to_be_bytes());
    body.extend(VERSION.to_be_bytes());
    body.extend(1_i32.to_be_bytes());
    body.extend((client.len() as i16).to_be_bytes());
    body.extend(client);
    body.extend(0_i32.to_be_bytes()); // no topics
    body.push(0); // create none
    let mut request = (body.len() as i32).to_be_bytes().to_vec();
    request.extend(body);
    request
}
