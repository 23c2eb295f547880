//! ClickHouse's block compression on insert bodies: checksum (CityHash128 1.0.2), method, sizes, data.

use bytes::{Buf, Bytes, BytesMut};

use super::error::HttpError;

const CHECKSUM: usize = 16;
const HEADER: usize = 9;
const LZ4: u8 = 0x82;
const UNCOMPRESSED: u8 = 0x02;
/// Larger than any client's block (1 MiB by default), small enough to hold many at once.
const MAX_BLOCK: usize = 64 << 20;

/// Puts blocks together again from pieces of a body.
#[derive(Default)]
pub(super) struct Decoder {
    pending: BytesMut,
}

impl Decoder {
    pub(super) fn push(&mut self, piece: &[u8]) {
        self.pending.extend_from_slice(piece);
    }

    /// The next whole block, decompressed.
    pub(super) fn next_block(&mut self) -> Result<Option<Bytes>, HttpError> {
        let Some(header) = self.pending.get(CHECKSUM..CHECKSUM + HEADER) else {
            return Ok(None);
        };
        let method = header[0];
        let packed = size(&header[1..5]);
        let unpacked = size(&header[5..9]);
        if !(HEADER..=MAX_BLOCK).contains(&packed) || unpacked > MAX_BLOCK {
            return Err(HttpError::bad_request("A compressed block has an impossible size"));
        }
        if self.pending.len() < CHECKSUM + packed {
            return Ok(None);
        }
        let mut checksum = self.pending.split_to(CHECKSUM);
        let block = self.pending.split_to(packed).freeze();
        if checksum.get_u128_le() != cityhash_rs::cityhash_102_128(&block).rotate_right(64) {
            return Err(HttpError::bad_request("A compressed block does not match its checksum"));
        }
        let data = block.slice(HEADER..);
        let block = match method {
            LZ4 => lz4_flex::block::decompress(&data, unpacked)
                .map_err(|_| HttpError::bad_request("A compressed block cannot be decompressed"))?
                .into(),
            UNCOMPRESSED => data,
            _ => return Err(HttpError::unsupported("compression methods other than LZ4")),
        };
        if block.len() != unpacked {
            return Err(HttpError::bad_request("A compressed block has another size than it says"));
        }
        Ok(Some(block))
    }

    /// Whether the body ended with a whole block.
    pub(super) fn is_complete(&self) -> bool {
        self.pending.is_empty()
    }
}

fn size(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |size, &byte| (size << 8) | usize::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(method: u8, data: &[u8], unpacked: usize) -> Vec<u8> {
        let mut body = vec![method];
        body.extend(u32::try_from(data.len() + HEADER).unwrap().to_le_bytes());
        body.extend(u32::try_from(unpacked).unwrap().to_le_bytes());
        body.extend(data);
        let mut framed = cityhash_rs::cityhash_102_128(&body).rotate_right(64).to_le_bytes().to_vec();
        framed.extend(body);
        framed
    }

    #[test]
    fn blocks_come_out_whole_however_they_are_cut() {
        let body = [block(LZ4, &lz4_flex::block::compress(&[7; 5000]), 5000), block(UNCOMPRESSED, b"abc", 3)].concat();
        for step in [1, 7, body.len()] {
            let mut decoder = Decoder::default();
            let mut out = Vec::new();
            for piece in body.chunks(step) {
                decoder.push(piece);
                while let Some(block) = decoder.next_block().unwrap() {
                    out.extend(block);
                }
            }
            assert!(decoder.is_complete());
            assert_eq!(out, [&[7; 5000][..], b"abc"].concat());
        }
    }

    #[test]
    fn a_damaged_block_is_refused() {
        let good = block(LZ4, &lz4_flex::block::compress(&[7; 5000]), 5000);
        for at in [0, CHECKSUM + 5, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            let mut decoder = Decoder::default();
            decoder.push(&bad);
            assert!(decoder.next_block().is_err(), "byte {at}");
        }
    }
}
