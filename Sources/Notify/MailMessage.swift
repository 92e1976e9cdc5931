// An alert as a mail: RFC 5322 headers, RFC 2047 subject, quoted-printable body.
//
// Everything variable is encoded or filtered before it stands in a header, so that no text of an
// app, a model or a label can add a header or a recipient. Leading dots are doubled by libcurl.

import Foundation
import Metering
import Store

/// Builds the bytes of a message.
struct MailMessage {
  var from: String
  var to: String
  var alert: AlertRow
  /// When it is sent.
  var date: Timestamp

  /// The whole message with CRLF line ends.
  func bytes() -> [UInt8] {
    let headers = [
      "From: Leeway <\(from)>",
      "To: <\(to)>",
      "Subject: " + Self.encodedText(alert.title, firstLineUsed: "Subject: ".utf8.count),
      "Date: " + Self.dateText(date),
      "Message-ID: " + messageID,
      "Auto-Submitted: auto-generated",
      "X-Leeway-Alert: " + Self.identifier(alert.key),
      "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=utf-8",
      "Content-Transfer-Encoding: quoted-printable",
    ]
    let text = headers.joined(separator: "\r\n") + "\r\n\r\n" + Self.quotedPrintable(bodyText)
    return Array(text.utf8)
  }

  /// The same for the same alert, so that a mail that arrives twice can be recognised.
  var messageID: String {
    let host = from.split(separator: "@").last.map(String.init) ?? "leeway.invalid"
    return "<\(Self.identifier(alert.key))@\(host)>"
  }

  private var bodyText: String {
    var lines = [alert.title, "", alert.body, ""]
    if let link = AlertPayload(alert).link { lines.append("More: \(link)") }
    if !alert.app.isEmpty { lines.append("App: \(alert.app)") }
    lines.append("Severity: \(alert.severity)")
    lines.append("Raised: \(alert.at.iso8601)")
    lines.append("Alert: \(alert.key)")
    return lines.joined(separator: "\n") + "\n"
  }

  /// Letters, digits and `-` stay, any other byte becomes `_XX`; what is too long for a header line
  /// ends in a checksum of the whole.
  static func identifier(_ key: String) -> String {
    var text = ""
    for byte in key.utf8 {
      let scalar = Unicode.Scalar(byte)
      if scalar.isASCII,
        scalar.properties.isAlphabetic || scalar.properties.numericType != nil
          || scalar == "-"
      {
        text.unicodeScalars.append(scalar)
      } else {
        let hex = String(byte, radix: 16, uppercase: true)
        text += byte < 16 ? "_0\(hex)" : "_\(hex)"
      }
    }
    guard text.utf8.count > 180 else { return text }
    // FNV-1a, 64 bits.
    let sum = key.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) {
      ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3
    }
    return text.prefix(160) + "." + String(sum, radix: 16)
  }

  /// Unstructured header text: plain where it is short printable ASCII, else encoded words of at
  /// most 75 characters, one a line, split between characters (RFC 2047).
  static func encodedText(_ text: String, firstLineUsed: Int) -> String {
    let clean = String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    let isPlain = clean.utf8.allSatisfy { $0 >= 32 && $0 < 127 } && !clean.contains("=?")
    if isPlain, clean.utf8.count + firstLineUsed <= 76 { return clean }
    var words: [String] = []
    var chunk: [UInt8] = []
    func flush() {
      guard !chunk.isEmpty else { return }
      words.append("=?UTF-8?B?\(Data(chunk).base64EncodedString())?=")
      chunk = []
    }
    for scalar in clean.unicodeScalars {
      let bytes = Array(String(scalar).utf8)
      // 45 bytes are 60 characters of base64, 72 with the frame; the first line has less room.
      let room = words.isEmpty ? 39 : 45
      if chunk.count + bytes.count > room { flush() }
      chunk += bytes
    }
    flush()
    return words.joined(separator: "\r\n ")
  }

  /// RFC 2045, lines of at most 76 characters, CRLF.
  static func quotedPrintable(_ text: String) -> String {
    var output = ""
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      var column = 0
      let bytes = Array(line.utf8)
      for (index, byte) in bytes.enumerated() {
        let isLast = index == bytes.count - 1
        let isBlank = byte == 32 || byte == 9
        let isPlain = (byte > 32 && byte < 127 && byte != UInt8(ascii: "=")) || (isBlank && !isLast)
        let width = isPlain ? 1 : 3
        if column + width > 75 {
          output += "=\r\n"
          column = 0
        }
        if isPlain {
          output.unicodeScalars.append(Unicode.Scalar(byte))
        } else {
          let hex = String(byte, radix: 16, uppercase: true)
          output += byte < 16 ? "=0\(hex)" : "=\(hex)"
        }
        column += width
      }
      output += "\r\n"
    }
    // The text ends in a newline, which the split turned into one empty line too many.
    return text.last?.isNewline == true ? String(output.dropLast(1)) : output
  }

  /// `Mon, 23 Nov 2026 08:05:09 +0000`.
  static func dateText(_ time: Timestamp) -> String {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    let date = Date(timeIntervalSince1970: Double(time.milliseconds) / 1000)
    let parts = calendar.dateComponents(
      [.year, .month, .day, .hour, .minute, .second, .weekday], from: date)
    func two(_ value: Int?) -> String { (value ?? 0) < 10 ? "0\(value ?? 0)" : "\(value ?? 0)" }
    let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = [
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    let day = "\(days[(parts.weekday ?? 1) - 1]), \(two(parts.day))"
    let clock = "\(two(parts.hour)):\(two(parts.minute)):\(two(parts.second))"
    return "\(day) \(months[(parts.month ?? 1) - 1]) \(parts.year ?? 1970) \(clock) +0000"
  }
}
