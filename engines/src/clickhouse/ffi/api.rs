//! The library's functions.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::Path;

use libloading::Library;

pub(super) type Connect = unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut *mut c_void;
pub(super) type CloseConnection = unsafe extern "C" fn(*mut *mut c_void);
pub(super) type QueryWithParams = unsafe extern "C" fn(
    *mut c_void,
    *const c_char,
    usize,
    *const c_char,
    usize,
    *const *const c_char,
    *const usize,
    *const *const c_char,
    *const usize,
    usize,
) -> *mut c_void;
pub(super) type StreamFetch = unsafe extern "C" fn(*mut c_void, *mut c_void) -> *mut c_void;
pub(super) type StreamCancel = unsafe extern "C" fn(*mut c_void, *mut c_void);
pub(super) type ResultBytes = unsafe extern "C" fn(*mut c_void) -> *const c_char;
pub(super) type ResultNumber = unsafe extern "C" fn(*mut c_void) -> u64;
pub(super) type Release = unsafe extern "C" fn(*mut c_void);
pub(super) type InsertOpen =
    unsafe extern "C" fn(*mut c_void, *const c_char, usize, *const c_char, usize) -> *mut c_void;
pub(super) type InsertAppend = unsafe extern "C" fn(*mut c_void, *const c_void, usize) -> c_int;
pub(super) type InsertDone = unsafe extern "C" fn(*mut c_void) -> *mut c_void;
pub(super) type Shutdown = unsafe extern "C" fn() -> c_int;
pub(super) type SignalHandlers = unsafe extern "C" fn(c_int);

/// The functions used, as the published header declares them.
pub(super) struct Api {
    pub(super) connect: Connect,
    pub(super) close_connection: CloseConnection,
    pub(super) query: QueryWithParams,
    pub(super) stream_query: QueryWithParams,
    pub(super) stream_fetch: StreamFetch,
    pub(super) stream_cancel: StreamCancel,
    pub(super) result_buffer: ResultBytes,
    pub(super) result_length: ResultNumber,
    pub(super) result_rows_read: ResultNumber,
    pub(super) result_bytes_read: ResultNumber,
    pub(super) result_rows_written: ResultNumber,
    pub(super) result_error: ResultBytes,
    pub(super) destroy_result: Release,
    pub(super) insert_open: InsertOpen,
    pub(super) insert_append: InsertAppend,
    pub(super) insert_done: InsertDone,
    pub(super) insert_cancel: Release,
    pub(super) insert_error: ResultBytes,
    pub(super) destroy_insert: Release,
    pub(super) shutdown: Shutdown,
}

pub(super) fn load(path: &Path) -> Result<&'static Api, libloading::Error> {
    // SAFETY: the library is the pinned one; its initialisers touch only its own state. It is never unloaded, so
    // the functions below stay valid. Each type is that of the library's published header.
    unsafe {
        let library: &'static Library = Box::leak(Box::new(Library::new(path)?));
        let handlers = *library.get::<SignalHandlers>(b"chdb_set_signal_handlers_enabled\0")?;
        handlers(0);
        let api = Api {
            connect: *library.get(b"chdb_connect\0")?,
            close_connection: *library.get(b"chdb_close_conn\0")?,
            query: *library.get(b"chdb_query_with_params_n\0")?,
            stream_query: *library.get(b"chdb_stream_query_with_params_n\0")?,
            stream_fetch: *library.get(b"chdb_stream_fetch_result\0")?,
            stream_cancel: *library.get(b"chdb_stream_cancel_query\0")?,
            result_buffer: *library.get(b"chdb_result_buffer\0")?,
            result_length: *library.get(b"chdb_result_length\0")?,
            result_rows_read: *library.get(b"chdb_result_rows_read\0")?,
            result_bytes_read: *library.get(b"chdb_result_bytes_read\0")?,
            result_rows_written: *library.get(b"chdb_result_rows_written\0")?,
            result_error: *library.get(b"chdb_result_error\0")?,
            destroy_result: *library.get(b"chdb_destroy_query_result\0")?,
            insert_open: *library.get(b"chdb_stream_insert_n\0")?,
            insert_append: *library.get(b"chdb_stream_append\0")?,
            insert_done: *library.get(b"chdb_stream_done\0")?,
            insert_cancel: *library.get(b"chdb_stream_cancel_insert\0")?,
            insert_error: *library.get(b"chdb_stream_insert_error\0")?,
            destroy_insert: *library.get(b"chdb_destroy_insert_stream\0")?,
            shutdown: *library.get(b"chdb_shutdown\0")?,
        };
        Ok(Box::leak(Box::new(api)))
    }
}

/// # Safety
/// `pointer` is null or a C string that is valid during the call.
pub(super) unsafe fn text(pointer: *const c_char) -> Option<String> {
    // SAFETY: by the contract above.
    (!pointer.is_null()).then(|| unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned())
}
