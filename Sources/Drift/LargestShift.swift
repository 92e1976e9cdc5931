// Largest shift of one class (L-infinity distance).
//
// Kind: metric, 0 … 1. Formula: max|p_k − q_k|.
// Default threshold: none, shown for comparison with managed monitors that use it.

extension CountTable {
  /// The largest absolute change of a share; 0 where a side is empty.
  public var largestShift: Double { shareChanges.reduce(0) { max($0, abs($1)) } }
}
