import CofferModel
import CofferProfile
import CofferService

extension StoragePolicy {
    /// The policy that the settings of a storage decide.
    init(_ settings: StorageSettings) throws(CofferError) {
        self.init(
            accept: try CofferService.FileTypeRule(settings.accept),
            deny: try CofferService.FileTypeRule(settings.deny),
            maxSize: settings.maxSize,
            isReadOnly: settings.isReadOnly,
            prefix: settings.prefix.hasSuffix("/") ? String(settings.prefix.dropLast()) : settings.prefix,
            checksum: settings.checksum == .none ? nil : Checksum.Algorithm(rawValue: settings.checksum.rawValue),
            onConflict: settings.onConflict,
            url: settings.url,
            atomic: settings.atomic == .required ? .required : .bestEffort,
            writers: settings.writers == .exclusive ? .exclusive : .shared,
            conditions: ConditionalRequests(settings.conditions),
            stepTimeout: settings.timeout > 0 ? settings.timeout * 1_000_000 : nil,
            concurrency: settings.concurrency,
            linkLimit: settings.maxLinkTTL / 1000
        )
    }
}

extension StoragePolicy.ConditionalRequests {
    fileprivate init(_ policy: ConditionPolicy) {
        switch policy {
        case .auto: self = .auto
        case .required: self = .required
        case .none: self = .none
        }
    }
}

extension CofferService.FileTypeRule {
    /// The same rule in the service's words.
    fileprivate init(_ rule: CofferProfile.FileTypeRule) throws(CofferError) {
        try self.init(
            rule.items.map { item in
                switch item {
                case .set(let set): set.rawValue.uppercased()
                case .fileExtension(let name): name
                case .type(let name): name
                case .family(let name): "\(name)/*"
                }
            },
            isAllExcept: rule.isAllExcept
        )
    }
}
