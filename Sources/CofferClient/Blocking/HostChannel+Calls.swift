package import CofferAPI
package import CofferModel

extension HostChannel {
    /// Asks for something whose answer is a document, and gives its bytes.
    package func call(
        _ route: Route,
        fields: FieldList = [],
        body: [UInt8]? = nil,
        _ cancel: CancelHandle? = nil
    ) throws(CofferError) -> [UInt8] {
        var request = Request(route, fields: fields, body: body)
        if body != nil { request.fields.append(("Content-Type", Wire.json)) }
        let answer = try exchange(request, cancel)
        try answer.check()
        return try answer.readAll()
    }

    // MARK: The host

    package func health(_ cancel: CancelHandle? = nil) throws(CofferError) -> HealthInfo {
        try HealthInfo(parsing: call(.health, cancel))
    }

    package func version(_ cancel: CancelHandle? = nil) throws(CofferError) -> VersionInfo {
        try VersionInfo(parsing: call(.version, cancel))
    }

    package func plugins(_ cancel: CancelHandle? = nil) throws(CofferError) -> [PluginInfo] {
        try PluginInfo.parse(call(.listPlugins, cancel))
    }

    package func profiles(_ cancel: CancelHandle? = nil) throws(CofferError) -> ProfileList {
        try ProfileList(parsing: call(.listProfiles, cancel))
    }

    package func activate(_ profile: String, _ cancel: CancelHandle? = nil) throws(CofferError) -> ActivationResult {
        try ActivationResult(parsing: call(.activateProfile(profile), body: [], cancel))
    }

    package func reload(_ cancel: CancelHandle? = nil) throws(CofferError) -> ActivationResult {
        try ActivationResult(parsing: call(.reload, body: [], cancel))
    }

    package func storages(_ cancel: CancelHandle? = nil) throws(CofferError) -> StorageList {
        try StorageList(parsing: call(.listStorages, cancel))
    }

    package func storage(
        _ name: String,
        probe: Bool = false,
        _ cancel: CancelHandle? = nil
    ) throws(CofferError) -> StorageInfo {
        try StorageInfo(parsing: call(.getStorage(name, probe: probe), cancel))
    }

    package func storageHealth(_ name: String, _ cancel: CancelHandle? = nil) throws(CofferError) -> StorageHealth {
        try StorageHealth(parsing: call(.checkStorage(name), cancel))
    }

    package func makeStorage(
        _ name: String,
        _ body: EphemeralStorageBody,
        _ cancel: CancelHandle? = nil
    ) throws(CofferError) -> StorageInfo {
        try StorageInfo(parsing: call(.putStorage(name), body: body.encode(), cancel))
    }

    package func dropStorage(_ name: String, _ cancel: CancelHandle? = nil) throws(CofferError) {
        _ = try call(.dropStorage(name), cancel)
    }

    package func containers(
        _ storage: String,
        _ cancel: CancelHandle? = nil
    ) throws(CofferError) -> [ContainerInfo] {
        try ContainerInfo.parse(call(.listContainers(storage), cancel))
    }

    package func makeContainer(
        _ storage: String,
        _ name: String,
        _ cancel: CancelHandle? = nil
    ) throws(CofferError) {
        _ = try call(.createContainer(storage, container: name), body: [], cancel)
    }

    package func removeContainer(
        _ storage: String,
        _ name: String,
        _ cancel: CancelHandle? = nil
    ) throws(CofferError) {
        _ = try call(.removeContainer(storage, container: name), cancel)
    }

    // MARK: Objects

    package func stat(
        _ storage: String,
        _ key: Key,
        version: String? = nil,
        conditions: Conditions = .none,
        _ cancel: CancelHandle? = nil
    ) throws(CofferError) -> StoredObject {
        let fields = ConditionFields.fields(of: conditions)
        return try StoredObject(parsing: call(.stat(storage, key, version: version), fields: fields, cancel))
    }

    package func changeMetadata(
        _ storage: String,
        _ key: Key,
        _ change: MetadataChange,
        ifMatch: Conditions.Match? = nil,
        _ cancel: CancelHandle? = nil
    ) throws(CofferError) -> StoredObject {
        let fields = ConditionFields.fields(of: Conditions(ifMatch: ifMatch))
        return try StoredObject(parsing: call(.patch(storage, key), fields: fields, body: change.encode(), cancel))
    }

    package func delete(
        _ storage: String,
        _ key: Key,
        version: String? = nil,
        ifMatch: Conditions.Match? = nil,
        _ cancel: CancelHandle? = nil
    ) throws(CofferError) {
        let fields = ConditionFields.fields(of: Conditions(ifMatch: ifMatch))
        _ = try call(.delete(storage, key, version: version), fields: fields, cancel)
    }

    package func delete(
        _ storage: String,
        many items: [DeletionBody.Item],
        _ cancel: CancelHandle? = nil
    ) throws(CofferError) -> [DeletionResult] {
        try DeletionResult.parse(call(.deleteMany(storage), body: DeletionBody(items).encode(), cancel))
    }

    package func deletePrefix(
        _ storage: String,
        _ parameters: DeletePrefixParameters,
        _ cancel: CancelHandle? = nil
    ) throws(CofferError) -> PrefixDeletion {
        try PrefixDeletion(parsing: call(.deletePrefix(storage, parameters), cancel))
    }

    /// Copies, moves or duplicates, as `route` says.
    package func transfer(
        _ route: Route,
        _ body: TransferBody,
        conditions: Conditions = .none,
        _ cancel: CancelHandle? = nil
    ) throws(CofferError) -> StoredObject {
        let fields = ConditionFields.fields(of: conditions)
        return try StoredObject(parsing: call(route, fields: fields, body: body.encode(), cancel))
    }

    package func url(_ storage: String, _ key: Key, _ cancel: CancelHandle? = nil) throws(CofferError) -> String {
        try URLAnswer.parse(call(.url(storage, key), cancel))
    }

    package func link(_ storage: String, _ body: LinkBody, _ cancel: CancelHandle? = nil) throws(CofferError)
        -> LinkInfo
    {
        try LinkInfo(parsing: call(.createLink(storage), body: body.encode(), cancel))
    }

    package func page(
        _ storage: String,
        _ parameters: ListParameters,
        _ cancel: CancelHandle? = nil
    ) throws(CofferError) -> ListingPage {
        try ListingPage(parsing: call(.list(storage, parameters), cancel))
    }
}
