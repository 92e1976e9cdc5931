// Puts the classes of a baseline and of a period side by side, in one fixed order: classes of the
// baseline sorted, then those that only the period has, then the special ones.
//
// A class of the period that the baseline never had stays a column of its own: merging it into
// some "other" would hide exactly what is looked for.

/// Two tallies over the same list of classes.
struct Alignment {
  var baseline: Tally
  var period: Tally
  /// Every class that is shown, including those with no output on either side.
  var shown: [String]
  /// The classes with an output on at least one side; K is their number.
  var counted: [String]
  /// What was merged into `__rare__`.
  var merged: [String] = []

  /// - Parameter known: classes to show even where neither side has them.
  init(baseline: Tally, period: Tally, known: [String], classesMax: Int) {
    self.baseline = baseline
    self.period = period
    shown = Alignment.order(baseline, period, known)
    counted = shown.filter { baseline[$0] > 0 || period[$0] > 0 }
    mergeRare(classesMax: classesMax, known: known)
  }

  private static func order(_ baseline: Tally, _ period: Tally, _ known: [String]) -> [String] {
    let inBaseline = Set(baseline.labels).union(known)
    let unseen = Set(period.labels).subtracting(inBaseline)
    let special = inBaseline.union(unseen).filter(SpecialLabel.isSpecial)
    return Tally.ordered(inBaseline.subtracting(special))
      + Tally.ordered(unseen.subtracting(special)) + Tally.ordered(special)
  }

  /// Above `classesMax` classes, those with fewer than 5 outputs on both sides together and less
  /// than 0.1 % of the baseline become one.
  private mutating func mergeRare(classesMax: Int, known: [String]) {
    guard counted.count > classesMax else { return }
    let baselineTotal = max(Double(baseline.total), 1)
    let rare = counted.filter { label in
      !SpecialLabel.isSpecial(label) && !known.contains(label)
        && baseline[label] < 5 && period[label] < 5 && baseline[label] + period[label] < 5
        && Double(baseline[label]) / baselineTotal < 0.001
    }
    guard rare.count > 1 else { return }
    merged = rare
    let names = Set(rare)
    baseline = baseline.renaming(names, to: SpecialLabel.rare.rawValue)
    period = period.renaming(names, to: SpecialLabel.rare.rawValue)
    shown = Alignment.order(baseline, period, known)
    counted = shown.filter { baseline[$0] > 0 || period[$0] > 0 }
  }
}
