//! Asks Postgres whether it serves: a start-up message, answered by a request for the password once it does.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

const PROTOCOL: i32 = 3 << 16;
const PATIENCE: Duration = Duration::from_secs(2);
/// While it starts, Postgres answers with an error (`E`) instead.
const AUTHENTICATION: u8 = b'R';

pub(super) fn serves(port: u16, user: &str, database: &str) -> bool {
    first_answer(port, user, database).is_ok_and(|kind| kind == AUTHENTICATION)
}

fn first_answer(port: u16, user: &str, database: &str) -> io::Result<u8> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut body = PROTOCOL.to_be_bytes().to_vec();
    for text in ["user", user, "database", database] {
        body.extend(text.as_bytes());
        body.push(0);
    }
    body.push(0);
    let length = i32::try_from(body.len() + 4).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), body.as_slice()].concat())?;
    let mut kind = [0];
    stream.read_exact(&mut kind)?;
    Ok(kind[0])
}
