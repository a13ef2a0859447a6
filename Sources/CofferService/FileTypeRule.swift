package import CofferModel

/// A set of file types: named sets, extensions, media types and families of them.
///
/// An item is a named set (`IMAGES`), an extension (`pdf`, `.pdf`), a media type (`image/png`) or a family (`image/*`).
package struct FileTypeRule: Sendable, Hashable {
    /// The items as they were written, for whoever shows the settings.
    package private(set) var items: [String]
    /// Whether the items are those that do *not* belong.
    package private(set) var isAllExcept: Bool

    private var extensions: Set<String> = []
    private var mediaTypes: Set<String> = []
    private var families: Set<String> = []
    private var holdsEverything = false

    /// Everything.
    package static let all = FileTypeRule(everything: true)
    /// Nothing.
    package static let none = FileTypeRule(everything: false)

    private init(everything: Bool) {
        items = [everything ? "ALL" : "NONE"]
        isAllExcept = false
        holdsEverything = everything
    }

    /// Reads `items`; with `isAllExcept`, the rule is everything but them.
    ///
    /// - Throws: ``CofferError`` with `config_invalid`, naming the item that is no set, extension, type or family.
    package init(_ items: [String], isAllExcept: Bool = false) throws(CofferError) {
        self.items = items
        self.isAllExcept = isAllExcept
    }
}
