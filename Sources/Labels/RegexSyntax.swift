// Reads the text of a pattern into a tree, and the tree into instructions.
//
// What the machine cannot do in linear time is refused here by name, so that nobody finds out from
// a label that is missing.

/// A parser of patterns: one pass, recursion bounded.
struct RegexSyntax {
  /// What is wrong with a pattern, and at which scalar.
  struct Fault: Error, Sendable, CustomStringConvertible {
    var offset: Int
    var reason: String
    var description: String { "\(reason) at character \(offset + 1) of the pattern" }
  }

  indirect enum Node {
    case empty
    case scalar(UInt32)
    case set(ScalarSet)
    case any(newlines: Bool)
    case assertion(LinearRegex.Assertion)
    case sequence([Node])
    case choice([Node])
    case group(Int, Node)
    case repeated(Node, min: Int, max: Int?, isLazy: Bool)
  }

  private struct Flags {
    var ignoresCase = false
    var isMultiline = false
    var dotMatchesNewline = false
  }

  private let text: [UInt32]
  private var position = 0
  private var flags = Flags()
  private var depth = 0
  private(set) var groupCount = 0
  private(set) var names: [String: Int] = [:]

  init(_ pattern: String) { text = pattern.unicodeScalars.map(\.value) }

  mutating func parse() throws(Fault) -> Node {
    let node = try choice()
    if position < text.count { throw fault("an unmatched ')'") }
    return node
  }

  private func fault(_ reason: String) -> Fault { Fault(offset: position, reason: reason) }

  private func peek(_ ahead: Int = 0) -> UInt32? {
    position + ahead < text.count ? text[position + ahead] : nil
  }

  private func isNext(_ character: Unicode.Scalar, _ ahead: Int = 0) -> Bool {
    peek(ahead) == character.value
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard isNext(character) else { return false }
    position += 1
    return true
  }

  private mutating func choice() throws(Fault) -> Node {
    depth += 1
    defer { depth -= 1 }
    if depth > 100 { throw fault("more than 100 nested groups") }
    let outer = flags
    var branches = [try sequence()]
    while take("|") { branches.append(try sequence()) }
    flags = outer
    return branches.count == 1 ? branches[0] : .choice(branches)
  }

  private mutating func sequence() throws(Fault) -> Node {
    var nodes: [Node] = []
    while let next = peek(), next != 0x7C, next != 0x29 {
      let atom = try atom()
      nodes.append(try quantified(atom))
    }
    return nodes.count == 1 ? nodes[0] : .sequence(nodes)
  }

  private mutating func quantified(_ atom: Node) throws(Fault) -> Node {
    var bounds: (Int, Int?)?
    if take("*") {
      bounds = (0, nil)
    } else if take("+") {
      bounds = (1, nil)
    } else if take("?") {
      bounds = (0, 1)
    } else if isNext("{") {
      bounds = try counts()
    }
    guard let (least, most) = bounds else { return atom }
    let isLazy = take("?")
    if isNext("+") { throw fault("possessive quantifiers are not supported") }
    if isNext("*") { throw fault("a quantifier on a quantifier") }
    return .repeated(atom, min: least, max: most, isLazy: isLazy)
  }

  /// `{n}`, `{n,}` or `{n,m}`; anything else that begins with a brace is a literal brace.
  private mutating func counts() throws(Fault) -> (Int, Int?)? {
    let start = position
    position += 1
    let least = number()
    var most = least
    var isRange = false
    if take(",") {
      isRange = true
      most = number()
    }
    guard let least, take("}") else {
      position = start
      return nil
    }
    if least > 1000 || (most ?? 0) > 1000 { throw fault("a count above 1000") }
    if isRange, let most, most < least { throw fault("counts in the wrong order") }
    return (least, isRange ? most : least)
  }

  private mutating func number() -> Int? {
    var value: Int?
    while let digit = peek(), (48...57).contains(digit) {
      value = min((value ?? 0) * 10 + Int(digit - 48), 1_000_000)
      position += 1
    }
    return value
  }

  private mutating func atom() throws(Fault) -> Node {
    guard let next = peek() else { return .empty }
    switch Unicode.Scalar(next) {
    case "(":
      position += 1
      return try group()
    case "[":
      position += 1
      return .set(try bracket())
    case ".":
      position += 1
      return .any(newlines: flags.dotMatchesNewline)
    case "^":
      position += 1
      return .assertion(flags.isMultiline ? .lineStart : .textStart)
    case "$":
      position += 1
      return .assertion(flags.isMultiline ? .lineEnd : .textEnd)
    case "*", "+", "?": throw fault("nothing before the quantifier")
    case "\\":
      position += 1
      return try escape()
    case "{" where (try? countsAhead()) == true: throw fault("nothing before the quantifier")
    default:
      position += 1
      return literal(next)
    }
  }

  private func countsAhead() throws(Fault) -> Bool {
    var copy = self
    return try copy.counts() != nil
  }

  private func literal(_ value: UInt32) -> Node {
    guard flags.ignoresCase, caseVariants(value).contains(where: { $0 != value }) else {
      return .scalar(value)
    }
    var set = ScalarSet()
    set.insert(value...value)
    set.foldCase()
    return .set(set)
  }

  private mutating func group() throws(Fault) -> Node {
    guard take("?") else { return try capture(name: nil) }
    if take(":") { return try closing(try choice()) }
    if isNext("=") || isNext("!") { throw fault("lookaround is not supported") }
    if isNext(">") { throw fault("atomic groups are not supported") }
    let isNamed = take("P") || isNext("<")
    if isNamed, take("<") {
      if isNext("=") || isNext("!") { throw fault("lookaround is not supported") }
      var name = ""
      while let next = peek(), next != 0x3E {
        name.unicodeScalars.append(Unicode.Scalar(next) ?? " ")
        position += 1
      }
      guard take(">"), !name.isEmpty else { throw fault("a group's name is not closed") }
      return try capture(name: name)
    }
    return try flagGroup()
  }

  private mutating func flagGroup() throws(Fault) -> Node {
    var changed = flags
    var isOn = true
    while let next = peek() {
      position += 1
      switch Unicode.Scalar(next) {
      case "i": changed.ignoresCase = isOn
      case "m": changed.isMultiline = isOn
      case "s": changed.dotMatchesNewline = isOn
      case "-": isOn = false
      case ")":
        flags = changed
        return .empty
      case ":":
        let outer = flags
        flags = changed
        let node = try closing(try choice())
        flags = outer
        return node
      default:
        position -= 1
        throw fault("an unknown kind of group '(?'")
      }
    }
    throw fault("a group is not closed")
  }

  private mutating func capture(name: String?) throws(Fault) -> Node {
    // A name given twice is one group: alternatives may then say the same thing in two places.
    let known = name.flatMap { names[$0] }
    if known == nil { groupCount += 1 }
    let index = known ?? groupCount
    if let name { names[name] = index }
    return .group(index, try closing(try choice()))
  }

  private mutating func closing(_ node: Node) throws(Fault) -> Node {
    guard take(")") else { throw fault("a group is not closed") }
    return node
  }

  private mutating func escape() throws(Fault) -> Node {
    guard let next = peek() else { throw fault("a backslash at the end") }
    switch Unicode.Scalar(next) {
    case "b":
      position += 1
      return .assertion(.word)
    case "B":
      position += 1
      return .assertion(.notWord)
    case "A":
      position += 1
      return .assertion(.textStart)
    case "z", "Z":
      position += 1
      return .assertion(.textEnd)
    case let digit? where ("1"..."9").contains(digit):
      throw fault("back-references are not supported")
    default:
      if let set = try classEscape() { return .set(set) }
      return literal(try scalarEscape())
    }
  }

  /// `\d \w \s \p{…}` and their negations, after the backslash.
  private mutating func classEscape() throws(Fault) -> ScalarSet? {
    guard let next = peek(), let letter = Unicode.Scalar(next) else { return nil }
    var set = ScalarSet()
    switch letter {
    case "d", "D": set.insert(48...57)
    case "w", "W": set.insert([48...57, 65...90, 95...95, 97...122])
    case "s", "S": set.insert([9...13, 32...32])
    case "p", "P":
      position += 1
      guard take("{") else { throw fault("\\p needs a category in braces") }
      var name = ""
      while let part = peek(), part != 0x7D {
        name.unicodeScalars.append(Unicode.Scalar(part) ?? " ")
        position += 1
      }
      let known = ["L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "N", "Nd", "No", "P", "S", "Z", "C"]
      guard isNext("}"), known.contains(name) else {
        throw fault("an unknown category '\(name)' (known: \(known.joined(separator: " ")))")
      }
      set.insert(ScalarSet.CategoryTest(name: name, isNegated: letter == "P"))
    default: return nil
    }
    position += 1
    set.isNegated = ["D", "W", "S"].contains(letter)
    return set
  }

  private mutating func scalarEscape() throws(Fault) -> UInt32 {
    guard let next = peek(), let letter = Unicode.Scalar(next) else {
      throw fault("a backslash at the end")
    }
    position += 1
    switch letter {
    case "n": return 10
    case "t": return 9
    case "r": return 13
    case "f": return 12
    case "v": return 11
    case "0": return 0
    case "x":
      if take("{") {
        let value = try hexadecimal(1...6)
        guard take("}") else { throw fault("\\x{ is not closed") }
        return value
      }
      return try hexadecimal(2...2)
    case "u": return try hexadecimal(4...4)
    default:
      if letter.properties.isAlphabetic, letter.isASCII {
        position -= 1
        throw fault("an unknown escape '\\\(letter)'")
      }
      return next
    }
  }

  private mutating func hexadecimal(_ digits: ClosedRange<Int>) throws(Fault) -> UInt32 {
    var value: UInt32 = 0
    var count = 0
    while count < digits.upperBound, let next = peek(), let scalar = Unicode.Scalar(next),
      let digit = Character(scalar).hexDigitValue
    {
      value = value * 16 + UInt32(digit)
      count += 1
      position += 1
    }
    guard count >= digits.lowerBound, Unicode.Scalar(value) != nil else {
      throw fault("not the number of a character")
    }
    return value
  }

  private mutating func bracket() throws(Fault) -> ScalarSet {
    var set = ScalarSet()
    let isNegated = take("^")
    var isFirst = true
    while let next = peek(), next != 0x5D || isFirst {
      isFirst = false
      if isNext("["), isNext(":", 1) { throw fault("[:class:] is not supported") }
      if next == 0x5C {
        position += 1
        if let escaped = try classEscape() {
          set.formUnion(escaped)
          continue
        }
      }
      let low = next == 0x5C ? try bracketEscape() : next
      if next != 0x5C { position += 1 }
      var high = low
      if isNext("-"), let after = peek(1), after != 0x5D {
        position += 1
        high = after
        position += 1
        if after == 0x5C { high = try bracketEscape() }
      }
      guard low <= high else { throw fault("a range in the wrong order") }
      set.insert(low...high)
    }
    guard take("]") else { throw fault("'[' is not closed") }
    if flags.ignoresCase { set.foldCase() }
    set.isNegated = isNegated
    return set
  }

  private mutating func bracketEscape() throws(Fault) -> UInt32 {
    if take("b") { return 8 }
    return try scalarEscape()
  }
}
