/// One promise that a backend keeps, as something that can be run.
///
/// A case speaks the plugin ABI and knows no test framework: the tests of this package and `coffer-plugin-check` run the
/// same list and print the same names.
public struct ConformanceCase: Sendable, CustomStringConvertible {
    /// The number in the catalogue of promises; it never changes.
    public let number: Int
    /// A stable word for it, in kebab case.
    public let name: String
    /// What must hold: given, when, then.
    public let sentence: String
    /// Who must pass it.
    public let grade: Grade
    /// How often a body repeats what it does, at each scale.
    public let counts: Counts
    /// What the plugin must be able to do for the body to run at all.
    let needs: Capabilities
    /// How long the body may take at `quick`; ten times as long at `full`.
    let seconds: Int
    let body: @Sendable (Trial) throws -> Void

    init(
        _ number: Int,
        _ name: String,
        _ sentence: String,
        grade: Grade = .must,
        needs: Capabilities = [],
        counts: Counts = Counts(quick: 1, full: 1),
        seconds: Int = 20,
        _ body: @escaping @Sendable (Trial) throws -> Void
    ) {
        self.number = number
        self.name = name
        self.sentence = sentence
        self.grade = grade
        self.counts = counts
        self.needs = needs.union(grade.capabilities)
        self.seconds = seconds
        self.body = body
    }

    /// The number and the name.
    public var description: String { "\(number) \(name)" }
}

/// Who must pass a case.
public enum Grade: Sendable {
    /// Every plugin.
    case must
    /// Every plugin that declares these; the others must refuse what the case would ask for.
    case hangsOn(Capabilities)

    var capabilities: Capabilities {
        switch self {
        case .must: []
        case .hangsOn(let capabilities): capabilities
        }
    }

    /// `M`, or `C` with the names of the capabilities.
    public var label: String {
        switch self {
        case .must: "M"
        case .hangsOn(let capabilities): "C \(capabilities.names.joined(separator: "+"))"
        }
    }
}

/// How much a run repeats.
public enum Scale: String, Sendable, CaseIterable {
    /// For every build: seconds.
    case quick
    /// As the promise is written: minutes.
    case full
}

/// The repetitions of a case.
public struct Counts: Sendable {
    /// At `Scale.quick`.
    public let quick: Int
    /// At `Scale.full`.
    public let full: Int

    /// The count at a scale.
    public func at(_ scale: Scale) -> Int { scale == .quick ? quick : full }
}

/// Why a case did not hold.
public struct Failure: Error, Sendable, CustomStringConvertible {
    /// What the promise asks for.
    public let expected: String
    /// What the plugin did.
    public let got: String
    /// The calls that lead there, the latest last.
    public let howToReproduce: [String]
    /// The line of the case, in the suite's source.
    public let line: Int

    /// All of it, for a log.
    public var description: String {
        "expected \(expected); got \(got); line \(line); calls:\n  " + howToReproduce.joined(separator: "\n  ")
    }
}

/// How a case ended.
public enum Outcome: Sendable {
    /// The promise holds.
    case passed
    /// It does not.
    case failed(Failure)
    /// It was not asked for, and why; that the plugin refuses what it does not declare was proven first.
    case skipped(String)
}

/// The whole list, and how to run it.
public enum ConformanceSuite {
    /// Every case, by number.
    public static let all: [ConformanceCase] = {
        let cases =
            ConformanceCase.basics + ConformanceCase.freshness + ConformanceCase.keys + ConformanceCase.hardKeys
            + ConformanceCase.ranges + ConformanceCase.streams + ConformanceCase.writes + ConformanceCase.publication
            + ConformanceCase.uploads + ConformanceCase.conditions + ConformanceCase.conditionPaths
            + ConformanceCase.listing + ConformanceCase.listingLife + ConformanceCase.copies
            + ConformanceCase.metadata + ConformanceCase.contract + ConformanceCase.shapes
        return cases.sorted { $0.number < $1.number }
    }()

    /// Runs one case on a thread of its own and waits for it, but not for ever.
    ///
    /// `patience` multiplies that wait, for a machine that has much else to do.
    public static func run(
        _ item: ConformanceCase,
        on factory: SubjectFactory,
        scale: Scale,
        patience: Int = 1
    ) -> Outcome {
        let trial = Trial(item, factory: factory, scale: scale)
        let seconds = item.seconds * (scale == .quick ? 1 : 10) * patience
        let done = runOnThread(seconds: seconds) { trial.run() }
        guard let done else {
            return .failed(
                Failure(
                    expected: "every call to return",
                    got: "did not return within \(seconds) s",
                    howToReproduce: trial.steps.latest + ["(this call is still running)"],
                    line: 0
                )
            )
        }
        return done
    }
}
