import CofferAPI
import CofferBackend
import CofferHTTP
import CofferModel
import CofferService

/// `DELETE /v1/storages/{storage}/objects…`, `POST /v1/storages/{storage}/delete`.
extension Exchange {
    func delete(_ name: String, _ key: Key, version: String?) throws(CofferError) -> HTTPResponse {
        let storage = try storage(name, for: .delete, text: key.text)
        let conditions = try RequestConditions(fields)
        guard conditions.match.ifNoneMatch == nil else {
            throw CofferError(.unsupported, "a delete takes If-Match, not If-None-Match", storage: name, key: key)
        }
        try storage.remove(key, ifMatch: conditions.match.ifMatch, call)
        return HTTPResponse(status: 204)
    }

    func deletePrefix(_ name: String, _ parameters: DeletePrefixParameters) throws(CofferError) -> HTTPResponse {
        let storage = try storage(name, for: .delete, text: parameters.prefix)
        let removal = try storage.removePrefix(
            parameters.prefix,
            isDryRun: parameters.isDryRun,
            force: parameters.isForced,
            call
        )
        let answer = PrefixDeletion(
            count: Int64(removal.count),
            isDryRun: parameters.isDryRun,
            keys: removal.keys,
            failures: removal.failures.map { $0.located(storage: name) }
        )
        return .json(answer.encode())
    }
}
