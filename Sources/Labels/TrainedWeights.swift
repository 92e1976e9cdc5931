// The weights while they are learnt, in the order of the buckets that the examples have.

import Foundation

/// Weights and the squares that set their steps.
struct TrainedWeights {
  private let count: Int
  private let buckets: [UInt32]
  private var places: [UInt32: Int] = [:]
  /// `count` for each bucket, then `count` biases.
  private var weights: [Float]
  private var squares: [Float]
  private var errors: [Float]

  init(labels: Int, buckets: Set<UInt32>) {
    count = labels
    self.buckets = buckets.sorted()
    for (place, bucket) in self.buckets.enumerated() { places[bucket] = place }
    weights = [Float](repeating: 0, count: (buckets.count + 1) * labels)
    squares = [Float](repeating: 0.01, count: weights.count)
    errors = [Float](repeating: 0, count: labels)
  }

  /// Features by their place, with the bias as the last.
  func placed(_ features: [TextFeatures.Feature]) -> [(place: Int, value: Float)] {
    features.compactMap { feature in places[feature.bucket].map { ($0, feature.value) } }
      + [(buckets.count, 1)]
  }

  func scores(of features: [TextFeatures.Feature]) -> [Double] {
    var scores = [Double](repeating: 0, count: count)
    for (place, value) in placed(features) {
      for label in 0..<count { scores[label] += Double(value * weights[place * count + label]) }
    }
    return scores
  }

  /// One example's step against its gradient.
  mutating func step(
    _ features: [(place: Int, value: Float)], label: Int, rate: Float, decay: Float
  ) {
    let count = count
    weights.withUnsafeMutableBufferPointer { weights in
      squares.withUnsafeMutableBufferPointer { squares in
        errors.withUnsafeMutableBufferPointer { errors in
          for index in 0..<count { errors[index] = 0 }
          for (place, value) in features {
            let row = place * count
            for index in 0..<count { errors[index] += value * weights[row + index] }
          }
          var highest = errors[0]
          for index in 0..<count { highest = max(highest, errors[index]) }
          var sum: Float = 0
          for index in 0..<count {
            errors[index] = exp(errors[index] - highest)
            sum += errors[index]
          }
          for index in 0..<count { errors[index] /= sum }
          errors[label] -= 1
          for (place, value) in features {
            let row = place * count
            for index in 0..<count {
              let gradient = errors[index] * value + decay * weights[row + index]
              squares[row + index] += gradient * gradient
              weights[row + index] -= rate * gradient / squares[row + index].squareRoot()
            }
          }
        }
      }
    }
  }

  /// The model with weights in 254 steps a label: the labels are the same to within a rounding, and
  /// the file is an eighth as long.
  func model(
    name: String, labels: [String], provenance: TextModel.Provenance, quality: TextModelQuality,
    temperature: Double
  ) -> TextModel {
    var steps = [Double](repeating: 0, count: count)
    for place in buckets.indices {
      for label in 0..<count {
        steps[label] = max(steps[label], Double(abs(weights[place * count + label])) / 127)
      }
    }
    var rounded: [Int8] = []
    rounded.reserveCapacity(buckets.count * count)
    var kept: [UInt32] = []
    for (place, bucket) in buckets.enumerated() {
      let row = (0..<count).map { label -> Int8 in
        guard steps[label] > 0 else { return 0 }
        return Int8((Double(weights[place * count + label]) / steps[label]).rounded())
      }
      guard row.contains(where: { $0 != 0 }) else { continue }
      kept.append(bucket)
      rounded += row
    }
    let biases = (0..<count).map { Double(weights[buckets.count * count + $0]) }
    return TextModel(
      name: name, labels: labels, provenance: provenance, quality: quality,
      temperature: temperature, biases: biases, steps: steps, buckets: kept, weights: rounded)
  }
}
