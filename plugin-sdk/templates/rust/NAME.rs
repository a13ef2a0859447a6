//! NAME: a storage backend for Coffer, in Rust. It keeps objects in memory; put your store in its place.
//!
//! Build:  rustc --edition 2021 -O --crate-type cdylib -o libcoffer-NAME.so NAME.rs
//! Prove:  coffer-plugin-check check ./libcoffer-NAME.so
//!
//! `coffer_backend.rs` beside this file is the C interface; `coffer_backend.h` holds its rules. No panic leaves this
//! file (every entry catches it), nothing of the host's is kept, and what cannot be honoured is refused.

mod coffer_backend;

use coffer_backend::*;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::os::raw::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// What the store does itself. Name a capability once it really does: the suite proves each one.
const CAPS: u64 = CAP_STAT | CAP_READ | CAP_READ_RANGE | CAP_READ_PINNED | CAP_READ_CONDITION | CAP_WRITE
    | CAP_ATOMIC_REPLACE | CAP_CREATE_IF_ABSENT | CAP_IF_MATCH | CAP_REMOVE | CAP_REMOVE_IF_MATCH | CAP_LIST
    | CAP_LIST_AFTER | CAP_LIST_SORTED | CAP_CONTENT_TYPE | CAP_USER_META;

// ---- the store ------------------------------------------------------------------------------------------------------

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// One version of an object; it never changes, and a reader keeps the one it began with.
struct Object {
    bytes: Vec<u8>,
    etag: Vec<u8>,
    mtime: i64,
    props: Pairs,
    meta: Pairs,
}

/// One instance: a storage that an operator configured.
struct Store {
    max_object: u64,
    generation: AtomicU64,
    objects: Mutex<BTreeMap<Vec<u8>, Arc<Object>>>,
}

struct Reader {
    object: Arc<Object>,
    at: usize,
    end: usize,
}

struct Writer {
    store: *const Store, // The host closes every stream before the instance.
    key: Vec<u8>,
    conditions: Conditions,
    size: i64,
    bytes: Vec<u8>,
    props: Pairs,
    meta: Pairs,
    is_over: bool,
}

struct Lister {
    store: *const Store,
    prefix: Vec<u8>,
    last: Vec<u8>,
}

/// Why a call failed.
struct Fail(coffer_status, String);

fn fail<T>(code: coffer_status, message: impl Into<String>) -> Result<T, Fail> {
    Err(Fail(code, message.into()))
}

struct Conditions {
    if_match: Vec<u8>,
    if_none_match: Vec<u8>,
}

impl Conditions {
    fn check_read(&self, etag: &[u8]) -> Result<(), Fail> {
        if !self.if_match.is_empty() && self.if_match != b"*" && self.if_match != etag {
            return fail(E_PRECONDITION, "another version is there");
        }
        if self.if_none_match == b"*" || (!self.if_none_match.is_empty() && self.if_none_match == etag) {
            return fail(E_NOT_MODIFIED, "not modified");
        }
        Ok(())
    }

    fn check_write(&self, present: Option<&Arc<Object>>) -> Result<(), Fail> {
        let holds = match present {
            Some(object) => self.if_match == b"*" || self.if_match == object.etag,
            None => false,
        };
        if !self.if_match.is_empty() && !holds {
            return fail(E_PRECONDITION, "another version is there, or none");
        }
        if !self.if_none_match.is_empty() && present.is_some() {
            return fail(E_ALREADY_EXISTS, "already exists");
        }
        Ok(())
    }
}

impl Store {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, Arc<Object>>> {
        // A panic under the lock leaves a whole map: every change of it is one call.
        self.objects.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn find(&self, key: &[u8]) -> Result<Arc<Object>, Fail> {
        match self.lock().get(key) {
            Some(object) => Ok(object.clone()),
            None => fail(E_NOT_FOUND, format!("no such object: {}", String::from_utf8_lossy(key))),
        }
    }

    fn check_size(&self, size: u64) -> Result<(), Fail> {
        if self.max_object > 0 && size > self.max_object {
            return fail(E_TOO_LARGE, format!("an object has at most {} bytes", self.max_object));
        }
        Ok(())
    }
}

// ---- the border -----------------------------------------------------------------------------------------------------

static HOST: AtomicPtr<coffer_host> = AtomicPtr::new(std::ptr::null_mut());

/// Runs one call: a failure fills the caller's error, a panic is a failure.
unsafe fn answer(error: *mut coffer_error, body: impl FnOnce() -> Result<(), Fail>) -> coffer_status {
    let result = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| fail(E_INTERNAL, "the plugin panicked"));
    let Fail(code, message) = match result {
        Ok(()) => return OK,
        Err(fail) => fail,
    };
    if let Some(mut filled) = read_struct(error, coffer_error::zeroed()) {
        filled.code = code;
        filled.flags = 0;
        let mut length = message.len().min(filled.message_cap as usize);
        while !message.is_char_boundary(length) {
            length -= 1;
        }
        filled.message_len = 0;
        if !filled.message.is_null() {
            std::ptr::copy_nonoverlapping(message.as_ptr(), filled.message as *mut u8, length);
            filled.message_len = length as u32;
        }
        write_struct(&filled, error, 8);
    }
    code
}

/// What a handle stands for.
unsafe fn handle<'a, T>(pointer: *mut c_void) -> Result<&'a mut T, Fail> {
    (pointer as *mut T).as_mut().ok_or_else(|| Fail(E_INVALID_ARGUMENT, "a handle is missing".into()))
}

/// An instance is shared by threads, so it is never borrowed for change.
unsafe fn store<'a>(pointer: *mut c_void, call: *const coffer_call) -> Result<&'a Store, Fail> {
    check(call)?;
    (pointer as *const Store).as_ref().ok_or_else(|| Fail(E_INVALID_ARGUMENT, "a handle is missing".into()))
}

/// Fails if the caller has given up. A store that blocks asks again, at least once a second.
unsafe fn check(call: *const coffer_call) -> Result<(), Fail> {
    let host = HOST.load(Ordering::Acquire);
    if let (Some(call), Some(host)) = (read_struct(call, coffer_call::zeroed()), read_struct(host, coffer_host::zeroed())) {
        if let Some(cancelled) = host.cancelled {
            if !call.token.is_null() && cancelled(host.ctx, call.token) != 0 {
                return fail(E_CANCELLED, "cancelled");
            }
        }
    }
    Ok(())
}

unsafe fn arguments<T: Plain>(pointer: *const T, defaults: T) -> Result<T, Fail> {
    read_struct(pointer, defaults).ok_or_else(|| Fail(E_INVALID_ARGUMENT, "a struct is missing".into()))
}

unsafe fn copied(text: coffer_str) -> Result<Vec<u8>, Fail> {
    // A length that nobody means is refused before memory is asked for: failing to get it would end the process.
    match bytes(text) {
        Some(bytes) if text.len <= 16 << 20 => Ok(bytes.to_vec()),
        _ => fail(E_INVALID_ARGUMENT, "a string has no bytes, or too many"),
    }
}

unsafe fn key(text: coffer_str) -> Result<Vec<u8>, Fail> {
    let key = copied(text)?;
    if key.is_empty() || key.len() > 1024 || key.contains(&0) || std::str::from_utf8(&key).is_err() {
        return fail(E_INVALID_KEY, "a key is 1 to 1024 bytes of UTF-8 without NUL");
    }
    Ok(key)
}

unsafe fn pairs(list: *const coffer_kv, count: usize) -> Result<Pairs, Fail> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if list.is_null() || count > 65_536 {
        return fail(E_INVALID_ARGUMENT, "a list of names and values is missing");
    }
    std::slice::from_raw_parts(list, count).iter().map(|pair| Ok((copied(pair.key)?, copied(pair.value)?))).collect()
}

/// Sends one entry to the host; it copies what it keeps.
unsafe fn send(sink: *const coffer_sink, key: &[u8], object: &Object) -> Result<(), Fail> {
    let sink = read_struct(sink, coffer_sink::zeroed()).unwrap_or_else(coffer_sink::zeroed);
    let lend = |list: &Pairs| -> Vec<coffer_kv> {
        list.iter().map(|(name, value)| coffer_kv { key: text(name), value: text(value) }).collect()
    };
    let (props, meta) = (lend(&object.props), lend(&object.meta));
    let entry = coffer_entry {
        struct_size: std::mem::size_of::<coffer_entry>() as u32,
        kind: KIND_OBJECT,
        key: text(key),
        size: object.bytes.len() as i64,
        mtime_ns: object.mtime,
        ctime_ns: TIME_UNKNOWN,
        etag: text(&object.etag),
        n_props: props.len(),
        props: props.as_ptr(),
        n_meta: meta.len(),
        meta: meta.as_ptr(),
        ..coffer_entry::zeroed()
    };
    match sink.on_entry {
        Some(function) if function(sink.ctx, &entry) != 0 => fail(E_CANCELLED, "the host wants no more"),
        _ => Ok(()),
    }
}

fn boxed<T>(value: T) -> *mut c_void {
    Box::into_raw(Box::new(value)) as *mut c_void
}

/// Ends what a handle stands for; NULL is nothing.
unsafe extern "C" fn close<T>(pointer: *mut c_void) {
    if !pointer.is_null() {
        // Nobody can be told of a panic here.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(Box::from_raw(pointer as *mut T))));
    }
}

// ---- the operations -------------------------------------------------------------------------------------------------

unsafe extern "C" fn open(
    args: *const coffer_open_args, _: *const coffer_call, result: *mut coffer_open_result, error: *mut coffer_error,
) -> coffer_status {
    answer(error, || {
        let args = arguments(args, coffer_open_args::zeroed())?;
        let mut max_object = 0;
        for (name, value) in pairs(args.options, args.n_options)? {
            if name == b"max_object" {
                let number = std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok());
                max_object = number.ok_or_else(|| Fail(E_CONFIG, "option max_object is not a size".into()))?;
            }
        }
        let instance = boxed(Store { max_object, generation: AtomicU64::new(0), objects: Mutex::default() });
        let filled = coffer_open_result { instance, native: CAPS, max_object, ..coffer_open_result::zeroed() };
        if write_struct(&filled, result, 24) {
            return Ok(());
        }
        close::<Store>(instance);
        fail(E_INVALID_ARGUMENT, "a result is too small")
    })
}

unsafe extern "C" fn stat(
    instance: *mut c_void, call: *const coffer_call, args: *const coffer_read_args, sink: *const coffer_sink,
    error: *mut coffer_error,
) -> coffer_status {
    answer(error, || {
        let store = store(instance, call)?;
        let (key, conditions, _) = read_request(args)?;
        let object = store.find(&key)?;
        conditions.check_read(&object.etag)?;
        send(sink, &key, &object)
    })
}

/// What `stat`, `read_open` and `remove` have in common.
unsafe fn read_request(args: *const coffer_read_args) -> Result<(Vec<u8>, Conditions, coffer_read_args), Fail> {
    let args = arguments(args, coffer_read_args { length: -1, ..coffer_read_args::zeroed() })?;
    let key = key(args.key)?;
    if args.length < -1 {
        return fail(E_INVALID_ARGUMENT, "a length is negative");
    }
    if args.version.len > 0 || args.flags & !(READ_WANT_FD | READ_SUFFIX | READ_STRICT) != 0 {
        return fail(E_UNSUPPORTED, "a version or a flag is unsupported");
    }
    let conditions = Conditions { if_match: copied(args.if_match)?, if_none_match: copied(args.if_none_match)? };
    Ok((key, conditions, args))
}

unsafe extern "C" fn read_open(
    instance: *mut c_void, call: *const coffer_call, args: *const coffer_read_args, result: *mut coffer_read_result,
    sink: *const coffer_sink, error: *mut coffer_error,
) -> coffer_status {
    answer(error, || {
        let store = store(instance, call)?;
        let (key, conditions, args) = read_request(args)?;
        let object = store.find(&key)?;
        conditions.check_read(&object.etag)?;
        let size = object.bytes.len() as u64;
        let (start, end) = if args.flags & READ_SUFFIX != 0 {
            if args.length < 0 || args.offset != 0 {
                return fail(E_INVALID_ARGUMENT, "a suffix has a length alone");
            }
            (size.saturating_sub(args.length as u64), size)
        } else {
            if args.offset > size || (args.offset == size && size > 0) {
                return fail(E_RANGE, "the range starts past the end");
            }
            let length = if args.length < 0 { u64::MAX } else { args.length as u64 };
            (args.offset, args.offset.saturating_add(length).min(size))
        };
        send(sink, &key, &object)?;
        let stream = boxed(Reader { object, at: start as usize, end: end as usize });
        let filled = coffer_read_result { stream, fd: -1, length: end - start, offset: start, ..coffer_read_result::zeroed() };
        if write_struct(&filled, result, 40) {
            return Ok(());
        }
        close::<Reader>(stream);
        fail(E_INVALID_ARGUMENT, "a result is too small")
    })
}

unsafe extern "C" fn read(
    stream: *mut c_void, call: *const coffer_call, buffer: *mut u8, capacity: usize, got: *mut usize,
    error: *mut coffer_error,
) -> coffer_status {
    answer(error, || {
        let reader = handle::<Reader>(stream)?;
        if buffer.is_null() || got.is_null() || capacity == 0 {
            return fail(E_INVALID_ARGUMENT, "a read needs room");
        }
        *got = 0;
        check(call)?;
        let count = capacity.min(reader.end - reader.at);
        std::ptr::copy_nonoverlapping(reader.object.bytes[reader.at..].as_ptr(), buffer, count);
        reader.at += count;
        *got = count;
        Ok(())
    })
}

unsafe extern "C" fn write_begin(
    instance: *mut c_void, call: *const coffer_call, args: *const coffer_write_args, stream: *mut *mut c_void,
    error: *mut coffer_error,
) -> coffer_status {
    answer(error, || {
        let store = store(instance, call)?;
        let args = arguments(args, coffer_write_args { size: -1, ..coffer_write_args::zeroed() })?;
        let key = key(args.key)?;
        if stream.is_null() || args.size < -1 {
            return fail(E_INVALID_ARGUMENT, "a size is negative, or the result is missing");
        }
        let conditions = Conditions { if_match: copied(args.if_match)?, if_none_match: copied(args.if_none_match)? };
        if args.flags != 0 || !(conditions.if_none_match.is_empty() || conditions.if_none_match == b"*") {
            return fail(E_UNSUPPORTED, "a flag or a condition is unsupported");
        }
        // What is not kept is refused, never dropped.
        let props = pairs(args.props, args.n_props)?;
        if let Some((name, _)) = props.iter().find(|(name, _)| name != b"content-type") {
            return fail(E_UNSUPPORTED, format!("the property {} is unsupported", String::from_utf8_lossy(name)));
        }
        if args.n_checksums > 0 {
            return fail(E_UNSUPPORTED, "checksums are unsupported");
        }
        store.check_size(args.size.max(0) as u64)?;
        conditions.check_write(store.lock().get(&key))?;
        let meta = pairs(args.meta, args.n_meta)?;
        let bytes = Vec::new();
        *stream = boxed(Writer { store, key, conditions, size: args.size, bytes, props, meta, is_over: false });
        Ok(())
    })
}

unsafe extern "C" fn write_append(
    stream: *mut c_void, call: *const coffer_call, data: *const u8, count: usize, error: *mut coffer_error,
) -> coffer_status {
    answer(error, || {
        let writer = handle::<Writer>(stream)?;
        if writer.is_over || count >= isize::MAX as usize || (data.is_null() && count > 0) {
            return fail(E_INVALID_ARGUMENT, "the write is over, or the bytes are missing");
        }
        if count == 0 {
            return Ok(());
        }
        writer.is_over = true; // Unless all goes well.
        check(call)?;
        let size = writer.bytes.len() as u64 + count as u64;
        if writer.size >= 0 && size > writer.size as u64 {
            return fail(E_INVALID_ARGUMENT, "the body is longer than announced");
        }
        (*writer.store).check_size(size)?;
        if writer.bytes.try_reserve(count).is_err() {
            return fail(E_TOO_LARGE, "there is no memory for so many bytes");
        }
        writer.bytes.extend_from_slice(std::slice::from_raw_parts(data, count));
        writer.is_over = false;
        Ok(())
    })
}

unsafe extern "C" fn write_commit(
    stream: *mut c_void, call: *const coffer_call, _: *const c_void, sink: *const coffer_sink,
    error: *mut coffer_error,
) -> coffer_status {
    answer(error, || {
        let writer = handle::<Writer>(stream)?;
        if writer.is_over || (writer.size >= 0 && writer.bytes.len() as u64 != writer.size as u64) {
            return fail(E_INVALID_ARGUMENT, "the write is over, or shorter than announced");
        }
        writer.is_over = true;
        check(call)?;
        let store = &*writer.store;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let object = Arc::new(Object {
            bytes: std::mem::take(&mut writer.bytes),
            etag: format!("v{}", store.generation.fetch_add(1, Ordering::Relaxed) + 1).into_bytes(),
            mtime: now.map(|time| time.as_nanos() as i64).unwrap_or(0),
            props: std::mem::take(&mut writer.props),
            meta: std::mem::take(&mut writer.meta),
        });
        let replaced = {
            let mut objects = store.lock();
            writer.conditions.check_write(objects.get(&writer.key))?;
            objects.insert(writer.key.clone(), object.clone())
        };
        drop(replaced); // After the lock.
        // The object is published: that the host looks no further cannot undo it.
        let _ = send(sink, &writer.key, &object);
        Ok(())
    })
}

unsafe extern "C" fn remove(
    instance: *mut c_void, call: *const coffer_call, args: *const coffer_read_args, error: *mut coffer_error,
) -> coffer_status {
    answer(error, || {
        let store = store(instance, call)?;
        let (key, conditions, args) = read_request(args)?;
        if !conditions.if_none_match.is_empty() {
            return fail(E_UNSUPPORTED, "if_none_match on a remove is unsupported");
        }
        let mut objects = store.lock();
        conditions.check_write(objects.get(&key))?;
        if objects.remove(&key).is_none() && args.flags & READ_STRICT != 0 {
            return fail(E_NOT_FOUND, format!("no such object: {}", String::from_utf8_lossy(&key)));
        }
        Ok(())
    })
}

unsafe extern "C" fn list_open(
    instance: *mut c_void, call: *const coffer_call, args: *const coffer_list_args, stream: *mut *mut c_void,
    error: *mut coffer_error,
) -> coffer_status {
    answer(error, || {
        let store = store(instance, call)?;
        let args = arguments(args, coffer_list_args::zeroed())?;
        if stream.is_null() {
            return fail(E_INVALID_ARGUMENT, "the result is missing");
        }
        if args.delimiter.len > 0 || args.flags & !LIST_WANT_META != 0 {
            return fail(E_UNSUPPORTED, "a delimiter or a flag is unsupported");
        }
        let (start, token) = (copied(args.start_after)?, copied(args.token)?);
        let last = if token.is_empty() { start } else { token };
        *stream = boxed(Lister { store, prefix: copied(args.prefix)?, last });
        Ok(())
    })
}

unsafe extern "C" fn list_next(
    stream: *mut c_void, call: *const coffer_call, limit: u64, done: *mut u32, sink: *const coffer_sink,
    error: *mut coffer_error,
) -> coffer_status {
    answer(error, || {
        let lister = handle::<Lister>(stream)?;
        if done.is_null() || limit == 0 {
            return fail(E_INVALID_ARGUMENT, "a page has at least one entry");
        }
        *done = 0;
        check(call)?;
        // The lock is held while the page is gathered, never while the host works on it.
        let limit = limit.min(1000) as usize;
        let mut page: Vec<(Vec<u8>, Arc<Object>)> = {
            let objects = (*lister.store).lock();
            let start = if lister.last < lister.prefix {
                Bound::Included(lister.prefix.clone())
            } else {
                Bound::Excluded(lister.last.clone())
            };
            let following = objects.range((start, Bound::Unbounded));
            let matching = following.take_while(|(key, _)| key.starts_with(&lister.prefix));
            matching.take(limit + 1).map(|(key, object)| (key.clone(), object.clone())).collect()
        };
        let has_more = page.len() > limit;
        page.truncate(limit);
        for (key, object) in &page {
            send(sink, key, object)?;
        }
        if let Some((key, _)) = page.pop() {
            lister.last = key;
        }
        if !has_more {
            *done = 1;
            return Ok(());
        }
        let sink = read_struct(sink, coffer_sink::zeroed()).unwrap_or_else(coffer_sink::zeroed);
        match sink.on_value {
            Some(function) if function(sink.ctx, VAL_NEXT, text(&[]), text(&lister.last)) != 0 => {
                fail(E_CANCELLED, "the host wants no more")
            }
            _ => Ok(()),
        }
    })
}

// ---- the descriptor -------------------------------------------------------------------------------------------------

/// A table that never changes, so that any thread may read it.
struct Fixed<T>(T);
unsafe impl<T> Sync for Fixed<T> {}

const fn c(text: &'static [u8]) -> *const c_char {
    text.as_ptr() as *const c_char
}

static OPTIONS: Fixed<[coffer_option; 1]> = Fixed([coffer_option {
    name: c(b"max_object\0"),
    kind: OPT_SIZE,
    flags: 0,
    default_value: c(b"0\0"),
    choices: std::ptr::null(),
    doc: c(b"The largest object that is taken; 0 is any.\0"),
    min: 0,
    max: 0,
    deprecated_alias: std::ptr::null(),
}]);

static OPERATIONS: Fixed<coffer_ops> = Fixed(coffer_ops {
    struct_size: std::mem::size_of::<coffer_ops>() as u32,
    reserved: 0,
    open: Some(open),
    close: Some(close::<Store>),
    health: None,
    stat: Some(stat),
    read_open: Some(read_open),
    read: Some(read),
    read_close: Some(close::<Reader>),
    write_begin: Some(write_begin),
    write_append: Some(write_append),
    write_ingest: None,
    write_commit: Some(write_commit),
    write_close: Some(close::<Writer>),
    remove: Some(remove),
    remove_batch: None,
    list_open: Some(list_open),
    list_next: Some(list_next),
    list_close: Some(close::<Lister>),
    copy: None,
    mv: None,
    presign: None,
    public_url: None,
    container_list: None,
    container_make: None,
    container_remove: None,
    usage: None,
});

static PLUGIN: Fixed<coffer_plugin> = Fixed(coffer_plugin {
    magic: MAGIC,
    struct_size: std::mem::size_of::<coffer_plugin>() as u32,
    abi: ABI_1_0,
    flags: 0,
    threads: THREADS_PARALLEL,
    option_size: std::mem::size_of::<coffer_option>() as u32,
    caps: CAPS,
    id: c(b"NAME\0"),
    version: c(b"0.1.0\0"),
    name: c(b"Name\0"),
    license: c(b"0BSD\0"),
    description: c(b"Objects in memory.\0"),
    homepage: c(b"\0"),
    n_options: 1,
    options: OPTIONS.0.as_ptr(),
    ops: &OPERATIONS.0,
    get_extension: None,
    shutdown: None,
});

/// The one exported symbol.
///
/// # Safety
/// `host` is NULL or lives as long as the process.
#[no_mangle]
pub unsafe extern "C" fn coffer_backend_entry_v1(host: *const coffer_host, _: *mut coffer_error) -> *const coffer_plugin {
    HOST.store(host as *mut coffer_host, Ordering::Release);
    &PLUGIN.0
}
