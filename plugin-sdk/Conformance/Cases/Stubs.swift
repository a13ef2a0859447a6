extension ConformanceCase {
    static let uploads: [ConformanceCase] = []
    static let copies: [ConformanceCase] = []
    static let metadata: [ConformanceCase] = []
    static let contract: [ConformanceCase] = []
    static let shapes: [ConformanceCase] = []
}
