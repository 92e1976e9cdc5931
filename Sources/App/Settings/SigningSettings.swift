// How an upstream's requests are signed: the region, and where AWS's keys are taken from.
//
// Without a word about the keys they are in the environment, under the names that AWS gives them;
// with a profile they are in the file that AWS's own tools share.

import Foundation
import Gateway

/// `sign` of an upstream.
public struct SigningSettings: Hashable, Sendable {
  /// As in `us-east-1`.
  public var region: String
  /// The keys at start; nil where `missing` names what is not there.
  public var credentials: AWSCredentials?
  /// The environment variable that is not set; nil: none is missing.
  public var missing: String?
  /// Where the keys are read again while the gateway runs; nil: the environment does not change.
  public var file: SharedCredentials?

  private static let accessKey = "AWS_ACCESS_KEY_ID"
  private static let secretKey = "AWS_SECRET_ACCESS_KEY"
  private static let sessionToken = "AWS_SESSION_TOKEN"

  /// Reads the section; nil after a fault.
  init?(_ section: SettingsMapping, environment: [String: String]) {
    let region = section.need("region", "as in us-east-1: that of the upstream's URL")?.awsRegion()
    let names = ["accessKeyEnv", "secretKeyEnv", "sessionTokenEnv"].map { key in
      section.take(key)?.environmentName()
    }
    let profile = section.take("profile")?.line("a profile's name")
    let path = section.take("credentialsFile")
    guard let region else { return nil }
    self.region = region
    if profile == nil, path == nil {
      guard read(names, section.node, environment) else { return nil }
      return
    }
    guard names.allSatisfy({ $0 == nil }) else {
      section.node.fault(
        "'\(section.node.name)' names both variables and a file of keys",
        "remove 'profile' and 'credentialsFile', or the names of variables")
      return nil
    }
    let file = SharedCredentials(
      path: path == nil ? SharedCredentials.usualPath(environment) : path?.filePath() ?? "",
      profile: profile ?? "default")
    guard !file.path.isEmpty else { return nil }
    do throws(SharedCredentials.Fault) {
      credentials = try file.read()
      self.file = file
    } catch {
      section.node.fault(error.description, "name a profile with both keys, as AWS's tools do")
      return nil
    }
  }

  /// - Parameter names: variables in place of AWS's own.
  /// - Returns: false after a fault.
  private mutating func read(
    _ names: [String?], _ node: SettingsNode, _ environment: [String: String]
  ) -> Bool {
    let access = names[0] ?? Self.accessKey
    let secret = names[1] ?? Self.secretKey
    let token = names[2] ?? Self.sessionToken
    guard let accessKey = node.secret(access, environment: environment)?.value else {
      return isAbsent(access, environment)
    }
    guard let secretKey = node.secret(secret, environment: environment)?.value else {
      return isAbsent(secret, environment)
    }
    let sessionToken = node.secret(token, environment: environment)?.value
    // Keys of a session are worth nothing without its token; AWS begins their names so.
    if sessionToken == nil, names[2] != nil || accessKey.hasPrefix("ASIA") {
      return isAbsent(token, environment)
    }
    credentials = AWSCredentials(
      accessKey: accessKey, secretKey: secretKey, sessionToken: sessionToken)
    if credentials == nil {
      node.fault(
        "the environment variable \(access) holds no key's name", "set it again; look for ',', '/'")
    }
    return credentials != nil
  }

  /// A variable that is set and was not taken has had its fault.
  private mutating func isAbsent(_ variable: String, _ environment: [String: String]) -> Bool {
    missing = variable
    return environment[variable]?.isEmpty != false
  }
}

extension SettingsNode {
  /// The name of a region of AWS.
  fileprivate func awsRegion() -> String? {
    guard let text = line("a region") else { return nil }
    let isRegion =
      (1...32).contains(text.utf8.count)
      && text.utf8.allSatisfy {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
      }
    guard isRegion else {
      fault("'\(name)' is '\(shown(text))', not a region of AWS", "write it as in us-east-1")
      return nil
    }
    return text
  }
}
