// Sizes and time spans as people write them, exactly.

/// A size such as `1.5GiB` in bytes.
enum ByteSize {
    private static let units: [(names: [String], bytes: Int64)] = [
        (["b"], 1),
        (["kb"], 1_000), (["mb"], 1_000_000), (["gb"], 1_000_000_000), (["tb"], 1_000_000_000_000),
        (["pb"], 1_000_000_000_000_000),
        (["kib"], 1 << 10), (["mib"], 1 << 20), (["gib"], 1 << 30), (["tib"], 1 << 40), (["pib"], 1 << 50),
    ]

    /// The bytes that `text` stands for; a number alone is bytes.
    static func parse(_ text: String) -> Result<Int64, QuantityProblem> {
        guard let (number, unit) = Quantity.split(text) else { return .failure(.malformed) }
        if unit.isEmpty { return Quantity.times(number, 1) }
        if ["k", "m", "g", "t", "p"].contains(unit) {
            let letter = unit == "k" ? "K" : unit.uppercased()
            return .failure(.ambiguous("\(letter)iB", "\(letter == "K" ? "k" : letter)B"))
        }
        guard let factor = units.first(where: { $0.names.contains(unit) })?.bytes else { return .failure(.malformed) }
        return Quantity.times(number, factor)
    }

    /// `bytes` for people: in the largest binary unit that fits without a fraction.
    static func text(_ bytes: Int64) -> String {
        for (name, shift) in [("PiB", 50), ("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)] as [(String, Int64)]
        where bytes > 0 && bytes & ((1 << shift) - 1) == 0 {
            return "\(bytes >> shift)\(name)"
        }
        return "\(bytes)B"
    }
}

/// A time span such as `1h30m` in milliseconds.
enum TimeSpan {
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("min", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    /// The milliseconds that `text` stands for; a number alone is refused, unless it is 0.
    static func parse(_ text: String) -> Result<Int64, QuantityProblem> {
        var rest = text
        var total: Int64 = 0
        repeat {
            guard let (number, unit, tail) = Quantity.first(of: rest) else { return .failure(.malformed) }
            if unit.isEmpty {
                return number.isZero && tail.isEmpty && total == 0 ? .success(0) : .failure(.noUnit)
            }
            guard let factor = units.first(where: { $0.name == unit })?.milliseconds else {
                return .failure(.malformed)
            }
            switch Quantity.times(number, factor) {
            case .failure(let problem): return .failure(problem)
            case .success(let span):
                let (sum, overflow) = total.addingReportingOverflow(span)
                if overflow { return .failure(.tooLarge) }
                total = sum
            }
            rest = tail
        } while !rest.isEmpty
        return .success(total)
    }

    /// `milliseconds` for people: in the largest unit that fits without a fraction.
    static func text(_ milliseconds: Int64) -> String {
        for (name, unit) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)] as [(String, Int64)]
        where milliseconds > 0 && milliseconds % unit == 0 {
            return "\(milliseconds / unit)\(name)"
        }
        return "\(milliseconds)ms"
    }
}

/// Why a text is no quantity.
enum QuantityProblem: Error, Equatable {
    case malformed
    case noUnit
    case fraction
    case tooLarge
    /// A unit that could mean two things.
    case ambiguous(String, String)
}

/// The arithmetic that sizes and time spans share: decimal fractions without rounding.
enum Quantity {
    /// A decimal number: `digits` divided by ten to the power of `places`.
    struct Number {
        let digits: Int64
        let places: Int
        var isZero: Bool { digits == 0 }
    }

    /// A number and its unit in lower case, and nothing else.
    static func split(_ text: String) -> (number: Number, unit: String)? {
        guard let (number, unit, rest) = first(of: text), rest.isEmpty else { return nil }
        return (number, unit)
    }

    /// The first number in `text`, its unit in lower case, and what follows.
    static func first(of text: String) -> (number: Number, unit: String, rest: String)? {
        var bytes = Array(text.trimmed.utf8)[...]
        let isDigit: (UInt8) -> Bool = { (0x30...0x39).contains($0) }
        let whole = bytes.prefix(while: isDigit)
        bytes = bytes.dropFirst(whole.count)
        var fraction: ArraySlice<UInt8> = []
        if bytes.first == 0x2E {
            fraction = bytes.dropFirst().prefix(while: isDigit)
            guard !fraction.isEmpty else { return nil }
            bytes = bytes.dropFirst(fraction.count + 1)
        }
        while fraction.last == 0x30 { fraction.removeLast() }
        guard !whole.isEmpty, whole.count <= 19, fraction.count <= 9 else { return nil }
        guard let digits = Int64(String(decoding: whole + fraction, as: UTF8.self)) else { return nil }
        bytes = bytes.drop { $0 == 0x20 }
        let unit = bytes.prefix { (0x41...0x5A).contains($0 & 0xDF) }
        let rest = bytes.dropFirst(unit.count)
        return (
            Number(digits: digits, places: fraction.count),
            String(decoding: unit, as: UTF8.self).lowercasedASCII,
            String(decoding: rest, as: UTF8.self)
        )
    }

    /// `number` units of `factor`, which must come out whole.
    static func times(_ number: Number, _ factor: Int64) -> Result<Int64, QuantityProblem> {
        var divisor: Int64 = 1
        for _ in 0..<number.places { divisor *= 10 }
        let product = number.digits.multipliedFullWidth(by: factor)
        guard product.high < divisor else { return .failure(.tooLarge) }
        let (quotient, remainder) = divisor.dividingFullWidth(product)
        guard remainder == 0 else { return .failure(.fraction) }
        return .success(quotient)
    }
}
