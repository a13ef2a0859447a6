import CofferAPI
import CofferBackend
import CofferHTTP
import CofferModel
import CofferService

/// `GET /v1/storages/{storage}/objects`: a page as JSON, or the whole listing as NDJSON.
extension Exchange {
    func list(_ name: String, _ parameters: ListParameters) throws(CofferError) -> HTTPResponse {
        let storage = try storage(name, for: .download, text: parameters.prefix)
        let call = call
        let query = ListQuery(
            prefix: parameters.prefix,
            delimiter: parameters.delimiter,
            startAfter: parameters.startAfter,
            wantsMetadata: false
        )
        let line = ObjectLine(
            storage: storage.name,
            backend: storage.backendID,
            generation: Int64(storage.generation)
        )
        if Wire.wantsNDJSON(accept: fields("accept")) {
            guard parameters.cursor == nil, parameters.limit == nil else {
                throw CofferError(.invalidArgument, "cursor and limit belong to pages; NDJSON is the whole listing")
            }
            let body = ListingBody(try storage.openListing(query, call), line, call)
            return HTTPResponse(
                status: 200,
                headers: [("Content-Type", Wire.ndjson)],
                body: .stream(length: nil, body)
            )
        }
        let limit = parameters.limit ?? ListParameters.defaultLimit
        let page = try storage.page(query, cursor: parameters.cursor, limit: limit, call)
        return .json(ListingPage.encode(page.batch, as: line, cursor: page.cursor))
    }
}
