//! The C interface of `libchdb.so`, loaded at run time. All unsafe code of the front is in this folder.
//!
//! One engine and one data folder per process; any number of connections, one statement at a time on each.

mod answer;
mod api;
mod streams;

use std::ffi::{CString, c_char, c_int, c_void};
use std::path::Path;
use std::ptr::NonNull;

use anyhow::Context;

use answer::Answer;
use api::{Api, QueryWithParams, load};
pub(super) use streams::{InsertStream, ReadStream};

/// The text ClickHouse gives for a failed statement.
#[derive(Debug, Clone)]
pub(super) struct EngineError(pub(super) String);

/// The engine of this process: keeps one connection open, for the engine stops with its last connection.
pub(super) struct Engine {
    api: &'static Api,
    arguments: Vec<CString>,
    anchor: Option<Connection>,
}

impl Engine {
    /// Loads the library and opens the data folder. Takes the arguments of `clickhouse local`.
    pub(super) fn open(library: &Path, arguments: &[String]) -> anyhow::Result<Self> {
        let api = load(library).with_context(|| {
            format!(
                "The ClickHouse library {} cannot be loaded; delete it and start again to fetch it anew",
                library.display()
            )
        })?;
        let arguments = std::iter::once("clickhouse")
            .chain(arguments.iter().map(String::as_str))
            .map(CString::new)
            .collect::<Result<Vec<_>, _>>()
            .context("A ClickHouse argument contains a zero byte")?;
        let mut engine = Self { api, arguments, anchor: None };
        let anchor = engine.connect().context("ClickHouse cannot open its data folder; its log says why")?;
        engine.anchor = Some(anchor);
        Ok(engine)
    }

    pub(super) fn connect(&self) -> anyhow::Result<Connection> {
        let mut argv: Vec<*mut c_char> = self.arguments.iter().map(|a| a.as_ptr().cast_mut()).collect();
        let count = c_int::try_from(argv.len()).context("too many ClickHouse arguments")?;
        argv.push(std::ptr::null_mut());
        // SAFETY: `argv` holds `count` valid C strings and a closing null; the library copies them.
        let handle = unsafe { (self.api.connect)(count, argv.as_mut_ptr()) };
        NonNull::new(handle)
            .map(|handle| Connection { api: self.api, handle })
            .context("ClickHouse refused a connection")
    }

    /// Flushes and stops the engine. Every other connection must be closed by now.
    pub(super) fn close(mut self) {
        self.anchor = None;
        // SAFETY: no connection and no result is left; the call takes no argument.
        unsafe { (self.api.shutdown)() };
    }
}

/// One session. Closing it throws away its settings, so a request cannot leak any into the next one.
pub(super) struct Connection {
    api: &'static Api,
    handle: NonNull<*mut c_void>,
}

// SAFETY: the library ties no connection to a thread, and `&mut self` lets only one thread use it at a time.
unsafe impl Send for Connection {}
// SAFETY: every statement needs `&mut self`; a shared reference gives access to nothing.
unsafe impl Sync for Connection {}

impl Connection {
    fn raw(&self) -> *mut c_void {
        // SAFETY: the handle came from `chdb_connect` and stays valid until `drop`.
        unsafe { *self.handle.as_ptr() }
    }

    fn call(&self, function: QueryWithParams, sql: &str, format: &str, params: &[(String, String)]) -> *mut c_void {
        let pointers = |f: fn(&(String, String)) -> &str| -> (Vec<*const c_char>, Vec<usize>) {
            params.iter().map(|p| (f(p).as_ptr().cast(), f(p).len())).unzip()
        };
        let (names, name_lengths) = pointers(|p| &p.0);
        let (values, value_lengths) = pointers(|p| &p.1);
        // SAFETY: every pointer is paired with its length and outlives the call, which copies what it keeps.
        unsafe {
            function(
                self.raw(),
                sql.as_ptr().cast(),
                sql.len(),
                format.as_ptr().cast(),
                format.len(),
                names.as_ptr(),
                name_lengths.as_ptr(),
                values.as_ptr(),
                value_lengths.as_ptr(),
                params.len(),
            )
        }
    }

    /// Runs a statement and gives its whole answer.
    pub(super) fn query(
        &mut self,
        sql: &str,
        format: &str,
        params: &[(String, String)],
    ) -> Result<Answer, EngineError> {
        Answer::of(self.api, self.call(self.api.query, sql, format, params))
    }

    /// Starts a `SELECT` whose answer is fetched block by block.
    pub(super) fn stream(
        &mut self,
        sql: &str,
        format: &str,
        params: &[(String, String)],
    ) -> Result<ReadStream<'_>, EngineError> {
        let answer = Answer::of(self.api, self.call(self.api.stream_query, sql, format, params))?;
        Ok(ReadStream { connection: self, stream: answer, ended: false })
    }

    /// Starts an `INSERT` whose rows are then appended in `format`.
    pub(super) fn insert(&mut self, sql: &str, format: &str) -> Result<InsertStream<'_>, EngineError> {
        // SAFETY: both strings are passed with their lengths and are copied.
        let handle = unsafe {
            (self.api.insert_open)(self.raw(), sql.as_ptr().cast(), sql.len(), format.as_ptr().cast(), format.len())
        };
        let handle = NonNull::new(handle).ok_or_else(|| EngineError("the engine gave no insert stream".into()))?;
        let stream = InsertStream { connection: self, handle };
        match stream.error() {
            Some(error) => Err(error),
            None => Ok(stream),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: streams borrow the connection, so none is left; the handle is not used again.
        unsafe { (self.api.close_connection)(self.handle.as_ptr()) };
    }
}
