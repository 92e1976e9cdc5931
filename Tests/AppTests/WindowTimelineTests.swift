// Days and months of real time zones: clocks that change, also at midnight, leap days, year ends.

import Foundation
import TestSupport
import Testing

@testable import App
@testable import Metering

@Suite struct WindowTimelineTests {
  private func zone(_ name: String) throws -> TimeZone { try #require(TimeZone(identifier: name)) }

  /// A moment from ISO 8601 text.
  private func at(_ text: String) throws -> Timestamp {
    let date = try Date(text, strategy: .iso8601)
    return Timestamp(milliseconds: Int64(date.timeIntervalSince1970 * 1_000))
  }

  private func hours(_ window: WindowEdges) -> Double {
    Double(window.end.milliseconds - window.start.milliseconds) / 3_600_000
  }

  private func day(_ id: String, _ zoneName: String) throws -> WindowEdges {
    let start = try at("\(id)T12:00:00Z").adding(milliseconds: -3 * 86_400_000)
    let days = WindowTimeline(.day, timeZone: try zone(zoneName), from: start, days: 7).windows
    return try #require(days.first { $0.id == id })
  }

  @Test func berlinsClocksChange() throws {
    let spring = try day("2026-03-29", "Europe/Berlin")
    #expect(spring.start == (try at("2026-03-28T23:00:00Z")))
    #expect(spring.end == (try at("2026-03-29T22:00:00Z")))
    #expect(hours(spring) == 23)
    let autumn = try day("2026-10-25", "Europe/Berlin")
    #expect(autumn.start == (try at("2026-10-24T22:00:00Z")))
    #expect(autumn.end == (try at("2026-10-25T23:00:00Z")))
    #expect(hours(autumn) == 25)
    #expect(autumn.endText == "2026-10-26 00:00 Europe/Berlin")
  }

  @Test func santiagosDayBeginsAtOneWhenMidnightDoesNotExist() throws {
    // On 2026-09-06 the clock goes from 00:00 to 01:00.
    let spring = try day("2026-09-06", "America/Santiago")
    #expect(spring.start == (try at("2026-09-06T04:00:00Z")))
    #expect(hours(spring) == 23)
    let before = try day("2026-09-05", "America/Santiago")
    #expect(before.end == spring.start)
    #expect(before.endText == "2026-09-06 01:00 America/Santiago")
    // On 2026-04-04 at 24:00 it goes back to 23:00: Saturday has 25 hours.
    let autumn = try day("2026-04-04", "America/Santiago")
    #expect(hours(autumn) == 25)
    #expect(autumn.endText == "2026-04-05 00:00 America/Santiago")
  }

  @Test func beirutChangesAtMidnightToo() throws {
    let spring = try day("2026-03-29", "Asia/Beirut")
    #expect(hours(spring) == 23)
    #expect(try day("2026-03-28", "Asia/Beirut").endText == "2026-03-29 01:00 Asia/Beirut")
    #expect(hours(try day("2026-10-24", "Asia/Beirut")) == 25)
  }

  @Test func aHalfHourChangeIsNoWholeHour() throws {
    // Lord Howe Island moves its clocks by 30 minutes.
    #expect(hours(try day("2026-04-05", "Australia/Lord_Howe")) == 24.5)
    #expect(hours(try day("2026-10-04", "Australia/Lord_Howe")) == 23.5)
  }

  private func windows(
    _ span: BudgetSpan, _ zoneName: String, from start: String, days: Int
  ) throws -> [WindowEdges] {
    WindowTimeline(span, timeZone: try zone(zoneName), from: try at(start), days: days).windows
  }

  @Test func leapDayAndYearEnd() throws {
    let leap = try windows(.day, "UTC", from: "2028-02-27T10:00:00Z", days: 4)
    #expect(leap.map(\.id) == ["2028-02-27", "2028-02-28", "2028-02-29", "2028-03-01"])
    let february = try windows(.month, "UTC", from: "2028-02-27T10:00:00Z", days: 4)
    #expect(february.map(\.id) == ["2028-02", "2028-03"])
    #expect(hours(february[0]) == 29 * 24)
    let turn = try windows(.day, "Asia/Tokyo", from: "2026-12-31T14:59:59Z", days: 2)
    #expect(turn.map(\.id) == ["2026-12-31", "2027-01-01"])
    #expect(turn[0].end == (try at("2026-12-31T15:00:00Z")))
    let months = try windows(.month, "Asia/Tokyo", from: "2026-12-31T14:59:59Z", days: 2)
    #expect(months.map(\.id) == ["2026-12", "2027-01"])
    #expect(months[0].endText == "2027-01-01 00:00 Asia/Tokyo")
    let utc = try windows(.day, "UTC", from: "2026-11-23T00:00:00Z", days: 1)
    #expect(utc[0].endText == "2026-11-24 00:00 UTC")
  }

  /// A repricing asks for thousands by name.
  @Test(arguments: BudgetSpan.allCases)
  func everyWindowIsFoundByItsName(span: BudgetSpan) throws {
    for name in ["Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "UTC"] {
      let windows = try windows(span, name, from: "2026-02-25T12:00:00Z", days: 420)
      for window in windows {
        #expect(BudgetWindows.find(named: window.id, in: windows) == window)
      }
      #expect(BudgetWindows.find(named: "2031-01-01", in: windows) == nil)
      #expect(BudgetWindows.find(named: "", in: windows) == nil)
    }
  }

  @Test func monthsWithAClockChangeHaveTheirHours() throws {
    let months = try windows(.month, "Europe/Berlin", from: "2026-03-01T12:00:00Z", days: 245)
    let march = try #require(months.first { $0.id == "2026-03" })
    let october = try #require(months.first { $0.id == "2026-10" })
    #expect(hours(march) == 31 * 24 - 1)
    #expect(hours(october) == 31 * 24 + 1)
  }

  @Test func weeksBeginOnMondayAndAreNamedByTheirThursday() throws {
    let weeks = try windows(.week, "Europe/Berlin", from: "2026-12-27T12:00:00Z", days: 15)
    #expect(weeks.map(\.id) == ["2026-W52", "2026-W53", "2027-W01"])
    #expect(weeks[0].start == (try at("2026-12-20T23:00:00Z")))
    #expect(weeks[1].endText == "2027-01-04 00:00 Europe/Berlin")
    // A week with a change of clocks.
    let spring = try windows(.week, "Europe/Berlin", from: "2026-03-25T12:00:00Z", days: 1)
    #expect(spring.map(\.id) == ["2026-W13"] && hours(spring[0]) == 7 * 24 - 1)
  }

  @Test func yearsHaveTheirLeapDay() throws {
    let years = try windows(.year, "Asia/Tokyo", from: "2027-12-31T14:59:59Z", days: 400)
    #expect(years.map(\.id) == ["2027", "2028", "2029"])
    #expect(years.map { hours($0) / 24 } == [365, 366, 365])
  }

  @Test func anHourThatTheClockRepeatsIsTwoHours() throws {
    let berlin = try windows(.hour, "Europe/Berlin", from: "2026-10-25T12:00:00Z", days: 1)
    #expect(berlin.count == 25 && Set(berlin.map(\.id)).count == 25)
    #expect(berlin[0].id == "2026-10-24T22:00Z" && berlin.allSatisfy { hours($0) == 1 })
    #expect(berlin[2].endText == "2026-10-25 02:00 Europe/Berlin")
    #expect(berlin[3].endText == "2026-10-25 03:00 Europe/Berlin")
    // Kathmandu is 5:45 ahead: its hours begin at a quarter past.
    let kathmandu = try windows(.hour, "Asia/Kathmandu", from: "2026-11-23T12:00:00Z", days: 1)
    #expect(kathmandu.count == 24 && kathmandu[0].id == "2026-11-22T18:15Z")
    // Lord Howe Island moves its clock by half an hour: one hour of the day is as much longer.
    for day in ["2026-10-04", "2026-04-05"] {
      let hours = try windows(
        .hour, "Australia/Lord_Howe", from: "\(day)T02:00:00Z", days: 1
      ).map { self.hours($0) }
      #expect(Set(hours) == [1, 1.5], "\(day)")
    }
  }

  static let zones = [
    "UTC", "Europe/Berlin", "America/Santiago", "Asia/Beirut", "America/Havana", "Africa/Cairo",
    "America/Nuuk", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Pago_Pago",
    "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "Antarctica/Troll",
  ]

  /// Against a slow oracle: every quarter of an hour has the local date that its window is named
  /// by.
  @Test(arguments: zones) func everyMomentIsInTheWindowOfItsLocalDate(_ name: String) throws {
    let zone = try zone(name)
    let start = try at("2026-01-01T00:07:00Z")
    let timelines = WindowTimelines(from: start, days: 800)
    let (days, months) = (
      timelines.windows(of: .day, in: zone), timelines.windows(of: .month, in: zone)
    )
    let (hours, weeks) = (
      timelines.windows(of: .hour, in: zone), timelines.windows(of: .week, in: zone)
    )
    for windows in [hours, days, weeks, months] {
      for (one, next) in zip(windows, windows.dropFirst()) {
        try #require(one.end == next.start)
        try #require(one.start < one.end)
      }
    }
    try #require(Set(hours.map(\.id)).count == hours.count)
    let day = Budget(id: "day", cap: .zero, windows: days)
    let month = Budget(id: "month", cap: .zero, windows: months)
    for quarter in 0..<(798 * 96) {
      let moment = start.adding(milliseconds: Int64(quarter) * 900_000)
      let offset = zone.secondsFromGMT(
        for: Date(timeIntervalSince1970: Double(moment.milliseconds) / 1_000))
      let local = Date(
        timeIntervalSince1970: Double(moment.milliseconds / 1_000) + Double(offset))
      let text = String(local.ISO8601Format().prefix(10))
      try #require(day.window(at: moment)?.id == text)
      try #require(month.window(at: moment)?.id == String(text.prefix(7)))
    }
  }
}
