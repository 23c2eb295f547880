//! Content is compressed, then encrypted under the trace's key; losing the key erases it (ADR 0002).

use std::cell::RefCell;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;
use uuid::Uuid;
use zstd::bulk::{Compressor, Decompressor};

/// Decompression is bounded: a record holds less than 1 MB, and its content never more than a request.
const MAX_PLAIN_BYTES: usize = 64 << 20;
const ZSTD_LEVEL: i32 = 1;

// Making a context costs more than compressing a small record with it.
thread_local! {
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

fn compress(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|kept| match kept {
        Some(compressor) => compressor.compress(plain),
        None => kept.insert(Compressor::new(ZSTD_LEVEL)?).compress(plain),
    })
}

fn decompress(frame: &[u8], at_most: usize) -> std::io::Result<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|kept| match kept {
        Some(decompressor) => decompressor.decompress(frame, at_most),
        None => kept.insert(Decompressor::new()?).decompress(frame, at_most),
    })
}

#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error("content could not be sealed")]
    Seal,
    #[error("content does not open under its key")]
    Open,
    #[error("content could not be compressed: {0}")]
    Compress(String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sealed {
    pub key_id: ByteArray<16>,
    pub key_offset: i64,
    pub nonce: ByteArray<12>,
    pub digest: ByteArray<32>,
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// A sealing key and where the keys topic has it.
#[derive(Clone)]
pub struct SealingKey {
    pub id: [u8; 16],
    pub offset: i64,
    pub secret: [u8; 32],
}

impl SealingKey {
    /// A new key; its offset is set once the keys topic has acknowledged it.
    pub fn generate() -> Result<SealingKey, SealError> {
        let mut key = SealingKey { id: [0; 16], offset: -1, secret: [0; 32] };
        let random = SystemRandom::new();
        random.fill(&mut key.id).map_err(|_| SealError::Seal)?;
        random.fill(&mut key.secret).map_err(|_| SealError::Seal)?;
        Ok(key)
    }
}

/// The key of a record on the keys topic: tenant, owner and key id, so that erasure finds all keys of an owner: a trace, by
/// its id, or a workspace resource, by its path (`skills/9debeeaf-…`), which is no trace's id.
pub fn key_record_key(tenant: &str, owner: &str, key_id: &[u8; 16]) -> Vec<u8> {
    let mut key = Vec::with_capacity(tenant.len() + owner.len() + 18);
    key.extend_from_slice(tenant.as_bytes());
    key.push(0);
    key.extend_from_slice(owner.as_bytes());
    key.push(0);
    key.extend_from_slice(key_id);
    key
}

/// Whether a key's owner is a workspace resource.
pub fn is_resource(owner: &str) -> bool {
    owner.contains('/')
}

/// The resource that an owner is a part of: `datasets/9debeeaf-…` of `datasets/9debeeaf-…/items/0b6c2f6e-…`.
pub fn whole_of(owner: &str) -> Option<&str> {
    let (noun, rest) = owner.split_once('/')?;
    let id = rest.find('/')?;
    owner.get(..noun.len() + 1 + id)
}

/// The tenant, owner and key id of a record key on the keys topic.
pub fn parse_key_record_key(key: &[u8]) -> Option<(&str, &str, [u8; 16])> {
    let (names, id) = key.split_last_chunk::<16>()?;
    let names = std::str::from_utf8(names.strip_suffix(&[0])?).ok()?;
    let (tenant, owner) = names.split_once('\0')?;
    Some((tenant, owner, *id))
}

fn cipher(secret: &[u8; 32]) -> Result<LessSafeKey, SealError> {
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, secret).map_err(|_| SealError::Seal)?))
}

/// Encrypts in place, under a new nonce; `about` is what the bytes belong to.
pub(crate) fn encrypt(key: &SealingKey, about: &[u8], bytes: &mut Vec<u8>) -> Result<[u8; NONCE_LEN], SealError> {
    let mut nonce = [0u8; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce).map_err(|_| SealError::Seal)?;
    cipher(&key.secret)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(about), bytes)
        .map_err(|_| SealError::Seal)?;
    Ok(nonce)
}

pub(crate) fn decrypt<'a>(
    secret: &[u8; 32],
    nonce: [u8; NONCE_LEN],
    about: &[u8],
    bytes: &'a mut [u8],
) -> Result<&'a [u8], SealError> {
    let opened = cipher(secret)?.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(about), bytes);
    opened.map(|plain| &*plain).map_err(|_| SealError::Open)
}

pub fn seal(key: &SealingKey, event: Uuid, plain: &[u8]) -> Result<Sealed, SealError> {
    let mut bytes = compress(plain).map_err(|e| SealError::Compress(e.to_string()))?;
    let nonce = encrypt(key, event.as_bytes(), &mut bytes)?;
    Ok(Sealed {
        key_id: ByteArray::new(key.id),
        key_offset: key.offset,
        nonce: ByteArray::new(nonce),
        digest: ByteArray::new(keyed_digest(key, plain)),
        bytes,
    })
}

pub fn open(secret: &[u8; 32], event: Uuid, sealed: &Sealed) -> Result<Vec<u8>, SealError> {
    let mut bytes = sealed.bytes.clone();
    let plain = decrypt(secret, sealed.nonce.into_array(), event.as_bytes(), &mut bytes)?;
    decompress(plain, MAX_PLAIN_BYTES.min(plain_bound(plain))).map_err(|_| SealError::Open)
}

/// The frame states its size; trust it up to the bound.
fn plain_bound(frame: &[u8]) -> usize {
    match zstd::zstd_safe::get_frame_content_size(frame) {
        Ok(Some(size)) => usize::try_from(size).unwrap_or(MAX_PLAIN_BYTES),
        _ => MAX_PLAIN_BYTES,
    }
}

/// HMAC-SHA-256 under the trace's key: the same for the same content of one trace, unlinkable without the key.
pub fn keyed_digest(key: &SealingKey, plain: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key.secret), plain);
    let mut out = [0u8; 32];
    out.copy_from_slice(tag.as_ref());
    out
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0u8; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_goes_with_the_whole() {
        assert_eq!(whole_of("datasets/1/items/2"), Some("datasets/1"));
        for whole in ["datasets/1", "9debeeaf-b46e-44fd-8a0a-7efe35a59df9", ""] {
            assert_eq!(whole_of(whole), None, "{whole}");
        }
    }
}
