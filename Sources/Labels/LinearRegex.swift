// A regular expression whose time is linear in the text, whatever the text.
//
// An output is written by a model that a stranger may have talked to. A backtracking engine
// (NSRegularExpression, Swift's Regex) can take exponential time on a hostile text, and neither can
// be stopped after a number of steps that is the same on every machine, which labels need. This is
// Pike's virtual machine (Thompson 1968; Cox, "Regular Expression Matching: the Virtual Machine
// Approach", 2009): all alternatives advance together, one scalar at a time. The price is that
// back-references and lookaround do not exist; a pattern that uses them is refused.

/// A compiled pattern: leftmost match, alternatives and quantifiers by Perl's preferences.
///
/// Syntax: literals, `.`, `[…]`, `\d \w \s \b` and their negations (ASCII, as RE2 has them),
/// `\p{L}` and other general categories, `\n \t \r \f \v \xHH \x{H…} \uHHHH`, `^ $ \A \z`,
/// `( )`, `(?: )`, `(?<name> )` (one group where a name is given twice), `|`,
/// `* + ? {n} {n,} {n,m}` and their lazy forms, `(?ims)`.
struct LinearRegex: Sendable {
  /// A match, as offsets in scalars.
  struct Match: Hashable, Sendable {
    var whole: Range<Int>
    /// The asked group; nil where it took no part.
    var group: Range<Int>?
  }

  /// The step budget ran out.
  struct Exhausted: Error {}

  enum Which: Sendable { case first, last }

  enum Assertion: Sendable { case lineStart, lineEnd, textStart, textEnd, word, notWord }

  enum Instruction: Sendable {
    case scalar(UInt32)
    case set(Int)
    case any(newlines: Bool)
    /// The first target is preferred.
    case split(Int, Int)
    case jump(Int)
    case open(Int)
    case close(Int)
    case assert(Assertion)
    case match
  }

  let pattern: String
  let groupCount: Int
  let names: [String: Int]
  private let program: [Instruction]
  private let sets: [ScalarSet]
  private let starts: Starts

  /// - Throws: `RegexSyntax.Fault` with the offset and what is wrong there.
  init(_ pattern: String) throws(RegexSyntax.Fault) {
    var syntax = RegexSyntax(pattern)
    let node = try syntax.parse()
    var compiler = RegexCompiler()
    try compiler.emit(node)
    compiler.finish()
    self.pattern = pattern
    groupCount = syntax.groupCount
    names = syntax.names
    program = compiler.program
    sets = compiler.sets
    starts = Starts(of: compiler.program, sets: compiler.sets)
  }

  /// Finds the first or the last of the matches that do not overlap.
  ///
  /// - Parameters:
  ///   - text: Unicode scalars.
  ///   - group: the group whose range is wanted, 0 for the whole match.
  ///   - stepsMax: instructions run before giving up, a count that depends on the input alone;
  ///     nil: enough for every search that is linear, which a last match need not be.
  /// - Throws: `Exhausted`.
  func find(
    _ which: Which, in text: [UInt32], group: Int = 0, stepsMax: Int? = nil
  ) throws(Exhausted) -> Match? {
    var machine = Machine(program: program, sets: sets, starts: starts, group: group)
    machine.stepsLeft = stepsMax ?? 1_000_000 + text.count * 8 * min(program.count, 40)
    var found: Match?
    var position = 0
    while position <= text.count, let match = try machine.run(text, from: position) {
      found = match
      if which == .first { break }
      position = match.whole.isEmpty ? match.whole.upperBound + 1 : match.whole.upperBound
    }
    return found
  }

  /// True where the pattern occurs; a text too costly to decide counts as no match.
  func occurs(in text: [UInt32]) -> Bool {
    ((try? find(.first, in: text)) ?? nil) != nil
  }
}

/// Where a match can begin: most of a text is passed over without waking the machine.
struct Starts: Sendable {
  /// Nothing is known: a match may be empty.
  private(set) var isAnywhere = false
  /// Only at the start of the text.
  private(set) var isAnchored = false
  private var low: UInt64 = 0
  private var high: UInt64 = 0
  private var hasOthers = false

  init(of program: [LinearRegex.Instruction], sets: [ScalarSet]) {
    for index in Self.reached(in: program, passesTextStart: true) {
      switch program[index] {
      case .scalar(let value):
        insert { $0 == value }
        if value >= 128 { hasOthers = true }
      case .set(let set):
        insert { sets[set].contains($0) }
        hasOthers = true
      case .any:
        insert { _ in true }
        hasOthers = true
      default: isAnywhere = true
      }
    }
    // With the way through the text's start closed, nothing is left to begin with.
    isAnchored = Self.reached(in: program, passesTextStart: false).isEmpty
  }

  /// What reads a scalar, or ends the match, before any scalar is read.
  private static func reached(
    in program: [LinearRegex.Instruction], passesTextStart: Bool
  ) -> [Int] {
    var pending = [0]
    var seen = Set<Int>()
    var result: [Int] = []
    while let index = pending.popLast() {
      guard seen.insert(index).inserted else { continue }
      switch program[index] {
      case .jump(let target): pending.append(target)
      case .split(let first, let second): pending += [first, second]
      case .assert(.textStart) where !passesTextStart: continue
      case .open, .close, .assert: pending.append(index + 1)
      case .scalar, .set, .any, .match: result.append(index)
      }
    }
    return result
  }

  private mutating func insert(_ isMember: (UInt32) -> Bool) {
    for scalar in UInt32(0)..<128 where isMember(scalar) {
      if scalar < 64 { low |= 1 << UInt64(scalar) } else { high |= 1 << UInt64(scalar - 64) }
    }
  }

  func contains(_ scalar: UInt32) -> Bool {
    if scalar < 64 { return low >> UInt64(scalar) & 1 == 1 }
    if scalar < 128 { return high >> UInt64(scalar - 64) & 1 == 1 }
    return hasOthers
  }
}

/// A set of scalars as sorted ranges, perhaps negated, with a bitmap for ASCII.
struct ScalarSet: Hashable, Sendable {
  private(set) var ranges: [ClosedRange<UInt32>] = []
  private(set) var categories: [CategoryTest] = []
  private var low: UInt64 = 0
  private var high: UInt64 = 0
  var isNegated = false

  /// Membership of a Unicode general category, by its short name ("L", "Lu", …).
  struct CategoryTest: Hashable, Sendable {
    var name: String
    var isNegated: Bool
  }

  mutating func insert(_ range: ClosedRange<UInt32>) {
    ranges.append(range)
    guard range.lowerBound < 128 else { return }
    for scalar in range.lowerBound...min(range.upperBound, 127) {
      if scalar < 64 { low |= 1 << UInt64(scalar) } else { high |= 1 << UInt64(scalar - 64) }
    }
  }

  mutating func insert(_ several: [ClosedRange<UInt32>]) {
    for range in several { insert(range) }
  }

  mutating func insert(_ test: CategoryTest) { categories.append(test) }

  mutating func formUnion(_ other: ScalarSet) {
    for range in other.isNegated ? other.complement : other.ranges { insert(range) }
    categories += other.categories
  }

  private var complement: [ClosedRange<UInt32>] {
    var next: UInt32 = 0
    var result: [ClosedRange<UInt32>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
      next = max(next, range.upperBound &+ 1)
    }
    if next <= 0x10FFFF { result.append(next...0x10FFFF) }
    return result
  }

  /// Adds the other case of every letter that has exactly one scalar there.
  mutating func foldCase() {
    // A wide range holds both cases already but for a few; walking a million scalars is not worth
    // it, so only narrow ranges are folded one by one.
    for range in ranges where range.upperBound - range.lowerBound < 1024 {
      for value in range {
        for other in caseVariants(value) where other != value { insert(other...other) }
      }
    }
  }

  func contains(_ scalar: UInt32) -> Bool {
    var isMember: Bool
    if scalar < 64 {
      isMember = low >> UInt64(scalar) & 1 == 1
    } else if scalar < 128 {
      isMember = high >> UInt64(scalar - 64) & 1 == 1
    } else {
      isMember = ranges.contains { $0.contains(scalar) }
    }
    if !isMember, !categories.isEmpty, let value = Unicode.Scalar(scalar) {
      isMember = categories.contains { categoryMatches(value, $0.name) != $0.isNegated }
    }
    return isMember != isNegated
  }
}

/// The scalar with its upper and lower case, where those are one scalar long.
func caseVariants(_ value: UInt32) -> [UInt32] {
  guard let scalar = Unicode.Scalar(value) else { return [value] }
  let lower = scalar.properties.lowercaseMapping.unicodeScalars
  let upper = scalar.properties.uppercaseMapping.unicodeScalars
  var result = [value]
  if lower.count == 1, let only = lower.first { result.append(only.value) }
  if upper.count == 1, let only = upper.first { result.append(only.value) }
  return result
}

private func categoryMatches(_ scalar: Unicode.Scalar, _ name: String) -> Bool {
  let short: String
  switch scalar.properties.generalCategory {
  case .uppercaseLetter: short = "Lu"
  case .lowercaseLetter: short = "Ll"
  case .titlecaseLetter: short = "Lt"
  case .modifierLetter: short = "Lm"
  case .otherLetter: short = "Lo"
  case .nonspacingMark, .spacingMark, .enclosingMark: short = "M"
  case .decimalNumber: short = "Nd"
  case .letterNumber, .otherNumber: short = "No"
  case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
    .initialPunctuation, .finalPunctuation, .otherPunctuation:
    short = "P"
  case .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol: short = "S"
  case .spaceSeparator, .lineSeparator, .paragraphSeparator: short = "Z"
  default: short = "C"
  }
  return short == name || (name.count == 1 && short.hasPrefix(name))
}
