//! The C interface of a storage backend, version 1.0, as Rust sees it: `coffer_backend.h`, which holds the rules.
//!
//! SPDX-License-Identifier: 0BSD
//!
//! Structs grow at the end only. Read them with `read_struct`, which looks no further than the other side wrote.

#![allow(non_camel_case_types, dead_code)]

use std::mem::size_of;
use std::os::raw::{c_char, c_int, c_void};

pub const MAGIC: u32 = 0x5246_4643;
pub const ABI_1_0: u32 = 0x1_0000;

pub type coffer_status = i32;
pub const OK: i32 = 0;
pub const E_UNSUPPORTED: i32 = 1;
pub const E_INVALID_ARGUMENT: i32 = 2;
pub const E_CONFIG: i32 = 3;
pub const E_NOT_FOUND: i32 = 4;
pub const E_ALREADY_EXISTS: i32 = 5;
pub const E_PRECONDITION: i32 = 6;
pub const E_TOO_LARGE: i32 = 11;
pub const E_RANGE: i32 = 12;
pub const E_TIMEOUT: i32 = 14;
pub const E_CANCELLED: i32 = 15;
pub const E_IO: i32 = 16;
pub const E_UNAVAILABLE: i32 = 17;
pub const E_INTERNAL: i32 = 19;
pub const E_INVALID_KEY: i32 = 21;
pub const E_NOT_MODIFIED: i32 = 25;

pub const CAP_STAT: u64 = 0x1;
pub const CAP_READ: u64 = 0x2;
pub const CAP_READ_RANGE: u64 = 0x4;
pub const CAP_READ_PINNED: u64 = 0x10;
pub const CAP_READ_CONDITION: u64 = 0x20;
pub const CAP_WRITE: u64 = 0x40;
pub const CAP_ATOMIC_REPLACE: u64 = 0x100;
pub const CAP_CREATE_IF_ABSENT: u64 = 0x200;
pub const CAP_IF_MATCH: u64 = 0x400;
pub const CAP_REMOVE: u64 = 0x800;
pub const CAP_REMOVE_IF_MATCH: u64 = 0x1000;
pub const CAP_LIST: u64 = 0x4000;
pub const CAP_LIST_AFTER: u64 = 0x10000;
pub const CAP_LIST_SORTED: u64 = 0x20000;
pub const CAP_CONTENT_TYPE: u64 = 0x400000;
pub const CAP_USER_META: u64 = 0x1000000;

pub const THREADS_PARALLEL: u32 = 0;
pub const OPT_SIZE: u32 = 4;
pub const KIND_OBJECT: u32 = 1;
pub const VAL_NEXT: u32 = 3;
pub const READ_WANT_FD: u32 = 1;
pub const READ_SUFFIX: u32 = 2;
pub const READ_STRICT: u32 = 4;
pub const LIST_WANT_META: u32 = 2;
pub const TIME_UNKNOWN: i64 = i64::MIN;

macro_rules! c_struct {
    ($name:ident, $size:expr, { $($field:ident: $type:ty),* $(,)? }) => {
        #[repr(C)]
        #[derive(Clone, Copy)]
        pub struct $name { $(pub $field: $type),* }
        // The compiler proves the size; the test below proves the offsets that matter most.
        const _: [(); $size] = [(); size_of::<$name>()];
        // Every field is a number or a pointer, for which all zeroes are a value.
        unsafe impl Plain for $name {}
    };
}

/// A struct of C for which all zeroes are a value.
///
/// # Safety
/// Every field is a number, a raw pointer, or an `Option` of a function.
pub unsafe trait Plain: Copy {
    fn zeroed() -> Self {
        unsafe { std::mem::zeroed() }
    }
}

c_struct!(coffer_str, 16, { ptr: *const c_char, len: usize });
c_struct!(coffer_kv, 32, { key: coffer_str, value: coffer_str });
c_struct!(coffer_error, 40, {
    struct_size: u32, code: coffer_status, flags: u32, native: i32, retry_after_ms: u32,
    message_cap: u32, message_len: u32, reserved: u32, message: *mut c_char,
});
c_struct!(coffer_call, 40, {
    struct_size: u32, flags: u32, deadline_ns: u64, token: *mut c_void, trace: coffer_str,
});
c_struct!(coffer_sink, 40, {
    struct_size: u32, reserved: u32, ctx: *mut c_void,
    on_entry: Option<unsafe extern "C" fn(*mut c_void, *const coffer_entry) -> c_int>,
    on_value: Option<unsafe extern "C" fn(*mut c_void, u32, coffer_str, coffer_str) -> c_int>,
    on_result: Option<unsafe extern "C" fn(*mut c_void, usize, *const coffer_error) -> c_int>,
});
// The host's table goes on with log, config_get and metric; this much is enough to see a cancellation.
c_struct!(coffer_host, 56, {
    struct_size: u32, abi: u32, ctx: *mut c_void, name: *const c_char, version: *const c_char,
    log_enabled: Option<unsafe extern "C" fn(*mut c_void, u32) -> c_int>,
    log: Option<unsafe extern "C" fn(*mut c_void, *mut c_void, u32, coffer_str)>,
    cancelled: Option<unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int>,
});
c_struct!(coffer_option, 64, {
    name: *const c_char, kind: u32, flags: u32, default_value: *const c_char, choices: *const c_char,
    doc: *const c_char, min: i64, max: i64, deprecated_alias: *const c_char,
});
c_struct!(coffer_plugin, 120, {
    magic: u32, struct_size: u32, abi: u32, flags: u32, threads: u32, option_size: u32, caps: u64,
    id: *const c_char, version: *const c_char, name: *const c_char, license: *const c_char,
    description: *const c_char, homepage: *const c_char, n_options: usize,
    options: *const coffer_option, ops: *const coffer_ops,
    get_extension: Option<unsafe extern "C" fn(*const c_char) -> *const c_void>,
    shutdown: Option<unsafe extern "C" fn()>,
});
c_struct!(coffer_open_args, 48, {
    struct_size: u32, reserved: u32, host_instance: *mut c_void, name: coffer_str, n_options: usize,
    options: *const coffer_kv,
});
c_struct!(coffer_open_result, 112, {
    struct_size: u32, reserved: u32, instance: *mut c_void, native: u64, no_emulation: u64, max_object: u64,
    preferred_part: u64, max_parts: u64, max_key: u64, max_list_page: u64, max_batch: u64,
    max_presign_s: u64, max_meta: u64, unproven: u64, min_part: u64,
});
c_struct!(coffer_entry, 136, {
    struct_size: u32, kind: u32, flags: u32, reserved: u32, key: coffer_str, size: i64, mtime_ns: i64,
    ctime_ns: i64, etag: coffer_str, version: coffer_str, n_props: usize, props: *const coffer_kv,
    n_meta: usize, meta: *const coffer_kv, n_checksums: usize, checksums: *const c_void,
});
c_struct!(coffer_read_args, 88, {
    struct_size: u32, flags: u32, key: coffer_str, version: coffer_str, if_match: coffer_str,
    if_none_match: coffer_str, offset: u64, length: i64,
});
c_struct!(coffer_read_result, 48, {
    struct_size: u32, reserved: u32, stream: *mut c_void, fd: i32, fd_flags: u32, fd_offset: u64,
    length: u64, offset: u64,
});
c_struct!(coffer_write_args, 128, {
    struct_size: u32, flags: u32, key: coffer_str, if_match: coffer_str, if_none_match: coffer_str,
    attempt: coffer_str, size: i64, n_props: usize, props: *const coffer_kv, n_meta: usize,
    meta: *const coffer_kv, n_checksums: usize, checksums: *const c_void,
});
c_struct!(coffer_list_args, 72, {
    struct_size: u32, flags: u32, prefix: coffer_str, delimiter: coffer_str, start_after: coffer_str,
    token: coffer_str,
});

type Call = *const coffer_call;
type Sink = *const coffer_sink;
type Error = *mut coffer_error;
type Handle = *mut c_void;
type Missing = Option<unsafe extern "C" fn()>; // an operation that this plugin does not have: NULL

c_struct!(coffer_ops, 208, {
    struct_size: u32, reserved: u32,
    open: Option<unsafe extern "C" fn(*const coffer_open_args, Call, *mut coffer_open_result, Error) -> coffer_status>,
    close: Option<unsafe extern "C" fn(Handle)>,
    health: Option<unsafe extern "C" fn(Handle, Call, Sink, Error) -> coffer_status>,
    stat: Option<unsafe extern "C" fn(Handle, Call, *const coffer_read_args, Sink, Error) -> coffer_status>,
    read_open: Option<unsafe extern "C" fn(
        Handle, Call, *const coffer_read_args, *mut coffer_read_result, Sink, Error) -> coffer_status>,
    read: Option<unsafe extern "C" fn(Handle, Call, *mut u8, usize, *mut usize, Error) -> coffer_status>,
    read_close: Option<unsafe extern "C" fn(Handle)>,
    write_begin: Option<unsafe extern "C" fn(
        Handle, Call, *const coffer_write_args, *mut Handle, Error) -> coffer_status>,
    write_append: Option<unsafe extern "C" fn(Handle, Call, *const u8, usize, Error) -> coffer_status>,
    write_ingest: Missing,
    write_commit: Option<unsafe extern "C" fn(Handle, Call, *const c_void, Sink, Error) -> coffer_status>,
    write_close: Option<unsafe extern "C" fn(Handle)>,
    remove: Option<unsafe extern "C" fn(Handle, Call, *const coffer_read_args, Error) -> coffer_status>,
    remove_batch: Missing,
    list_open: Option<unsafe extern "C" fn(
        Handle, Call, *const coffer_list_args, *mut Handle, Error) -> coffer_status>,
    list_next: Option<unsafe extern "C" fn(Handle, Call, u64, *mut u32, Sink, Error) -> coffer_status>,
    list_close: Option<unsafe extern "C" fn(Handle)>,
    copy: Missing, mv: Missing, presign: Missing, public_url: Missing, container_list: Missing,
    container_make: Missing, container_remove: Missing, usage: Missing,
});

/// Copies what the other side wrote of a struct over `defaults`; None if there is none.
///
/// # Safety
/// `pointer` is NULL or points at a struct that starts with its size.
pub unsafe fn read_struct<T: Plain>(pointer: *const T, defaults: T) -> Option<T> {
    if pointer.is_null() {
        return None;
    }
    // Rounded down to whole fields: half a pointer must never look like one.
    let size = (*(pointer as *const u32) as usize).min(size_of::<T>()) & !7;
    if size < 8 {
        return None;
    }
    let mut copy = defaults;
    std::ptr::copy_nonoverlapping(pointer as *const u8, &mut copy as *mut T as *mut u8, size);
    Some(copy)
}

/// Copies a result out, but for its size and no further than the other side's struct reaches; false if `needed` does not fit.
///
/// # Safety
/// `pointer` is NULL or points at a struct that starts with its size.
pub unsafe fn write_struct<T: Plain>(value: &T, pointer: *mut T, needed: usize) -> bool {
    if pointer.is_null() {
        return false;
    }
    let size = (*(pointer as *const u32) as usize).min(size_of::<T>());
    if size < needed {
        return false;
    }
    std::ptr::copy_nonoverlapping((value as *const T as *const u8).add(4), (pointer as *mut u8).add(4), size - 4);
    true
}

/// The bytes behind a string; None if they are missing.
///
/// # Safety
/// The string is valid until the call that brought it returns.
pub unsafe fn bytes<'a>(text: coffer_str) -> Option<&'a [u8]> {
    match (text.ptr.is_null(), text.len) {
        (_, 0) => Some(&[]),
        (false, len) if len <= isize::MAX as usize => Some(std::slice::from_raw_parts(text.ptr as *const u8, len)),
        _ => None,
    }
}

/// Lends bytes to C.
pub fn text(bytes: &[u8]) -> coffer_str {
    coffer_str { ptr: bytes.as_ptr() as *const c_char, len: bytes.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! offset {
        ($type:ty, $field:ident) => {{
            let value = <$type>::zeroed();
            std::ptr::addr_of!(value.$field) as usize - std::ptr::addr_of!(value) as usize
        }};
    }

    #[test]
    fn fields_stand_where_the_header_puts_them() {
        assert_eq!(offset!(coffer_error, message), 32);
        assert_eq!(offset!(coffer_host, cancelled), 48);
        assert_eq!(offset!(coffer_plugin, ops), 96);
        assert_eq!(offset!(coffer_option, doc), 32);
        assert_eq!(offset!(coffer_entry, etag), 56);
        assert_eq!(offset!(coffer_read_args, length), 80);
        assert_eq!(offset!(coffer_read_result, length), 32);
        assert_eq!(offset!(coffer_write_args, size), 72);
        assert_eq!(offset!(coffer_ops, list_open), 120);
        assert_eq!(offset!(coffer_ops, usage), 200);
    }
}
