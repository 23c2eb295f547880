//! Results.

use std::ffi::c_void;
use std::ptr::NonNull;
use std::slice;

use bytes::Bytes;

use super::EngineError;
use super::api::{Api, text};

/// A result owned by the engine. Its bytes are lent out without a copy.
pub(in super::super) struct Answer {
    api: &'static Api,
    pub(super) result: NonNull<c_void>,
}

// SAFETY: a result is a plain buffer that nothing else refers to; any one thread may read or free it.
unsafe impl Send for Answer {}
// SAFETY: shared access only reads the buffer.
unsafe impl Sync for Answer {}

impl Answer {
    pub(super) fn of(api: &'static Api, result: *mut c_void) -> Result<Self, EngineError> {
        let result = NonNull::new(result).ok_or_else(|| EngineError("the engine gave no result".into()))?;
        let answer = Self { api, result };
        // SAFETY: the result is valid; the error text, if any, lives as long as it.
        match unsafe { text((api.result_error)(answer.result.as_ptr())) } {
            Some(error) => Err(EngineError(error)),
            None => Ok(answer),
        }
    }

    /// Rows and bytes read, rows written.
    pub(in super::super) fn counts(&self) -> (u64, u64, u64) {
        let result = self.result.as_ptr();
        // SAFETY: the result is valid until `drop`.
        unsafe {
            (
                (self.api.result_rows_read)(result),
                (self.api.result_bytes_read)(result),
                (self.api.result_rows_written)(result),
            )
        }
    }

    pub(in super::super) fn into_bytes(self) -> Bytes {
        if self.as_ref().is_empty() { Bytes::new() } else { Bytes::from_owner(self) }
    }
}

impl AsRef<[u8]> for Answer {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: buffer and length describe one allocation that lives until `drop` and never changes.
        unsafe {
            let buffer = (self.api.result_buffer)(self.result.as_ptr());
            let length = (self.api.result_length)(self.result.as_ptr());
            match usize::try_from(length) {
                Ok(length) if !buffer.is_null() => slice::from_raw_parts(buffer.cast(), length),
                _ => &[],
            }
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // SAFETY: freed once, here.
        unsafe { (self.api.destroy_result)(self.result.as_ptr()) };
    }
}
