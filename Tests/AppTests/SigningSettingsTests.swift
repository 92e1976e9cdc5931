// `sign` of an upstream: where AWS's keys are taken from, and what is said where they are not.

import Foundation
import Gateway
import Metering
import TestSupport
import Testing

@testable import App

@Suite struct SigningSettingsTests {
  private static let keys = [
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "hush+/=",
  ]

  private func load(
    _ sign: String, dialect: String = "bedrock", more: String = "", environment: [String: String]
  ) throws -> (UpstreamSettings?, [Fault]) {
    try withTemporaryDirectory { directory in
      try directory.write(
        """
        upstreams:
          aws:
            dialect: \(dialect)
            url: https://bedrock-runtime.us-east-1.amazonaws.com
            sign: \(sign)
            \(more)
          rehearsal: { dialect: openai, rehearsal: true }
        """, to: "gateway.yaml")
      let (settings, faults) = SettingsLoadTests.load(directory, environment: environment)
      return (settings?.gateway.upstream("aws"), faults)
    }
  }

  @Test func theUsualVariablesAreRead() throws {
    let (upstream, faults) = try load("{ region: us-east-1 }", environment: Self.keys)
    #expect(faults == [])
    let signing = try #require(upstream?.signing)
    #expect(signing.region == "us-east-1" && signing.file == nil)
    #expect(
      signing.credentials == AWSCredentials(accessKey: "AKIDEXAMPLE", secretKey: "hush+/="))
    #expect(upstream?.isUsable == true)
    let session = Self.keys.merging(["AWS_SESSION_TOKEN": "tok"]) { $1 }
    let (other, _) = try load("{ region: us-east-1 }", environment: session)
    #expect(other?.signing?.credentials?.sessionToken == "tok")
  }

  @Test func variablesOfOtherNamesAreRead() throws {
    let (upstream, faults) = try load(
      "{ region: eu-west-1, accessKeyEnv: A, secretKeyEnv: B, sessionTokenEnv: C }",
      environment: Self.keys.merging(["A": "AK", "B": "SK", "C": "ST"]) { $1 })
    #expect(faults == [])
    #expect(
      upstream?.signing?.credentials
        == AWSCredentials(accessKey: "AK", secretKey: "SK", sessionToken: "ST"))
  }

  @Test(
    arguments: [
      ("{ region: r }", [:], "AWS_ACCESS_KEY_ID"),
      ("{ region: r }", ["AWS_ACCESS_KEY_ID": "A"], "AWS_SECRET_ACCESS_KEY"),
      (
        "{ region: r }", ["AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": ""],
        "AWS_SECRET_ACCESS_KEY"
      ),
      ("{ region: r, accessKeyEnv: X }", keys, "X"), ("{ region: r, secretKeyEnv: X }", keys, "X"),
      // A token that is named must be there, and so must that of keys of a session.
      ("{ region: r, sessionTokenEnv: X }", keys, "X"),
      (
        "{ region: r }", ["AWS_ACCESS_KEY_ID": "ASIAX", "AWS_SECRET_ACCESS_KEY": "S"],
        "AWS_SESSION_TOKEN"
      ),
    ] as [(String, [String: String], String)])
  func withoutItsKeysAnUpstreamIsNotUsable(
    sign: String, environment: [String: String], missing: String
  ) throws {
    let (upstream, faults) = try load(sign, environment: environment)
    #expect(faults == [])
    #expect(upstream?.isUsable == false && upstream?.missingCredential == missing)
    #expect(upstream?.signing?.credentials == nil)
  }

  @Test(
    arguments: [
      ("{}", keys, "'upstreams.aws.sign.region' is missing"),
      ("{ region: US EAST }", keys, "not a region of AWS"),
      ("{ region: us-east-1, token: x }", keys, "unknown key"),
      ("{ region: r, accessKeyEnv: aki-d }", keys, "not the name of an environment variable"),
      ("{ region: r }", ["AWS_ACCESS_KEY_ID": "A\n", "AWS_SECRET_ACCESS_KEY": "S"], "line break"),
      (
        "{ region: r }", ["AWS_ACCESS_KEY_ID": "A/B", "AWS_SECRET_ACCESS_KEY": "S"], "no key's name"
      ),
      ("{ region: r, profile: p, accessKeyEnv: X }", keys, "both variables and a file"),
      ("{ region: r, credentialsFile: /nonexistent/keys }", keys, "cannot be read"),
      ("{ region: r, profile: p }", ["AWS_SHARED_CREDENTIALS_FILE": "/nonexistent/k"], "cannot be"),
    ] as [(String, [String: String], String)])
  func faultsAreNamed(sign: String, environment: [String: String], words: String) throws {
    let (upstream, faults) = try load(sign, environment: environment)
    #expect(upstream == nil)
    #expect(faults.contains { $0.description.contains(words) }, "\(faults)")
    #expect(!"\(faults)".contains("hush"))
  }

  @Test(arguments: [("openai", ""), ("bedrock", "credentialEnv: AWS_BEARER_TOKEN_BEDROCK")])
  func onlyAWSIsSignedForAndNothingBesideIt(dialect: String, more: String) throws {
    let (_, faults) = try load(
      "{ region: us-east-1 }", dialect: dialect, more: more, environment: Self.keys)
    #expect(faults.count == 1 && faults[0].what.contains("signs its requests"), "\(faults)")
  }

  // MARK: - The shared file

  private static let file = """
    # keys
    [default]
    aws_access_key_id = AKDEFAULT
    aws_secret_access_key=secret/default+==
    region = eu-west-1

    [ gateway ]
    AWS_ACCESS_KEY_ID = ASIAGATEWAY
    ; a comment = with an equals sign
      aws_secret_access_key = s = t
    aws_session_token = tok//en==\r
    [half]
    aws_access_key_id = AKHALF
    [broken]
    aws_access_key_id = AK BROKEN
    aws_secret_access_key = x
    """

  @Test func aProfileIsFound() {
    func keys(_ profile: String) -> AWSCredentials? {
      SharedCredentials.credentials(of: profile, in: Self.file)
    }
    #expect(
      keys("default") == AWSCredentials(accessKey: "AKDEFAULT", secretKey: "secret/default+=="))
    #expect(keys("half") == nil && keys("broken") == nil && keys("") == nil && keys("x") == nil)
    // A blank within a secret is none that a header could carry, were it one.
    #expect(keys("gateway") == nil)
    let mended = Self.file.replacing("s = t", with: "s=t")
    #expect(
      SharedCredentials.credentials(of: "gateway", in: mended)
        == AWSCredentials(accessKey: "ASIAGATEWAY", secretKey: "s=t", sessionToken: "tok//en=="))
  }

  @Test func theFileIsReadAtStartAndAgain() throws {
    try withTemporaryDirectory { directory in
      let path = try directory.write(Self.file, to: "keys")
      let sign = "{ region: us-east-1, credentialsFile: '\(path)' }"
      let (upstream, faults) = try load(sign, environment: [:])
      #expect(faults == [])
      let signing = try #require(upstream?.signing)
      #expect(signing.credentials?.accessKey == "AKDEFAULT")
      try directory.write(Self.file.replacing("AKDEFAULT", with: "AKNEXT"), to: "keys")
      #expect(try signing.file?.read().accessKey == "AKNEXT")
      // Half of a file that is being written is no reason to forget the keys that there are.
      try directory.write("[default]\naws_access", to: "keys")
      #expect(throws: SharedCredentials.Fault.self) { try signing.file?.read() }
      try directory.write(Self.file, to: "usual")
      let (usual, _) = try load(
        "{ region: r, profile: default }",
        environment: ["AWS_SHARED_CREDENTIALS_FILE": directory.path("usual")])
      #expect(usual?.signing?.credentials?.accessKey == "AKDEFAULT")
      let (absent, said) = try load(
        "{ region: r, profile: nobody, credentialsFile: '\(directory.path("usual"))' }",
        environment: [:])
      #expect(absent == nil && said.first?.what.contains("'nobody'") == true, "\(said)")
    }
  }
}
