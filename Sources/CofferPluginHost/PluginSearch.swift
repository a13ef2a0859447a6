// Finding plugins without running any of their code: the entries of the configuration first, then the folders.
import CofferLoader
import Glibc

/// An entry of `plugins:`: a library or a manifest, named directly.
package struct DeclaredPlugin: Sendable, Hashable {
    /// The id that the entry promises; nil if it names none.
    package var id: String?
    /// The absolute path of the library or its manifest.
    package var path: String
    /// The digest that the library must have, in lower-case hexadecimal; nil for any.
    package var sha256: String?

    package init(id: String? = nil, path: String, sha256: String? = nil) {
        self.id = id
        self.path = path
        self.sha256 = sha256
    }
}

/// Makes the records of a registry, in the order in which they were found; the first of an id wins.
struct PluginSearch {
    private(set) var records: [PluginRecord] = []
    private var winners: [String: PluginRecord] = [:]
    private var seen: Set<String> = []
    private let events: HostEvents

    init(folders: [String], declared: [DeclaredPlugin], events: HostEvents) {
        self.events = events
        for plugin in declared { add(plugin) }
        for folder in folders { scan(folder) }
    }

    /// The record that serves each id.
    var byID: [String: PluginRecord] { winners }

    private mutating func add(_ plugin: DeclaredPlugin) {
        if plugin.path.hasSuffix(Manifest.suffix) {
            addManifest(plugin.path, expectedID: plugin.id, sha256: plugin.sha256)
        } else if let id = plugin.id {
            add(PluginRecord(id: id, path: plugin.path, sha256: plugin.sha256))
        } else {
            addUnnamed(plugin)
        }
    }

    /// A library that nobody named says its name itself: the operator wrote its path down, so that it may run.
    private mutating func addUnnamed(_ plugin: DeclaredPlugin) {
        do throws(LoadError) {
            let library = try PluginLibrary.load(plugin.path, sha256: plugin.sha256, events: events)
            let record = PluginRecord(id: library.description.id, path: plugin.path, sha256: plugin.sha256)
            // What was just loaded is found again at once.
            _ = try record.library(events)
            add(record)
        } catch {
            let name = plugin.path.split(separator: "/").last.map(String.init) ?? plugin.path
            add(PluginRecord(id: name, path: plugin.path, problem: error))
        }
    }

    private mutating func scan(_ folder: String) {
        guard let directory = opendir(folder) else {
            // A folder that is not there holds no plugins; most of the usual places are not there.
            guard errno != ENOENT else { return }
            let problem = LoadError(folder, .missing, "this folder for plugins cannot be read: \(reason(errno))")
            records.append(PluginRecord(id: folder, path: folder, problem: problem))
            return
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(Manifest.suffix) { names.append(name) }
        }
        for name in names.sorted() { addManifest("\(folder)/\(name)", expectedID: nil, sha256: nil) }
    }

    private mutating func addManifest(_ path: String, expectedID: String?, sha256: String?) {
        guard seen.insert(resolved(path)).inserted else { return }
        let name = path.split(separator: "/").last.map { String($0.dropLast(Manifest.suffix.count)) } ?? path
        do throws(LoadError) {
            let manifest = try Manifest.read(path)
            let id = manifest.description.id
            if let expectedID, !expectedID.utf8.elementsEqual(id.utf8) {
                throw LoadError(path, .manifest, "its id is \(id), it was declared as \(expectedID)")
            }
            // Whoever asks for a wall must not believe that there is one.
            guard manifest.isolation == .inProcess else {
                throw LoadError(path, .manifest, "its isolation is process, which this version does not support")
            }
            let library = try manifest.library(forManifestAt: path)
            add(PluginRecord(id: id, path: library, manifestPath: path, manifest: manifest, sha256: sha256))
        } catch {
            add(PluginRecord(id: expectedID ?? name, path: path, manifestPath: path, problem: error))
        }
    }

    private mutating func add(_ record: PluginRecord) {
        guard let winner = winners[record.id] else {
            winners[record.id] = record
            records.append(record)
            return
        }
        let place = record.manifestPath ?? record.path
        let problem = LoadError(
            place,
            .duplicate,
            "the id \(record.id) is taken by \(winner.manifestPath ?? winner.path)"
        )
        records.append(
            PluginRecord(
                id: record.id,
                path: record.path,
                manifestPath: record.manifestPath,
                manifest: record.manifest,
                problem: problem
            )
        )
    }

    private func resolved(_ path: String) -> String {
        guard let text = realpath(path, nil) else { return path }
        defer { free(text) }
        return String(cString: text)
    }

    private func reason(_ number: Int32) -> String { String(cString: strerror(number)).lowercased() }
}
