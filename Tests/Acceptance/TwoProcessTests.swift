// `leeway gateway` and `leeway analyze` apart: a verdict in the second caps the app in the first.

import Foundation
import Testing

@Suite struct TwoProcessTests {
  @Test func aDriftVerdictInTheAnalyzerCapsTheAppInTheGateway() async throws {
    let installation = try TestInstallation(apps: [
      "shop": """
      budgets: { day: "5.00" }
      models: [gpt-4o-mini]
      classifiers:
        - { name: kind, kind: field, column: kind }
      drift: { baseline: launch, where: [tag.batch=new], onDrift: cap }
      """
    ])
    let key = try await installation.key(for: "shop")
    let gateway = try await installation.startGateway("gateway")
    #expect(try await gateway.chat(key: key).status == 200)

    let noon = Date().addingTimeInterval(-86_400).formatted(.iso8601)
    for (batch, answers) in [("old", 320), ("new", 80)] {
      let rows = (0..<400).map {
        "o\($0),gpt-4o-mini,\($0 < answers ? "yes" : "no"),\(batch),\(noon)"
      }
      try installation.write(
        "\(batch).csv", (["text,model,kind,batch,at"] + rows).joined(separator: "\n"))
      try await installation.succeed(
        "samples", "import", "\(batch).csv", "--app", "shop", "--map", "output=text",
        "--map", "model=model", "--map", "label.kind=kind", "--map", "tag.batch=batch",
        "--map", "time=at")
    }
    try await installation.succeed(
      "baseline", "pin", "shop", "launch", "--where", "tag.batch=old", "--reason", "first week")
    try await installation.succeed("analyze", "--once")

    try await eventually("the app is capped") {
      try await gateway.chat(key: key).status == 429
    }
    let refused = try await gateway.chat(key: key)
    #expect(refused.body.contains("restore"), "\(refused.body)")

    // It stays capped over a restart, and runs again when a person says so.
    try await gateway.process.kill9()
    let second = try await installation.startGateway("gateway")
    #expect(try await second.chat(key: key).status == 429)
    try await installation.succeed("restore", "shop", "--reason", "prompt adapted")
    try await eventually("the app runs again") { try await second.chat(key: key).status == 200 }
    try await second.process.terminate()
  }
}
