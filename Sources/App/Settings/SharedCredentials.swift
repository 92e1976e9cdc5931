// The file in which AWS's own tools keep keys, and put new ones when those of a session end.

import Foundation
import Gateway

/// One profile of such a file.
public struct SharedCredentials: Hashable, Sendable {
  /// Why a profile's keys cannot be had. It says nothing of what the file holds.
  struct Fault: Error, CustomStringConvertible {
    var description: String
  }

  /// A file of keys is never so long.
  private static let bytesMax = 1 << 20

  public var path: String
  public var profile: String

  /// Where AWS's tools look for the file; empty where the environment names no place.
  static func usualPath(_ environment: [String: String]) -> String {
    if let path = environment["AWS_SHARED_CREDENTIALS_FILE"], !path.isEmpty { return path }
    guard let home = environment["HOME"], !home.isEmpty else { return "" }
    return home + "/.aws/credentials"
  }

  /// Reads the keys as they are now.
  func read() throws(Fault) -> AWSCredentials {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Fault(description: "the file of AWS's keys '\(path)' cannot be read")
    }
    guard data.count <= Self.bytesMax,
      let credentials = Self.credentials(of: profile, in: String(decoding: data, as: UTF8.self))
    else {
      throw Fault(description: "'\(path)' holds no usable keys of the profile '\(profile)'")
    }
    return credentials
  }

  /// The keys of a profile; nil where one is missing, or no request could carry it. Of a profile or
  /// a key that is there twice the last counts, as it does for AWS's tools.
  static func credentials(of profile: String, in text: String) -> AWSCredentials? {
    var values: [String: String] = [:]
    var isInProfile = false
    for line in text.split(whereSeparator: \.isNewline) {
      let line = line.trimmingCharacters(in: .whitespaces)
      if line.hasPrefix("#") || line.hasPrefix(";") { continue }
      if line.hasPrefix("["), let end = line.firstIndex(of: "]") {
        let name = line[line.index(after: line.startIndex)..<end]
        isInProfile = name.trimmingCharacters(in: .whitespaces) == profile
        continue
      }
      guard isInProfile, let equals = line.firstIndex(of: "=") else { continue }
      let key = line[..<equals].trimmingCharacters(in: .whitespaces).lowercased()
      let value = line[line.index(after: equals)...]
      values[key] = value.trimmingCharacters(in: .whitespaces)
    }
    guard let accessKey = values["aws_access_key_id"],
      let secretKey = values["aws_secret_access_key"]
    else { return nil }
    let token = values["aws_session_token"] ?? values["aws_security_token"]
    return AWSCredentials(accessKey: accessKey, secretKey: secretKey, sessionToken: token)
  }
}
