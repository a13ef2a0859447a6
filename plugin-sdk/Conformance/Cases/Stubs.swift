extension ConformanceCase {
    static let uploads: [ConformanceCase] = []
}
