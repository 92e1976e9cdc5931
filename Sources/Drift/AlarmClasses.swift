// The classes of a continuous alarm and what the baseline held of each. They are fixed when the
// alarm starts: labels with few outputs, and those that appear later, are counted together as
// `__other__`.
//
// Why folded: where new labels keep coming (topics, names), those that the baseline has not seen
// hold some percent together, and an alarm that expected none of them would be certain.

/// The classes of an alarm, the last of them `__other__`.
struct AlarmClasses: Hashable, Sendable {
  /// Outputs that a class of its own must have.
  static let countMin: Int64 = 5
  /// Classes at most, `__other__` included.
  static let classesMax = 50
  /// The classes in fixed order, `__other__` last.
  let labels: [String]
  private let places: [String: Int]

  init(labels: [String]) {
    self.labels = labels
    places = Dictionary(labels.enumerated().map { ($1, $0) }) { first, _ in first }
  }

  /// The classes for a baseline.
  init(baseline: Tally) {
    let other = SpecialLabel.other.rawValue
    let most = baseline.labels.filter { baseline[$0] >= Self.countMin && $0 != other }.enumerated()
      .sorted { left, right in
        (baseline[right.element], left.offset) < (baseline[left.element], right.offset)
      }.prefix(Self.classesMax - 1).map(\.element)
    self.init(labels: Tally.ordered(Set(most)) + [other])
  }

  /// Whether the labels can be those of an alarm.
  var isSound: Bool {
    places.count == labels.count && labels.last == SpecialLabel.other.rawValue
  }

  func place(of label: String) -> Int { places[label] ?? labels.count - 1 }

  /// The label under which the alarm counts one.
  func name(of label: String) -> String { labels[place(of: label)] }

  /// Counts per class, whatever the probabilities.
  func counts(of tally: Tally) -> [Int64] {
    var counts = labels.map { _ in Int64(0) }
    for label in tally.labels {
      let k = place(of: label)
      counts[k] = saturatingSum(counts[k], tally[label])
    }
    return counts
  }

  /// The same outputs by class.
  func folded(_ tally: Tally) -> Tally {
    let other = SpecialLabel.other.rawValue
    return tally.renaming(Set(tally.labels.filter { name(of: $0) == other }), to: other)
  }

  /// φ of a baseline's blocks over these classes; 1 where there are too few of them.
  func wobbleFactor(of blocks: [Tally]) -> Double {
    Wobble.measured(in: blocks.map(folded))?.factor ?? 1
  }
}
