// A request made into one of another model, or of a shorter answer: by splices, as an output bound
// is put in, so that nothing else of it changes.

import Metering

/// The output bounds that a body sets itself, of which no dialect has more than three.
struct StatedBounds: Hashable, Sendable {
  struct Bound: Hashable, Sendable {
    var range: Range<Int>
    var tokens: Int64
  }

  private var first: Bound?
  private var second: Bound?
  private var third: Bound?

  mutating func note(_ tokens: Int64?, at range: Range<Int>) {
    guard let tokens else { return }
    let bound = Bound(range: range, tokens: tokens)
    if first == nil {
      first = bound
    } else if second == nil {
      second = bound
    } else {
      third = bound
    }
  }

  var isEmpty: Bool { first == nil }

  /// What makes each that is larger the same as this one.
  func splices(loweringTo most: Int64) -> [BodySplice] {
    [first, second, third].compactMap { bound in
      guard let bound, bound.tokens > most else { return nil }
      return BodySplice(range: bound.range, inserting: Array("\(most)".utf8))
    }
  }
}

/// What makes a request into its substitute.
public struct Substitution: Hashable, Sendable {
  /// Changes to the body, in the order of their ranges.
  public var body: [BodySplice] = []
  /// A change to the path, counted from its first byte; nil: it stays.
  public var path: BodySplice?
  /// An output bound of the caller's is among them.
  public var lowersBounds = false
}

extension Operation {
  /// How a request becomes one of a substitute. Where a bound of the caller's is no larger than the
  /// substitute's, it stays; a bound that is not set is not put in here.
  ///
  /// - Parameters:
  ///   - request: peeked from the body.
  ///   - path: as in `peek`.
  /// - Returns: nil where it cannot be: the answer would be of another kind (vectors, pictures,
  ///   sound), the body is in the form of the model's maker, or its model stands nowhere.
  public func substitution(
    of request: PeekedRequest, by substitute: Substitute, path: UnsafeRawBufferPointer
  ) -> Substitution? {
    guard isSampled || self == .completions else { return nil }
    var substitution = Substitution()
    if let model = substitute.model, model != request.model {
      if let place = request.modelPlace {
        guard let name = Self.quoted(model) else { return nil }
        substitution.body.append(BodySplice(range: place, inserting: name))
      } else {
        guard isSameForm(request.model, model), let place = modelPlace(inPath: PathTail(path)),
          let name = Self.escaped(model)
        else { return nil }
        substitution.path = BodySplice(range: place, inserting: name)
      }
    }
    if let most = substitute.outputTokensMax {
      let lowered = request.statedBounds.splices(loweringTo: most)
      substitution.lowersBounds = !lowered.isEmpty
      substitution.body += lowered
    }
    substitution.body.sort { $0.range.lowerBound < $1.range.lowerBound }
    return substitution
  }

  /// Whether a body for the one model can be sent to the other.
  private func isSameForm(_ model: String, _ other: String) -> Bool {
    guard self == .invokeModel || self == .invokeModelStream else { return true }
    switch (InvokeForm(model: model), InvokeForm(model: other)) {
    case (.messages, .messages), (.nova, .nova): return true
    case (.flat(let form), .flat(let otherForm)): return form == otherForm
    default: return false
    }
  }

  private func modelPlace(inPath path: PathTail) -> Range<Int>? {
    switch self {
    case .generateContent, .streamGenerateContent: path.placeBeforeVerb
    case .converse, .converseStream, .invokeModel, .invokeModelStream: path.placeOfBedrockModel
    default: path.placeOfDeployment
    }
  }

  private static func quoted(_ name: String) -> [UInt8]? {
    let isPlain = name.utf8.allSatisfy {
      $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
    }
    return isPlain ? Array("\"\(name)\"".utf8) : nil
  }

  /// A name as one segment of a path, escaped as SDKs do it.
  private static func escaped(_ name: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    for byte in name.utf8 {
      switch byte {
      case UInt8(ascii: ":"): bytes += Array("%3A".utf8)
      case UInt8(ascii: "/"): bytes += Array("%2F".utf8)
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"):
        bytes.append(byte)
      default: return nil
      }
    }
    return bytes.isEmpty ? nil : bytes
  }
}

extension PathTail {
  /// Of the model in `/model/ID/VERB`.
  fileprivate var placeOfBedrockModel: Range<Int>? {
    guard bedrockModel != nil, let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else {
      return nil
    }
    let start = ("/model/" as StaticString).utf8CodeUnitCount
    return start < slash ? start..<slash : nil
  }

  /// Of the one segment behind `/deployments/` or `/engines/`.
  fileprivate var placeOfDeployment: Range<Int>? {
    guard let name = deployment, !name.isEmpty else { return nil }
    for collection in ["/deployments/", "/engines/"] as [StaticString] {
      guard let end = range(of: collection)?.upperBound else { continue }
      return end..<end + name.utf8.count
    }
    return nil
  }
}
