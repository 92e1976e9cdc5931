// A text classifier that a team trained on its own labels: multinomial logistic regression over
// hashed words and letters. A file that is reviewed like code, since a gate may hang on its labels.

import Foundation

/// A trained classifier of texts.
public struct TextModel: Sendable {
  /// Where the examples came from; makes no label.
  public struct Provenance: Hashable, Sendable, Codable {
    public var app: String
    /// The label column of the samples.
    public var column: String
    /// The conditions that chose the samples, as given.
    public var filter: [String]
    /// The times of the first and last example, ISO 8601.
    public var since: String
    public var until: String

    public init(app: String, column: String, filter: [String], since: String, until: String) {
      self.app = app
      self.column = column
      self.filter = filter
      self.since = since
      self.until = until
    }
  }

  public let name: String
  /// Sorted; at least two.
  public let labels: [String]
  public let provenance: Provenance
  /// Measured on examples that the measured model had not seen.
  public let quality: TextModelQuality
  /// Divides the scores before they become probabilities (C. Guo et al., On calibration of modern
  /// neural networks, 2017); above 0.
  let temperature: Double
  let biases: [Double]
  /// What a step of a label's weights is worth, a label each.
  let steps: [Double]
  /// Buckets with weights, ascending.
  let buckets: [UInt32]
  /// Weights in steps, `labels.count` for each bucket.
  let weights: [Int8]
  /// 16 hexadecimal digits over all that makes a label or a probability.
  public let digest: String
  /// Place in `buckets` by bucket, -1 where it has no weights.
  private let places: [Int32]

  init(
    name: String, labels: [String], provenance: Provenance, quality: TextModelQuality,
    temperature: Double, biases: [Double], steps: [Double], buckets: [UInt32], weights: [Int8]
  ) {
    self.name = name
    self.labels = labels
    self.provenance = provenance
    self.quality = quality
    self.temperature = temperature
    self.biases = biases
    self.steps = steps
    self.buckets = buckets
    self.weights = weights
    var places = [Int32](repeating: -1, count: TextFeatures.bucketCount)
    for (place, bucket) in buckets.enumerated() { places[Int(bucket)] = Int32(place) }
    self.places = places
    let figures = ([temperature] + biases + steps).map { String($0.bitPattern, radix: 16) }
    let parts = ["\(TextFeatures.revision)"] + labels + figures
    digest = hexDigest(parts + [Self.base64(buckets), Self.base64(weights)])
  }

  /// The most probable label of a text and its probability, 0…1; of two alike the first.
  public func classify(_ text: String) -> (label: String, probability: Double) {
    let probabilities = probabilities(of: text)
    var best = 0
    for index in labels.indices where probabilities[index] > probabilities[best] { best = index }
    return (labels[best], probabilities[best])
  }

  /// A probability for each label; they sum to 1.
  func probabilities(of text: String) -> [Double] {
    let count = labels.count
    var sums = [Double](repeating: 0, count: count)
    for feature in TextFeatures(of: text).features {
      let place = Int(places[Int(feature.bucket)])
      guard place >= 0 else { continue }
      for index in 0..<count {
        sums[index] += Double(feature.value) * Double(weights[place * count + index])
      }
    }
    let scores = (0..<count).map { (biases[$0] + steps[$0] * sums[$0]) / temperature }
    return softmax(scores)
  }
}

extension TextModel: Hashable {
  public static func == (one: Self, other: Self) -> Bool {
    one.digest == other.digest && one.name == other.name && one.provenance == other.provenance
      && one.quality == other.quality
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(digest) }
}

/// Probabilities that are proportional to the exponentials of scores.
func softmax(_ scores: [Double]) -> [Double] {
  let highest = scores.max() ?? 0
  let powers = scores.map { exp($0 - highest) }
  let sum = powers.reduce(0, +)
  return powers.map { $0 / sum }
}

// MARK: - The file's form

extension TextModel: Codable {
  /// Names are for ever; a later form gets another `format`.
  private enum Key: String, CodingKey {
    case format, name, labels, provenance, quality, temperature, biases, steps, buckets, weights
    case features
  }

  private static let format = 1

  public func encode(to encoder: any Encoder) throws {
    var form = encoder.container(keyedBy: Key.self)
    try form.encode(Self.format, forKey: .format)
    try form.encode(TextFeatures.revision, forKey: .features)
    try form.encode(name, forKey: .name)
    try form.encode(labels, forKey: .labels)
    try form.encode(provenance, forKey: .provenance)
    try form.encode(quality, forKey: .quality)
    try form.encode(temperature, forKey: .temperature)
    try form.encode(biases, forKey: .biases)
    try form.encode(steps, forKey: .steps)
    try form.encode(Self.base64(buckets), forKey: .buckets)
    try form.encode(Self.base64(weights), forKey: .weights)
  }

  public init(from decoder: any Decoder) throws {
    let form = try decoder.container(keyedBy: Key.self)
    func fault(_ key: Key, _ why: String) -> DecodingError {
      .dataCorruptedError(forKey: key, in: form, debugDescription: why)
    }
    let format = try form.decode(Int.self, forKey: .format)
    guard format == Self.format else {
      throw fault(.format, "its format is \(format), this program reads \(Self.format)")
    }
    guard try form.decode(Int.self, forKey: .features) == TextFeatures.revision else {
      throw fault(.features, "it was trained for another way to read texts; train it anew")
    }
    let labels = try form.decode([String].self, forKey: .labels)
    guard labels.count >= 2, labels == Set(labels).sorted(),
      labels.allSatisfy({ tidyLabel($0) == $0 })
    else { throw fault(.labels, "labels are not two or more, sorted, of one line each") }
    let temperature = try form.decode(Double.self, forKey: .temperature)
    guard temperature > 0, temperature.isFinite else {
      throw fault(.temperature, "the temperature is not above 0")
    }
    let biases = try form.decode([Double].self, forKey: .biases)
    let steps = try form.decode([Double].self, forKey: .steps)
    guard biases.count == labels.count, steps.count == labels.count,
      (biases + steps).allSatisfy({ abs($0) < 1e6 }), steps.allSatisfy({ $0 >= 0 })
    else { throw fault(.biases, "there is not one finite bias and step for each label") }
    let buckets: [UInt32] = Self.values(try form.decode(String.self, forKey: .buckets)) ?? []
    guard !buckets.isEmpty, zip(buckets, buckets.dropFirst()).allSatisfy(<),
      Int(buckets[buckets.count - 1]) < TextFeatures.bucketCount
    else { throw fault(.buckets, "the buckets are not ascending numbers in base64") }
    let weights: [Int8] = Self.values(try form.decode(String.self, forKey: .weights)) ?? []
    guard weights.count == buckets.count * labels.count else {
      throw fault(.weights, "the weights are not one for each label and bucket")
    }
    self.init(
      name: try form.decode(String.self, forKey: .name), labels: labels,
      provenance: try form.decode(Provenance.self, forKey: .provenance),
      quality: try form.decode(TextModelQuality.self, forKey: .quality),
      temperature: temperature, biases: biases, steps: steps, buckets: buckets, weights: weights)
  }

  /// Little-endian integers in base64.
  private static func base64(_ values: [some FixedWidthInteger]) -> String {
    var data = Data()
    for value in values { withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) } }
    return data.base64EncodedString()
  }

  private static func values<Value: FixedWidthInteger>(_ text: String) -> [Value]? {
    let width = MemoryLayout<Value>.size
    guard let data = Data(base64Encoded: text), data.count % width == 0 else { return nil }
    return data.withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: width).map { offset in
        Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
      }
    }
  }
}
