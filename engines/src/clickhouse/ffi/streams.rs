//! Statements whose rows come or go piece by piece.

use std::ffi::c_void;
use std::ptr::NonNull;

use bytes::Bytes;

use super::answer::Answer;
use super::api::text;
use super::{Connection, EngineError};

/// A running `SELECT`; dropping it before its end cancels it.
pub(in super::super) struct ReadStream<'c> {
    pub(super) connection: &'c mut Connection,
    pub(super) stream: Answer,
    pub(super) ended: bool,
}

impl ReadStream<'_> {
    /// The next block, formatted on its own (so with the format's header), or `None` at the end.
    pub(in super::super) fn next(&mut self) -> Result<Option<Bytes>, EngineError> {
        if self.ended {
            return Ok(None);
        }
        // SAFETY: connection and stream are valid and belong together.
        let result = unsafe { (self.connection.api.stream_fetch)(self.connection.raw(), self.stream.result.as_ptr()) };
        let answer = Answer::of(self.connection.api, result).inspect_err(|_| self.ended = true)?;
        let bytes = answer.into_bytes();
        self.ended = bytes.is_empty();
        Ok((!self.ended).then_some(bytes))
    }
}

impl Drop for ReadStream<'_> {
    fn drop(&mut self) {
        if !self.ended {
            // SAFETY: the stream is still active on its connection.
            unsafe { (self.connection.api.stream_cancel)(self.connection.raw(), self.stream.result.as_ptr()) };
        }
    }
}

/// A running `INSERT`; dropping it before `finish` cancels it.
pub(in super::super) struct InsertStream<'c> {
    pub(super) connection: &'c mut Connection,
    pub(super) handle: NonNull<c_void>,
}

impl InsertStream<'_> {
    pub(super) fn error(&self) -> Option<EngineError> {
        // SAFETY: the handle is valid; the text is copied at once.
        unsafe { text((self.connection.api.insert_error)(self.handle.as_ptr())) }.map(EngineError)
    }

    /// Hands rows over; waits while the engine is behind.
    pub(in super::super) fn append(&mut self, rows: &[u8]) -> Result<(), EngineError> {
        // SAFETY: the slice is valid for the call, which copies it.
        let state =
            unsafe { (self.connection.api.insert_append)(self.handle.as_ptr(), rows.as_ptr().cast(), rows.len()) };
        if state == 0 {
            return Ok(());
        }
        // The engine closes the queue a moment before its message is set; finishing waits for both.
        match self.finish_once() {
            Ok(_) => Err(EngineError("the engine stopped reading the insert".into())),
            Err(error) => Err(error),
        }
    }

    /// Commits and gives the number of rows written.
    pub(in super::super) fn finish(mut self) -> Result<u64, EngineError> {
        self.finish_once()
    }

    fn finish_once(&mut self) -> Result<u64, EngineError> {
        // SAFETY: the handle is valid; a second call is answered with an error.
        let result = unsafe { (self.connection.api.insert_done)(self.handle.as_ptr()) };
        Answer::of(self.connection.api, result).map(|answer| answer.counts().2)
    }
}

impl Drop for InsertStream<'_> {
    fn drop(&mut self) {
        // SAFETY: cancelling a finished insert does nothing; the handle is freed once, here.
        unsafe {
            (self.connection.api.insert_cancel)(self.handle.as_ptr());
            (self.connection.api.destroy_insert)(self.handle.as_ptr());
        }
    }
}
