// What a path or an odd body makes of a request of the OpenAI dialect.

import TestSupport
import Testing

@testable import Providers

@Suite struct DeploymentTests {
  /// At Azure the deployment in the path runs, whatever the body says: a cheap name there must not
  /// buy a dear one's answer.
  @Test(arguments: [
    ("/openai/deployments/dear/chat/completions?api-version=1", "dear"),
    ("/openai/engines/dear/completions", "dear"), ("/v1/chat/completions", "cheap"),
    ("/openai/deployments/dear", ""), ("/openai/deployments//chat/completions", ""),
    ("/openai/deployments/cheap/deployments/dear/chat/completions", ""),
  ])
  func theDeploymentIsTheModel(path: String, model: String) throws {
    for operation in [Providers.Operation.chatCompletions, .completions, .responses, .embeddings] {
      let body = Array(#"{"model":"cheap","input":"x"}"#.utf8)
      #expect(try operation.peek(body, path: path).model == model)
    }
  }

  @Test(arguments: ["inputs", "messages", "images", "content"])
  func otherNamesOfWhatIsEmbeddedAreNamed(name: String) throws {
    let body = Array(#"{"model":"m","input":"x","\#(name)":["https://x.invalid/a.mp4"]}"#.utf8)
    #expect(try Providers.Operation.embeddings.peek(body).unboundablePart == "'\(name)'")
  }

  /// A server that ignores the case of letters would answer each of these prompts.
  @Test func aLookalikeOfThePromptIsRefused() {
    #expect {
      _ = try Providers.Operation.completions.peek(Array(#"{"Prompt":["a","b","c"]}"#.utf8))
    } throws: { error in
      (error as? PeekFault)?.message.contains("differs from 'prompt'") == true
    }
  }

  @Test(arguments: [
    (#"{"serviceTier":{"type":"flex"}}"#, "flex" as String?),
    (#"{"serviceTier":{"type":"priority","type":"flex"}}"#, nil),
  ])
  func aTierSaidTwiceIsNotSaid(body: String, tier: String?) throws {
    let request = try Providers.Operation.converse.peek(
      Array(body.utf8), path: "/model/m/converse")
    #expect(request.serviceTier == tier)
  }
}
