// One case of the comparison, made from a seed alone, and what a thread counts over many of them.

import Wire

/// The bytes of one side of one connection, how they are cut, and within which limits.
public struct FuzzCase: Equatable, Sendable {
  public let side: WireSide
  public let seed: UInt64
  public var bytes: [UInt8]
  public var cuts: [Int]
  public var methods: [RequestMethod]
  public var limits: HeadLimits

  public init(_ side: WireSide, seed: UInt64) {
    self.side = side
    self.seed = seed
    var grammar = WireGrammar(seed: seed)
    (bytes, methods) = grammar.connection(side)
    cuts = grammar.cuts(bytes.count)
    limits = grammar.limits()
  }
}

/// Two readings of a case that are not the same.
public struct FuzzDifference: Sendable {
  public let reason: String
  public let own: Transcript
  public let other: OtherReading
}

/// What was met in a number of cases.
public struct FuzzTally: Sendable {
  /// Cases of which a message or more was accepted, and compared.
  public private(set) var accepted = 0
  public private(set) var cases = 0
  public private(set) var messages = 0
  public private(set) var bytes = 0
  private var faults: [WireSide: [WireFault.Code: Int]] = [:]
  private var features: [WireSide: WireFeatures] = [:]

  public init() {}

  /// Cases that ended in a fault; messages before it were accepted.
  public var refused: Int { faults.values.reduce(0) { $0 + $1.values.reduce(0, +) } }

  /// How often each fault was met, by name.
  public var refusals: [(name: String, count: Int)] {
    WireFault.Code.allCases.map { code in
      (code.rawValue, faults.values.reduce(0) { $0 + ($1[code] ?? 0) })
    }
  }

  /// Faults and features that a side can meet and that were not met.
  public func missed(_ sides: [WireSide]) -> [String] {
    var missed: [String] = []
    for side in sides {
      for code in WireFault.Code.allCases
      where code.sides.contains(side) && faults[side]?[code] == nil {
        missed.append("\(side) \(code.rawValue)")
      }
      for feature in WireFeature.allCases
      where feature.sides.contains(side) && features[side]?.contains(feature) != true {
        missed.append("\(side) \(feature)")
      }
    }
    return missed
  }

  mutating func add(_ example: FuzzCase, _ own: Transcript, _ met: WireFeatures) {
    cases += 1
    bytes += example.bytes.count
    messages += own.messages.count
    if !own.messages.isEmpty { accepted += 1 }
    if let fault = own.fault { faults[example.side, default: [:]][fault, default: 0] += 1 }
    features[example.side, default: WireFeatures()].formUnion(met)
  }

  public mutating func add(_ other: FuzzTally) {
    cases += other.cases
    bytes += other.bytes
    messages += other.messages
    accepted += other.accepted
    for (side, counts) in other.faults {
      faults[side, default: [:]].merge(counts, uniquingKeysWith: +)
    }
    for (side, met) in other.features {
      features[side, default: WireFeatures()].formUnion(met)
    }
  }
}

/// Reads cases with both readers. Belongs to the thread that made it.
public final class FuzzRunner {
  private let memory = GuardedMemory()
  private let other = OtherReader()
  public private(set) var tally = FuzzTally()

  public init() {}

  /// Reads a case and counts it. - Returns: the difference, if there is one.
  public func run(_ example: FuzzCase) -> FuzzDifference? {
    var reader = reader(example)
    reader.read(example.bytes, cuts: example.cuts)
    tally.add(example, reader.transcript, reader.features)
    return compare(example, reader.transcript)
  }

  /// The same without counting.
  public func difference(_ example: FuzzCase) -> FuzzDifference? {
    var reader = reader(example)
    reader.read(example.bytes, cuts: example.cuts)
    return compare(example, reader.transcript)
  }

  private func reader(_ example: FuzzCase) -> TranscriptReader {
    TranscriptReader(
      example.side, methods: example.methods, limits: example.limits, memory: memory)
  }

  private func compare(_ example: FuzzCase, _ own: Transcript) -> FuzzDifference? {
    if !example.cuts.isEmpty {
      var whole = reader(example)
      whole.read(example.bytes)
      if whole.transcript != own {
        return FuzzDifference(
          reason: "uncut, our own reading is \(whole.transcript)", own: own, other: OtherReading())
      }
    }
    guard !own.messages.isEmpty || own.fault == nil else { return nil }
    let seen = other.read(
      example.side, example.bytes, cuts: example.cuts, methods: example.methods)
    return own.difference(from: seen).map { FuzzDifference(reason: $0, own: own, other: seen) }
  }
}
