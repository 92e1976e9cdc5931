// The request that is sent over and over: a chat completion as an SDK of a provider sends it.

struct RequestBytes {
  /// One whole request a key.
  let requests: [[UInt8]]

  /// - Parameters:
  ///   - bodyBytes: nil for the usual 1.6 kB; else the body is padded to about this size.
  init(port: UInt16, path: String, keys: [String], isStream: Bool, bodyBytes: Int?) {
    let body = Self.body(isStream: isStream, bodyBytes: bodyBytes)
    requests = keys.map { key in
      Self.head(port: port, path: path, key: key, length: body.count) + body
    }
  }

  private static func head(port: UInt16, path: String, key: String, length: Int) -> [UInt8] {
    let head = """
      POST \(path) HTTP/1.1\r
      host: 127.0.0.1:\(port)\r
      accept-encoding: gzip, deflate\r
      connection: keep-alive\r
      accept: application/json\r
      content-type: application/json\r
      user-agent: OpenAI/Python 1.109.1\r
      x-stainless-lang: python\r
      x-stainless-package-version: 1.109.1\r
      x-stainless-os: Linux\r
      x-stainless-arch: x64\r
      x-stainless-runtime: CPython\r
      x-stainless-runtime-version: 3.11.2\r
      x-stainless-async: false\r
      x-stainless-retry-count: 0\r
      x-stainless-read-timeout: 600\r
      authorization: Bearer \(key)\r
      content-length: \(length)\r
      \r

      """
    return Array(head.utf8)
  }

  private static func body(isStream: Bool, bodyBytes: Int?) -> [UInt8] {
    let sentence =
      "Answer the customer in two short sentences, from the notes below and from nothing else. "
    let note = "Order 4711: paid, packed, handed to the carrier on Tuesday; due on Friday. "
    var notes = String(repeating: note, count: 13)
    if let bodyBytes {
      notes = String(repeating: note, count: max(1, (bodyBytes - 500) / note.utf8.count))
    }
    let stream = isStream ? ",\"stream\":true,\"stream_options\":{\"include_usage\":true}" : ""
    return Array(
      """
      {"messages":[{"role":"system","content":"\(sentence)\(notes)"},\
      {"role":"user","content":"Where is my parcel? I ordered it a week ago and I shall be away \
      from Saturday on. My neighbour could take it in."}],"model":"gpt-4o-mini",\
      "max_tokens":256,"temperature":0.2,"top_p":1\(stream),"user":"customer-0815"}
      """.utf8)
  }
}
