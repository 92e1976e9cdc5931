// Dates as values: what is one, how they count, and that every calendar agrees.

import Foundation
import Metering
import Testing

@Suite struct CivilDateTests {
  @Test func datesReadAndCount() throws {
    let date = try #require(CivilDate("2028-02-28"))
    #expect(date.adding(days: 1).description == "2028-02-29")
    #expect(date.adding(days: 2).description == "2028-03-01")
    #expect(date.adding(days: -59).description == "2027-12-31")
    #expect(date.firstOfMonth.description == "2028-02-01")
    #expect(date.firstOfNextMonth.description == "2028-03-01")
    #expect(date.adding(days: -59).firstOfNextMonth.description == "2028-01-01")
    #expect(date.monthText == "2028-02")
  }

  @Test(arguments: [
    "2026-02-30", "2026-02-29", "2026-13-01", "2026-00-01", "2026-01-00", "26-01-01", "2026-1-01",
    "2026-11-23 ", "x", "", "+026-01-01", "2026--1-01", "2026-11-23-1",
  ])
  func whatIsNoDateIsRefused(_ text: String) {
    #expect(CivilDate(text) == nil)
  }

  @Test func aDayThatTheMonthDoesNotHaveIsRefused() {
    #expect(CivilDate(year: 2100, month: 2, day: 29) == nil)
    #expect(CivilDate(year: 2000, month: 2, day: 29) != nil)
    #expect(CivilDate(year: 2026, month: 4, day: 31) == nil)
    #expect(CivilDate(year: 2026, month: 4, day: .max) == nil)
  }

  @Test func datesAgreeWithFoundationsCalendar() throws {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    for days in stride(from: -800_000, through: 800_000, by: 997) {
      let date = Date(timeIntervalSince1970: Double(days) * 86_400)
      // Foundation's Gregorian calendar is Julian before 1582.
      if date < Date(timeIntervalSince1970: -12_219_292_800) { continue }
      let parts = calendar.dateComponents([.year, .month, .day], from: date)
      let (year, month, day) = (try #require(parts.year), parts.month, parts.day)
      let civil = CivilDate(daysSinceEpoch: days)
      try #require(
        civil == CivilDate(year: year, month: try #require(month), day: try #require(day)))
      try #require(civil.daysSinceEpoch == days)
      if year <= 9999 { try #require(CivilDate(civil.description) == civil) }
    }
  }
}
