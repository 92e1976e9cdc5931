// Which models are known, and that a name nearly known is not.

import Testing

@testable import Tokens

@Suite struct TokenEncodingTests {
  @Test(arguments: [
    "gpt-4o", "gpt-4o-2024-08-06", "gpt-4o-mini", "gpt-4o-audio-preview", "chatgpt-4o-latest",
    "gpt-4.1", "gpt-4.1-nano", "gpt-4.5-preview", "gpt-5", "gpt-5-mini", "gpt-5.1",
    "gpt-5.1-codex", "o1", "o1-preview", "o3", "o3-mini", "o4-mini",
  ])
  func newerModelsUseO200k(model: String) {
    #expect(TokenEncoding.of(model: model) == .o200k)
  }

  @Test(arguments: [
    "gpt-4", "gpt-4-0613", "gpt-4-turbo", "gpt-4-32k", "gpt-3.5-turbo", "gpt-3.5-turbo-0125",
    "gpt-35-turbo", "gpt-35-turbo-0125",
    "text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002",
  ])
  func olderModelsUseCl100k(model: String) {
    #expect(TokenEncoding.of(model: model) == .cl100k)
  }

  @Test(arguments: [
    "", "gpt", "gpt-4.2", "gpt-40", "gpt-6", "gpt-50", "o1x", "o2", "o5", "GPT-4o", " gpt-4o",
    "xo1", "openai/gpt-4o", "ft:gpt-4o:org::id", "claude-3", "text-davinci-003",
    "text-embedding-4", "o4", "o4-large", "gpt-3.5-instruct", "text-embedding-3-huge", "gpt-4.5",
    "gpt-4.1x", "gpt-oss-120b", "gpt-35", "gpt-4\u{301}o",
  ])
  func othersAreUnknown(model: String) {
    #expect(TokenEncoding.of(model: model) == nil)
  }
}
