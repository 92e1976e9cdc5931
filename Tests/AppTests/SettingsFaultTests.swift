// Bad policy: every fault is named with its file, its line and what to do, all at once.

import Foundation
import Metering
import TestSupport
import Testing

@testable import App

@Suite struct SettingsFaultTests {
  /// Writes the files and gives the faults without the directory's own name.
  private func faults(
    _ files: [String: String], environment: [String: String] = [:]
  ) throws -> [String] {
    try withTemporaryDirectory { directory in
      var files = files
      files["gateway.yaml"] = files["gateway.yaml"] ?? SettingsLoadTests.gatewayFile
      for (name, text) in files { try directory.write(text, to: name) }
      let (settings, faults) = SettingsLoadTests.load(directory, environment: environment)
      #expect((settings == nil) == !faults.isEmpty)
      return faults.map {
        $0.description.replacing(directory.path + "/", with: "")
      }
    }
  }

  @Test func everyFaultOfEveryFileAtOnce() throws {
    let found = try faults([
      "gateway.yaml": """
      listen:
        prot: 8484
        host: 127.0.0.1
      bounds: { bodyBytesMax: 16 MB }
      upstreams:
        openai:
          dialect: opnai
          url: ftp://api.openai.com
      eventLoops: many
      """,
      "apps/a.yaml": """
      upstream: opanai
      budgets:
        day: -5
        month: 1,000
      owner: { email: nobody }
      timeZone: Berlin
      """,
    ])
    #expect(
      found == [
        "apps/a.yaml:1: there is no upstream 'opanai' in gateway.yaml — did you mean 'openai'?",
        "apps/a.yaml:3: 'budgets.day' is negative (-5) — write an amount of 0 or more",
        "apps/a.yaml:4: 'budgets.month' is '1,000', not an amount of money — "
          + "write dollars as digits with at most nine decimals, as in \"12.50\"",
        "apps/a.yaml:5: 'owner.email' is 'nobody', not an e-mail address — write NAME@HOST",
        "apps/a.yaml:6: 'timeZone' is 'Berlin', not a time zone — "
          + "write an IANA name, as in Europe/Berlin or UTC",
        "gateway.yaml:2: unknown key 'listen.prot' — did you mean 'port'?",
        "gateway.yaml:4: 'bounds.bodyBytesMax' is '16 MB', not a size — "
          + "write bytes, or a number and KiB, MiB or GiB, as in 16 MiB",
        "gateway.yaml:7: 'upstreams.openai.dialect' is 'opnai' — did you mean 'openai'?",
        "gateway.yaml:8: 'upstreams.openai.url' has a scheme that is not spoken here — "
          + "write http:// or https://HOST[:PORT][/PATH]",
        "gateway.yaml:9: 'eventLoops' is 'many', not a whole number — "
          + "write a number from 1 to 1024",
      ])
  }

  /// One slip an app file, and what must be said of it.
  struct Slip: Sendable, CustomTestStringConvertible {
    var text: String
    var line: Int
    var says: String
    init(_ text: String, _ line: Int, _ says: String) {
      self.text = text
      self.line = line
      self.says = says
    }
    var testDescription: String { says }
  }

  static let slips = [
    Slip("budget: { day: 1 }", 1, "unknown key 'budget' — did you mean 'budgets'?"),
    Slip("budgets: { dya: 1 }", 1, "unknown key 'budgets.dya' — did you mean 'day'?"),
    Slip("budgets: 5", 1, "'budgets' should hold `key: value` lines"),
    Slip("budgets:", 1, "'budgets' has no value — give it one, or remove the line"),
    Slip("budgets: { day: 1e3 }", 1, "'budgets.day' is '1e3', not an amount of money"),
    Slip("budgets: { day: [1] }", 1, "'budgets.day' should be an amount in dollars"),
    Slip("samples:\n  rate: 1.5", 2, "'samples.rate' is 1.5, out of range"),
    Slip("samples:\n  rate: nan", 2, "'samples.rate' is 'nan', not a number"),
    Slip("samples: { errorsAlways: yes }", 1, "'samples.errorsAlways' is 'yes' — write true or"),
    Slip("alertPercents: [50, 0]", 1, "'alertPercents[1]' is 0, out of range"),
    Slip("outputTokensMax: 0", 1, "'outputTokensMax' is 0, out of range"),
    Slip("models: []", 1, "'models' allows none"),
    Slip("sandbox: 1", 1, "'sandbox' is '1' — write true or false"),
    Slip("owner: { webhook: 'http://u:p@h/' }", 1, "'owner.webhook' holds a user or a password"),
    Slip("owner: { webhookEnv: https://x/y }", 1, "is not the name of an environment variable"),
    Slip("timeZone: CET", 1, "'timeZone' is 'CET', not a time zone"),
    Slip(
      "classifiers:\n  - { name: a, kind: regex, pattern: '(' }", 2,
      "has a pattern that cannot be used"),
    Slip(
      "classifiers:\n  - { name: a, kind: regex, pattern: '(x)', capture: 2 }", 2,
      "asks for group 2 of 1"),
    Slip(
      "classifiers:\n  - { name: a, kind: regx, pattern: x }", 2, "did you mean 'regex'?"),
    Slip(
      "classifiers:\n  - { name: a, kind: pointer, pointer: x/y }", 2, "begin it with '/'"),
    Slip(
      "classifiers:\n  - { name: a, kind: refusal }\n  - { name: a, kind: refusal }", 3,
      "classifier 'a' is declared twice"),
    Slip(
      "classifiers:\n  - { name: right, kind: equals, of: anser }\n"
        + "  - { name: answer, kind: field, column: x }", 2, "did you mean 'answer'?"),
    Slip(
      "classifiers:\n  - { name: a, kind: keywords, rules: [{ label: x, any: ['!'] }] }", 2,
      "which has no letter or digit"),
    Slip(
      "classifiers:\n  - { name: a, kind: length, bands: [9, 3] }", 2, "the edges do not ascend"),
    Slip(
      "classifiers:\n  - { name: a, kind: trained, file: intent }", 2,
      "Train one with 'leeway classifier train'"),
    Slip("classifiers:\n  - { kind: refusal }", 2, "'classifiers[0].name' is missing"),
    Slip("classifiers:\n  - { name: A b, kind: refusal }", 2, "classifier name 'A b' cannot"),
    Slip("drift: { familyRate: 2 }", 1, "'drift.familyRate' is 2.0, out of range"),
    Slip(
      "drift:\n  minimumShift: { floor: 0.1, ceiling: 0.05 }", 2, "is above its ceiling"),
    Slip("drift: { onDrift: stop }", 1, "'drift.onDrift' is 'stop'"),
    Slip("drift: { where: [modle=x] }", 1, "cannot be chosen by 'modle' — did you mean 'model'?"),
    Slip("drift: { where: model }", 1, "'model' is no filter — write it as model=NAME"),
    Slip("drift: { critical: { refusal: x } }", 1, "names the classifier 'refusal', which this"),
  ]

  @Test(arguments: slips) func aSlipIsNamedAtItsLine(_ slip: Slip) throws {
    // `upstream` stands last, so that the slip keeps its own line numbers.
    let found = try faults(["apps/a.yaml": slip.text + "\nupstream: rehearsal"])
    #expect(found.count == 1, "\(found)")
    let first = try #require(found.first)
    #expect(first.hasPrefix("apps/a.yaml:\(slip.line): "), "\(first)")
    #expect(first.contains(slip.says), "\(first)")
    #expect(first.contains(" — "))
  }

  @Test func yamlThatIsNoneIsAFaultAtItsLine() throws {
    let unclosed = try faults(["apps/a.yaml": "upstream: rehearsal\nowner: { name: x\nb: 1\n"])
    #expect(unclosed.contains { $0.hasPrefix("apps/a.yaml:3: is not YAML") }, "\(unclosed)")
    let twice = try faults(["apps/a.yaml": "upstream: rehearsal\nsandbox: true\nsandbox: false"])
    #expect(twice == ["apps/a.yaml:3: key 'sandbox' stands twice — keep one of the two"])
    let list = try faults(["apps/a.yaml": "- upstream"])
    #expect(list.contains { $0.contains("'the file' should hold `key: value` lines") }, "\(list)")
  }

  @Test func binaryAndUnreadableFilesAreFaults() throws {
    try withTemporaryDirectory { directory in
      try directory.write(SettingsLoadTests.gatewayFile, to: "gateway.yaml")
      let path = try directory.write("", to: "apps/a.yaml")
      try Data([0xFF, 0xFE, 0x00, 0x80]).write(to: URL(fileURLWithPath: path))
      let (_, faults) = SettingsLoadTests.load(directory)
      #expect(faults.contains { $0.what == "is not UTF-8 text" && $0.file == path })
    }
  }

  @Test func filesThatNobodyReadsAreFaults() throws {
    let found = try faults([
      "gatway.yaml": "x: 1", "apps/a.yml": "x: 1", "prices/list.csv": "x", "notes.txt": "x",
      "baselines/b/march.json": "{}", "apps/Big.yaml": "upstream: rehearsal",
    ])
    #expect(found.count == 6, "\(found)")
    #expect(found.contains { $0.hasPrefix("gatway.yaml:1:") && $0.contains("'gateway.yaml'?") })
    #expect(found.contains { $0.hasPrefix("apps/a.yml:1:") && $0.contains("end in .yaml") })
    #expect(found.contains { $0.hasPrefix("prices/list.csv:1:") })
    #expect(found.contains { $0.hasPrefix("notes.txt:1:") })
    #expect(found.contains { $0.hasPrefix("baselines/b:1:") })
    #expect(found.contains { $0.hasPrefix("apps/Big.yaml:1: 'Big' is no app name") })
  }

  @Test func aMissingDirectoryIsOneFault() {
    let (settings, faults) = Settings.load(
      thresholdsDirectory: "/nonexistent/thresholds", environment: [:])
    #expect(settings == nil)
    #expect(faults.count == 1)
    #expect(faults.first?.what == "there is no such directory, or it cannot be read")
  }

  @Test func aSecretInPlaceOfAVariableIsNotEchoed() throws {
    let secret = "sk-proj-Zz9-looks-like-a-key"
    let found = try faults([
      "gateway.yaml": """
      upstreams:
        openai: { dialect: openai, url: https://api.openai.com, credentialEnv: \(secret) }
      """
    ])
    #expect(found.count == 1)
    #expect(!found.joined().contains("sk-proj"))
  }

  @Test func aCredentialWithALineBreakIsAFaultWithoutAnEcho() throws {
    let found = try faults([:], environment: ["OPENAI_API_KEY": "sk-abc\nx-evil: 1"])
    #expect(found.count == 1)
    #expect(found.first?.contains("OPENAI_API_KEY") == true)
    #expect(!found.joined().contains("sk-abc"))
  }
}
