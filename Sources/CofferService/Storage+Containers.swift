// Containers: what the storage's store has beside the one that the storage itself lives in, and that one's making.
package import CofferBackend
package import CofferModel
package import CofferSystem

extension Storage {
    /// The store's containers, in byte order.
    package func containers(_ call: Call) throws(CofferError) -> [Container] {
        let backend = try backendWithContainers()
        do throws(CofferError) {
            return try backend.listContainers(timed(call))
                .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        } catch {
            throw error.located(storage: name)
        }
    }

    /// Makes a container; one that is there is `already_exists`.
    package func makeContainer(_ container: String, _ call: Call) throws(CofferError) {
        try checkWritable()
        let backend = try backendWithContainers()
        do throws(CofferError) {
            try Self.checkName(container)
            try backend.makeContainer(container, timed(call))
        } catch {
            throw error.located(storage: name)
        }
    }

    /// Removes a container; one that holds anything is `not_empty`.
    package func removeContainer(_ container: String, _ call: Call) throws(CofferError) {
        try checkWritable()
        let backend = try backendWithContainers()
        do throws(CofferError) {
            try Self.checkName(container)
            try backend.removeContainer(container, timed(call))
            if let own = ownContainer, own.name.utf8.elementsEqual(container.utf8) { backend.hasOwnContainer = false }
        } catch {
            throw error.located(storage: name)
        }
    }

    /// Does again what failed and is due: opens the storage, and makes its container where that is missing.
    package func settle(now: MonotonicTime = .now) {
        guard retry(now: now), let own = ownContainer else { return }
        let backend: EmulatedBackend
        do throws(CofferError) { backend = try self.backend() } catch { return }  // It has been closed meanwhile.
        own.settle(now) { () throws(CofferError) in
            // A store without containers has its place in another way, and makes that itself.
            guard !backend.hasOwnContainer, backend.capabilities.has(.containers) else { return }
            let call = timed(Call())
            do throws(CofferError) {
                try backend.makeContainer(own.name, call)
            } catch {
                // Who may use a container need not be allowed to make one.
                let isThere = error.code == .alreadyExists || (error.code == .permissionDenied && isWell(backend, call))
                guard isThere else { throw error.located(storage: name) }
            }
            backend.hasOwnContainer = true
        }
    }

    private func isWell(_ backend: EmulatedBackend, _ call: Call) -> Bool {
        do throws(CofferError) {
            _ = try backend.health(call)
            return true
        } catch {
            return false
        }
    }

    private func backendWithContainers() throws(CofferError) -> EmulatedBackend {
        let backend = try backend()
        let entry = backend.capabilities[.containers]
        guard entry.grade != .none else {
            throw CofferError(
                .unsupported,
                "storage \(name) has no containers: \(entry.reason ?? "its store knows none")",
                storage: name
            )
        }
        return backend
    }

    /// Refuses a name that could mean something inside or outside another container.
    private static func checkName(_ name: String) throws(CofferError) {
        let isName =
            (1...255).contains(name.utf8.count) && name != "." && name != ".."
            && name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "/") }
        guard isName else {
            throw CofferError(
                .invalidArgument,
                "a container's name has 1 to 255 bytes, no slash and no control character, and is not . or .."
            )
        }
    }
}
