import CofferClient
import CofferJSON

/// An object of JSON of what is there; nil becomes null.
func document(_ members: KeyValuePairs<String, JSONValue?>) -> JSONValue {
    .object(JSONObject(members.map { JSONObject.Member(name: $0.key, value: $0.value ?? .null) }))
}

func text(_ text: String?) -> JSONValue? { text.map { .string($0) } }

func texts(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }

/// The object of the RPC.
func document(_ object: StoredObject) -> JSONValue {
    let info = object.info
    let user = info.metadata.user.map { JSONObject.Member(name: $0.name, value: .string($0.value)) }
    return document([
        "storage": .string(object.storage),
        "backend": .string(object.backend),
        "key": .string(info.key.text),
        "size": info.size.map { .integer($0) },
        "etag": text(info.etag),
        "version": text(info.version),
        "modified": text(info.modified?.description),
        "created": text(info.created?.description),
        "content_type": text(info.metadata.contentType),
        "content_encoding": text(info.metadata.contentEncoding),
        "content_disposition": text(info.metadata.contentDisposition),
        "content_language": text(info.metadata.contentLanguage),
        "cache_control": text(info.metadata.cacheControl),
        "checksum": info.checksums.first.map {
            document(["algorithm": .string($0.algorithm.rawValue), "value": .string($0.value)])
        },
        "metadata": .object(JSONObject(user)),
        "generation": .integer(object.generation),
    ])
}

func document(_ storage: StorageInfo) -> JSONValue {
    document([
        "name": .string(storage.name),
        "backend": .string(storage.backend),
        "default": .bool(storage.isDefault),
        "ephemeral": .bool(storage.isEphemeral),
        "state": .string(storage.state),
        "problem": storage.failure.map { document($0) },
    ])
}

func document(_ result: ActivationResult) -> JSONValue {
    document(["profile": .string(result.profile), "generation": .integer(result.generation)])
}

func document(_ error: CofferError) -> JSONValue {
    document([
        "code": .string(error.code.rawValue),
        "detail": .string(error.message),
        "storage": text(error.storage),
        "key": text(error.key?.text),
        "status": .integer(Int64(error.code.status)),
        "retryable": .bool(error.isRetryable),
        "maybe_applied": .bool(error.isMaybeApplied),
        "retry_after": error.retryAfter.map { .number(Double($0) / 1000) },
    ])
}
