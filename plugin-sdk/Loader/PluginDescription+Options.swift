import CCofferPlugin

extension PluginDescription {
    /// The option called `name`, by its own name, its older one, or because any name is taken.
    public func option(_ name: String) -> PluginOption? {
        options.first { !$0.isOpen && $0.name.utf8.elementsEqual(name.utf8) }
            ?? options.first { $0.deprecatedAlias?.utf8.elementsEqual(name.utf8) ?? false }
            ?? options.first(where: \.isOpen)
    }

    /// What a plugin gets: each option once, under its present name, checked, defaults included.
    ///
    /// - Throws: ``PluginError`` with `COFFER_E_CONFIG`, naming the option.
    public func completed(
        _ given: [(name: String, value: String)]
    ) throws(PluginError) -> [(name: String, value: String)] {
        var result: [(name: String, value: String)] = []
        for (name, value) in given {
            guard let option = option(name) else { throw PluginError(COFFER_E_CONFIG, "there is no option \(name)") }
            let present = option.isOpen ? name : option.name
            guard !result.contains(where: { $0.name.utf8.elementsEqual(present.utf8) }) else {
                throw PluginError(COFFER_E_CONFIG, "the option \(present) is given twice")
            }
            result.append((present, try normalized(option, value)))
        }
        for option in options where !option.isOpen && !result.contains(where: { $0.name == option.name }) {
            if let value = option.defaultValue {
                result.append((option.name, try normalized(option, value)))
            } else if option.isRequired {
                throw PluginError(COFFER_E_CONFIG, "the option \(option.name) is required")
            }
        }
        return result
    }

    /// A value that was read afresh; nil where it does not fit, and then the one of the opening holds.
    func fresh(_ name: String, _ value: String?) -> String? {
        guard let value, let option = option(name) else { return nil }
        // A value that went wrong while the store is open must not take the store down.
        return try? option.normalized(value)
    }

    private func normalized(_ option: PluginOption, _ value: String) throws(PluginError) -> String {
        do throws(PluginOption.Misfit) {
            return try option.normalized(value)
        } catch {
            throw PluginError(COFFER_E_CONFIG, error.reason)
        }
    }
}
