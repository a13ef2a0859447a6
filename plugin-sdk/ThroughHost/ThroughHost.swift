// A plugin seen through the host, as a subject of the suite.

import CCofferPlugin
public import CofferConformance
public import CofferLoader
import CofferPluginSDK
import Glibc

/// Proves what the host makes of a plugin: the suite runs on a storage of a real `cofferd`.
///
/// On the bare plugin the suite proves what is native, and that the rest is refused. Here it proves what is emulated as
/// well: to the suite, a host with the plugin behind it is a plugin too, one that can do all that the storage can.
public enum ThroughHost {
    /// The plugin behind a host, as a subject.
    ///
    /// - Parameters:
    ///   - library: the plugin.
    ///   - settings: its options as an operator would write them; `{tmp}` becomes a fresh directory for each case.
    ///   - program: the path of `cofferd`.
    /// - Returns: a subject whose every opening starts a host, or joins the one with the same options.
    /// - Throws: ``LoadError`` where the suite's own side cannot be made.
    public static func subject(
        _ library: PluginLibrary,
        settings: [(String, String)],
        program: String
    ) throws(LoadError) -> SubjectFactory {
        guard let plugin = exportBackend(RelayBackend.self, SubjectFactory.host, nil) else {
            throw LoadError(library.path, .refused, "the suite cannot stand between it and a host")
        }
        let texts: Set<PluginOption.Kind> = [.string, .choice, .path, .url]
        let own = settings.map { name, value in
            let declared = library.description.options.first { $0.name == name }
            let prefix =
                texts.contains(declared?.kind ?? .string) ? RelayBackend.Setting.own : RelayBackend.Setting.ownPlain
            return (prefix + name, value)
        }
        var subject = SubjectFactory(
            plugin: plugin,
            settings: own + [
                (RelayBackend.Setting.program, program), (RelayBackend.Setting.plugin, absolute(library.path)),
                (RelayBackend.Setting.backend, library.description.id),
            ]
        )
        // What this process holds is the suite's own side of the wire.
        subject.sharesProcess = true
        return subject
    }

    /// Cases that say nothing through a host, by number, each with the reason.
    public static let skipped: [Int: String] = [
        37: "it weighs the plugin's process, which is the host here",
        47: "it kills the process that writes, which is the host here",
        90: "it weighs the plugin's process, which is the host here",
        110: "its arguments end at the suite's own side of the wire",
        111: "its structs end at the suite's own side of the wire",
        113: "it opens and closes the plugin, which the host does",
        114: "it opens the plugin with wrong options, which the host's configuration refuses",
        117: "what is declared is proven on the plugin alone",
    ]

    /// The word under which the health of a subject tells what the host adds to the plugin.
    public static let emulatedFact = "emulated"

    /// A host resolves a path from where its configuration lies.
    private static func absolute(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }
}
