// The usage object of the Anthropic dialect, normalised to buckets that never overlap.
//
// Here cached tokens stand beside the input count and thinking inside the output count.

import Metering

/// The figures of one `usage` object, or of one entry of its `iterations`; the last value that is
/// not null wins, per field.
struct AnthropicFigures: Hashable, Sendable {
  enum Field: UInt8 {
    case input, output, cacheRead, cacheWrite, cacheWrite5m, cacheWrite1h, thinking
    case webSearches
  }

  var input: Int64?
  var output: Int64?
  var cacheRead: Int64 = 0
  var cacheWrite: Int64?
  var cacheWrite5m: Int64 = 0
  var cacheWrite1h: Int64 = 0
  var thinking: Int64 = 0
  var webSearches: Int64 = 0
  private(set) var isInconsistent = false

  /// Takes a figure.
  ///
  /// - Parameter number: nil where it is no whole number within range. A negative count is as if it
  ///   were not said: believed, it would be a free call.
  mutating func set(_ field: Field, _ number: Int64?) {
    guard let count = number, (0...OpenAIUsage.countMax).contains(count) else {
      isInconsistent = true
      return
    }
    switch field {
    case .input: input = count
    case .output: output = count
    case .cacheRead: cacheRead = count
    case .cacheWrite: cacheWrite = count
    case .cacheWrite5m: cacheWrite5m = count
    case .cacheWrite1h: cacheWrite1h = count
    case .thinking: thinking = count
    case .webSearches: webSearches = count
    }
  }

  /// The figures in disjoint buckets; nil where input or output was not said.
  func normalised() -> (usage: Usage, isInconsistent: Bool)? {
    guard let input, let output else { return nil }
    var isInconsistent = isInconsistent
    var usage = Usage(source: .reported)
    usage.inputUncached = input
    usage.cacheRead = cacheRead
    usage.cacheWrite5m = cacheWrite5m
    usage.cacheWrite1h = cacheWrite1h
    let parts = cacheWrite5m + cacheWrite1h
    if let cacheWrite, cacheWrite != parts {
      if parts == 0 {
        // Without its parts it is the short life, the only one there was before there were two.
        usage.cacheWrite5m = cacheWrite
      } else if cacheWrite > parts {
        // What no part names is taken for the dearer life.
        usage.cacheWrite1h += cacheWrite - parts
        isInconsistent = true
      } else {
        isInconsistent = true
      }
    }
    if thinking > output { isInconsistent = true }
    usage.outputReasoning = min(thinking, output)
    usage.outputText = output - usage.outputReasoning
    if webSearches > 0 { usage[.webSearches] = webSearches }
    return (usage, isInconsistent)
  }

  /// Input of every kind and output, for a look at what a total includes.
  var sums: [Int64] {
    [input ?? 0, output ?? 0, cacheRead, cacheWrite ?? cacheWrite5m + cacheWrite1h]
  }
}

/// One sampling iteration within a call.
struct AnthropicIteration: Hashable, Sendable {
  /// Whether its tokens are of the turn itself, of the summary of a closed context, or of an
  /// adviser.
  enum Kind: Sendable { case message, compaction, adviser, unknown }

  var kind = Kind.unknown
  var model = ""
  var figures = AnthropicFigures()
}

/// A call's usage, iterations included.
struct AnthropicUsage: Hashable, Sendable {
  /// No call iterates near this often.
  static let iterationsMax = 256

  var total = AnthropicFigures()
  private(set) var iterations: [AnthropicIteration] = []

  mutating func beginIterations() { iterations = [] }

  mutating func add(_ iteration: AnthropicIteration) {
    if iterations.count < Self.iterationsMax { iterations.append(iteration) }
  }

  /// What the answering model used, and what others did; nil where the provider did not say.
  ///
  /// By the provider's documents the totals are of the attempt that served: attempts that were
  /// declined before it stand among the entries alone, and so do compactions and advisers. Should
  /// the totals be the sum of more entries than these, they hold that many: so no token is billed
  /// twice and none is left out. Each entry that names another model is billed at that one's price.
  ///
  /// - Parameter model: the model that the answer names.
  func normalised(
    model: String
  ) -> (usage: Usage, others: [ModelUsage], isInconsistent: Bool)? {
    guard let (total, isTotalInconsistent) = total.normalised() else { return nil }
    var usage = total
    var isInconsistent = isTotalInconsistent
    var others: [ModelUsage] = []
    func add(_ iteration: AnthropicIteration, isHeld: Bool) {
      guard let (part, isPartInconsistent) = iteration.figures.normalised() else {
        isInconsistent = true
        return
      }
      isInconsistent = isInconsistent || isPartInconsistent
      let isOwn = iteration.model.isEmpty || iteration.model == model
      if isHeld && !isOwn { usage.subtract(part) }
      if !isOwn { others.append(ModelUsage(model: iteration.model, usage: part)) }
      if isOwn && !isHeld { usage.add(part) }
    }
    let turn = iterations.filter { $0.kind == .message || $0.kind == .unknown }
    let advisers = iterations.filter { $0.kind == .adviser }
    let holdsAdvisers = !advisers.isEmpty && held(of: turn, with: advisers) != nil
    if let held = held(of: turn, with: holdsAdvisers ? advisers : []) {
      for (index, iteration) in turn.enumerated() {
        add(iteration, isHeld: held.contains(index))
      }
    } else {
      // The totals stand as they are; what another model says it used is not given away.
      for iteration in turn where !iteration.model.isEmpty && iteration.model != model {
        isInconsistent = true
        add(iteration, isHeld: false)
      }
    }
    for iteration in advisers { add(iteration, isHeld: holdsAdvisers) }
    for iteration in iterations where iteration.kind == .compaction {
      add(iteration, isHeld: false)
    }
    return (usage, others, isInconsistent)
  }

  /// The last entries of a turn whose sum, that of `others` included, is the totals; nil where no
  /// number of them is. All of them are tried first: entries without tokens change nothing.
  private func held(
    of turn: [AnthropicIteration], with others: [AnthropicIteration]
  ) -> Range<Int>? {
    let first = turn.indices.first { Self.sums(turn[$0...] + others) == total.sums }
    return first.map { $0..<turn.count }
  }

  private static func sums(_ iterations: some Sequence<AnthropicIteration>) -> [Int64] {
    // Counts are below 2⁴⁸ and entries few, so that sums stay in range.
    iterations.reduce([0, 0, 0, 0]) { sums, iteration in
      zip(sums, iteration.figures.sums).map { $0 + $1 }
    }
  }
}

extension Usage {
  /// Takes another usage's counts out of these, none below zero.
  fileprivate mutating func subtract(_ other: Usage) {
    other.forEachCount { self[$0] = max(0, self[$0] - $1) }
  }
}
