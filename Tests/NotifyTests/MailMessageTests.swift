// A mail's bytes: encoded as the RFCs ask, and no text can become a header.

import Foundation
import Metering
import Store
import Testing

@testable import Notify

@Suite struct MailMessageTests {
  private func message(
    title: String = "T", body: String = "B", key: String = "budget/shop/day/2026-11-23/80"
  ) -> MailMessage {
    MailMessage(
      from: "leeway@gw.example", to: "mara@shop.example",
      alert: AlertRow(
        key: key, app: "shop", kind: "budget", severity: "warning", title: title, body: body,
        at: Timestamp(milliseconds: 1_795_421_109_250)),
      date: Timestamp(milliseconds: 1_795_421_109_250))
  }

  private func text(_ message: MailMessage) -> String {
    String(decoding: message.bytes(), as: UTF8.self)
  }

  @Test func theDateIsRFC5322() {
    #expect(
      MailMessage.dateText(Timestamp(milliseconds: 1_795_421_109_250))
        == "Mon, 23 Nov 2026 08:05:09 +0000")
    #expect(
      MailMessage.dateText(Timestamp(milliseconds: 951_782_400_000))
        == "Tue, 29 Feb 2000 00:00:00 +0000")
  }

  @Test func theMessageIDComesFromTheKeyAlone() {
    let id = "<budget_2Fshop_2Fday_2F2026-11-23_2F80@gw.example>"
    #expect(message().messageID == id)
    #expect(message(title: "other").messageID == id)
    #expect(text(message()).contains("\r\nMessage-ID: \(id)\r\n"))
    #expect(MailMessage.identifier("a/b_c") != MailMessage.identifier("a_2Fb/c"))
    #expect(MailMessage.identifier("a_2Fb") != MailMessage.identifier("a/b"))
    let long = String(repeating: "ä", count: 500)
    #expect(MailMessage.identifier(long).utf8.count < 200)
    #expect(MailMessage.identifier(long) != MailMessage.identifier(long + "x"))
  }

  @Test(arguments: [
    "x\r\nBcc: evil@x.example", "x\nBcc: evil@x.example\n\nbody", "x\rBcc: e@x", "\u{0}\u{1B}[31m",
    "x\u{2028}Bcc: evil@x.example", "=?UTF-8?B?eA==?=",
  ])
  func aTitleCannotBecomeAHeader(title: String) {
    let head = text(message(title: title)).components(separatedBy: "\r\n\r\n")[0]
    let names = head.components(separatedBy: "\r\n").filter { !$0.hasPrefix(" ") }
      .map { String($0.prefix { $0 != ":" }) }
    #expect(
      names == [
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Leeway-Alert",
        "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
      ])
    #expect(head.utf8.allSatisfy { $0 >= 32 && $0 < 127 || $0 == 13 || $0 == 10 })
  }

  @Test(arguments: [
    "Budget at 80 %", "Budget für Café: 80 %", "予算の八割に達しました。明日まで止まる前に確認してください。",
    String(repeating: "long ascii ", count: 20), "👩‍🚀" + String(repeating: "é", count: 100), "",
  ])
  func subjectsComeBackWhole(title: String) throws {
    let encoded = MailMessage.encodedText(title, firstLineUsed: 9)
    for (index, line) in encoded.components(separatedBy: "\r\n").enumerated() {
      #expect(line.utf8.count + (index == 0 ? 9 : 0) <= 76)
    }
    guard encoded.hasPrefix("=?") else {
      #expect(encoded == title)
      return
    }
    let words = encoded.components(separatedBy: "\r\n ")
    let decoded = try words.map { word in
      let base64 = word.dropFirst("=?UTF-8?B?".count).dropLast(2)
      let data = try #require(Data(base64Encoded: String(base64)))
      return try #require(String(data: data, encoding: .utf8), "a character was cut in two")
    }
    #expect(decoded.joined() == title)
  }

  @Test func theBodyIsQuotedPrintable() {
    #expect(MailMessage.quotedPrintable("a=b\n") == "a=3Db\r\n")
    #expect(MailMessage.quotedPrintable("tail \nnext\n") == "tail=20\r\nnext\r\n")
    #expect(MailMessage.quotedPrintable("ü\r\nx") == "=C3=BC\r\nx\r\n")
    let long = MailMessage.quotedPrintable(String(repeating: "é", count: 100) + "\n")
    let lines = long.components(separatedBy: "\r\n")
    #expect(lines.allSatisfy { $0.utf8.count <= 76 })
    #expect(lines.dropLast(2).allSatisfy { $0.hasSuffix("=") })
    #expect(
      lines.map { $0.hasSuffix("=") ? String($0.dropLast()) : $0 }.joined()
        == String(repeating: "=C3=A9", count: 100))
  }
}
