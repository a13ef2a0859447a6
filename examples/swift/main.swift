import CofferClient

// Writes an object, reads it back and lists the storage: `coffer-example`, beside a running host.

let files = CofferClient().storage("files")
let stored = try await files.put(Array("hello from Swift\n".utf8), at: "greetings/swift.txt")
let bytes = try await files.get("greetings/swift.txt")
print(stored.key, stored.info.size ?? 0, String(decoding: bytes, as: UTF8.self), terminator: "")
for try await entry in files.list(prefix: "greetings/") { print(entry.text) }
