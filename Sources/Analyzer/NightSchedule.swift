// When a night is due: a rule over values, so that a test can live through a year in a second.

import Foundation
import Metering

/// Once a day at a time of day, for the day before.
public struct NightSchedule: Hashable, Sendable {
  /// 0…23 and 0…59, in `zone`.
  public var hour: Int
  public var minute: Int
  public var zone: TimeZone
  /// Missed nights that are caught up at most, the latest ones.
  public var catchUpMax = 7

  /// - Throws: `schedule` where the time of day is none.
  public init(hour: Int, minute: Int, zone: TimeZone) throws(AnalyzerFault) {
    guard (0...23).contains(hour), (0...59).contains(minute) else {
      throw AnalyzerFault(
        .schedule, "\(hour):\(minute) is no time of day",
        hint: "Give an hour from 0 to 23 and a minute from 0 to 59.")
    }
    self.hour = hour
    self.minute = minute
    self.zone = zone
  }

  /// The day that the latest run due is about.
  public func latest(at now: Timestamp) -> CivilDate {
    let today = CivilDate(now, in: zone)
    let isPast = now >= today.at(hour: hour, minute: minute, in: zone)
    return today.adding(days: isPast ? -1 : -2)
  }

  /// Days to judge now, oldest first.
  /// - Parameter last: the latest day judged; nil: none ever, so only the latest is due.
  public func due(at now: Timestamp, last: CivilDate?) -> [CivilDate] {
    let latest = latest(at: now)
    guard let last else { return [latest] }
    var due: [CivilDate] = []
    var date = latest
    while date > last, due.count < max(catchUpMax, 1) {
      due.append(date)
      date = date.adding(days: -1)
    }
    return due.reversed()
  }

  /// The next moment at which a night comes due.
  public func next(after now: Timestamp) -> Timestamp {
    let today = CivilDate(now, in: zone)
    let moment = today.at(hour: hour, minute: minute, in: zone)
    return moment > now
      ? moment : today.adding(days: 1).at(hour: hour, minute: minute, in: zone)
  }
}
