// Memory and speed mean nothing where a sanitizer watches.
import Glibc

/// Whether a sanitizer watches this process.
public let isSanitized = (["__asan_init", "__tsan_init"] as [String]).contains { dlsym(nil, $0) != nil }
