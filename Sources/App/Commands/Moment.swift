// Moments as commands print them.

import Metering

/// Moments as text, in UTC, to the second.
enum Moment {
  static func text(_ time: Timestamp) -> String {
    String(time.iso8601.dropLast(5)) + "Z"
  }
}
