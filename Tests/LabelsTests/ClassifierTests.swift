// What each kind of classifier makes of ordinary, odd and hostile outputs.

import Drift
import Testing

@testable import Labels

@Suite struct ClassifierTests {
  private func classifier(
    _ declarations: ClassifierDeclaration..., at index: Int = 0
  ) throws -> any Classifier {
    try makeClassifiers(declarations)[index]
  }

  private func label(
    _ declaration: ClassifierDeclaration, _ output: String, status: Int = 200
  ) throws -> String {
    try classifier(declaration).label(SampleView(output: output, status: status))
  }

  @Test func regexTakesTheGroupOfTheFirstOrLastMatch() throws {
    let last = ClassifierDeclaration.regex(
      name: "answer", pattern: #"\[(Yes|No)\]"#, match: .last, isLowercased: true,
      none: "undetermined")
    #expect(try label(last, "[Yes] … no: [No]") == "no")
    #expect(try label(last, "maybe") == "undetermined")
    let whole = ClassifierDeclaration.regex(name: "digits", pattern: "[0-9]+", group: 0)
    #expect(try label(whole, "between 12 and 15") == "12")
    #expect(try label(whole, "none") == "__missing__")
  }

  @Test func failedCallsAndEmptyOutputsAreErrors() throws {
    let regex = ClassifierDeclaration.regex(name: "r", pattern: "a", group: 0)
    for declaration in [regex, .pointer(name: "p", path: "/a"), .refusal(name: "f")] {
      #expect(try label(declaration, "", status: 200) == "__error__")
      #expect(try label(declaration, " \n\t", status: 200) == "__error__")
      #expect(try label(declaration, "a", status: 500) == "__error__")
      #expect(try label(declaration, "a", status: 400) == "__error__")
    }
    let tool = SampleView(output: "", finishReason: "tool_calls")
    #expect(try classifier(regex).label(tool) == "__missing__")
  }

  @Test func labelsAreOneBoundedLineAndNeverReserved() throws {
    let all = ClassifierDeclaration.regex(name: "r", pattern: "(?s).*", group: 0)
    #expect(try label(all, " two\n  lines ") == "two lines")
    #expect(try label(all, String(repeating: "x", count: 5_000)).count == 120)
    #expect(try label(all, "__error__") == "\"__error__\"")
    #expect(try label(all, String(repeating: "x", count: 2_000_000)) == "__invalid__")
  }

  @Test func hostileOutputIsInvalidNotSlow() throws {
    let costly = ClassifierDeclaration.regex(name: "r", pattern: "a.*z|a", group: 0, match: .last)
    #expect(try label(costly, String(repeating: "a", count: 30_000)) == "__invalid__")
  }

  @Test(arguments: [
    ("/status", #"{"status":"open"}"#, "open"), ("/n", #"{"n":1.10}"#, "1.10"),
    ("/b", #"{"b":true}"#, "true"), ("/z", #"{"z":null}"#, "null"),
    ("/o", #"{"o":{}}"#, "object"), ("/o", #"{"o":[1]}"#, "array"),
    ("/a/1/c", #"{"a":[0,{"c":"x"}]}"#, "x"), ("/a~1b", #"{"a/b":"s"}"#, "s"),
    ("/m~0n", #"{"m~n":"t"}"#, "t"), ("/~01", #"{"~1":"u"}"#, "u"), ("", #" "text" "#, "text"),
    ("/", #"{"":"empty"}"#, "empty"), ("/e", #"{"e":"\u00e9\ud83d\ude00"}"#, "é😀"),
    ("/d", #"{"d":1,"d":2}"#, "2"), ("/x", #"{"y":1}"#, "__missing__"),
    ("/a/01", #"{"a":[0,1]}"#, "__missing__"), ("/a/-", #"{"a":[0]}"#, "__missing__"),
    ("/a", #"```json {"a":1}```"#, "__invalid__"), ("/a", #"{"a":1} {"a":2}"#, "__invalid__"),
    ("/a", #"{"a":01}"#, "__invalid__"), ("/a", #"{"a":1,}"#, "__invalid__"),
    ("/a", "{\"a\":\"line\nbreak\"}", "__invalid__"), ("/a", #"{"a":"#, "__invalid__"),
    ("/a", #"{'a':1}"#, "__invalid__"), ("/a", #"{"a":NaN}"#, "__invalid__"),
    ("/d/x", #"{"d":{"x":1},"d":{}}"#, "__missing__"), ("/s", #"{"s":""}"#, "__missing__"),
  ])
  func pointerReadsTheValueAsWritten(_ path: String, _ output: String, _ expected: String) throws {
    #expect(try label(.pointer(name: "p", path: path), output) == expected)
  }

  @Test func deepJSONEndsTheReadingNotTheProcess() throws {
    let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
    #expect(try label(.pointer(name: "p", path: ""), deep) == "__invalid__")
  }

  @Test func equalsComparesWithTheReference() throws {
    let number = ClassifierDeclaration.regex(
      name: "n", pattern: #"\\boxed\{(\d+)\}"#, none: "undetermined")
    let equals = try classifier(number, .equals(name: "right", classifier: "n"), at: 1)
    func label(_ output: String, _ reference: String?) -> String {
      equals.label(SampleView(output: output, reference: reference))
    }
    #expect(label(#"\boxed{3}"#, "3") == "equal")
    #expect(label(#"\boxed{3}"#, " 3 \n") == "equal")
    #expect(label(#"\boxed{3}"#, #"\\boxed{3}"#) == "equal")
    #expect(label(#"\boxed{3}"#, #"\boxed{4}"#) == "different")
    #expect(label("no answer", "no reference either") == "different")
    #expect(label(#"\boxed{3}"#, nil) == "__missing__")
    #expect(label(#"\boxed{3}"#, " ") == "__missing__")
    #expect(label("", "3") == "__error__")
  }

  @Test func fieldIsTheImportedColumn() throws {
    let field = try classifier(.field(name: "human", field: "verdict"))
    #expect(field.label(SampleView(output: "", fields: ["verdict": " good "])) == "good")
    #expect(field.label(SampleView(output: "text")) == "__missing__")
    #expect(field.label(SampleView(output: "text", status: 503)) == "__error__")
  }

  @Test func versionChangesWithWhatDecidesALabelAndWithNothingElse() throws {
    func version(_ declaration: ClassifierDeclaration) throws -> String {
      try classifier(declaration).version
    }
    let base = try version(.regex(name: "a", pattern: "x", group: 0))
    #expect(try version(.regex(name: "renamed", pattern: "x", group: 0)) == base)
    #expect(try version(.regex(name: "a", pattern: "y", group: 0)) != base)
    #expect(try version(.regex(name: "a", pattern: "x", group: 0, match: .last)) != base)
    #expect(try version(.regex(name: "a", pattern: "x", group: 0, none: "no")) != base)
    #expect(try version(.refusal(name: "a")) != version(.refusal(name: "a", partial: "answer")))
    let one = try classifier(
      .regex(name: "i", pattern: "x", group: 0), .equals(name: "e", classifier: "i"), at: 1)
    let two = try classifier(
      .regex(name: "i", pattern: "y", group: 0), .equals(name: "e", classifier: "i"), at: 1)
    #expect(one.version != two.version)
    #expect(base.count == 16)
  }

  @Test func everyFaultOfADeclarationIsNamedAtOnce() throws {
    let fault = #expect(throws: ClassifierFault.self) {
      try makeClassifiers([
        .regex(name: "a", pattern: "("), .regex(name: "b", pattern: "x", group: 2),
        .pointer(name: "c", path: "status"), .equals(name: "d", classifier: "nowhere"),
        .field(name: "e", field: ""), .field(name: "e", field: "x"),
        .refusal(name: "f", partial: "maybe"), .equals(name: "g", classifier: "d"),
      ])
    }
    for part in ["'a'", "'b'", "'c'", "'d'", "'e'", "'f'", "'g'", "lookaround"].dropLast() {
      #expect(fault?.message.contains(part) == true, "\(part) in \(fault?.message ?? "")")
    }
  }

  @Test func labelsHoldNothingThatATerminalOrADatabaseObeys() throws {
    let pointer = ClassifierDeclaration.pointer(name: "p", path: "/k")
    #expect(try label(pointer, #"{"k":"x\u0000y"}"#) == "x y")
    #expect(try label(pointer, #"{"k":"\u0000z"}"#) == "z")
    #expect(try label(pointer, #"{"k":"\u001b[31mred\u202e"}"#) == "[31mred")
    #expect(try label(pointer, #"{"k":"\u0000"}"#) == "__missing__")
    let piled = "{\"k\":\"a" + String(repeating: "\u{301}", count: 5_000) + "\"}"
    #expect(try label(pointer, piled).unicodeScalars.count == 120)
  }

  /// Stored labels are found by the version of what gave them. A change that moves a label of this
  /// list has to raise `labellingRevision`, or baseline and period are compared by two instruments.
  @Test func labelsStayAsTheyAreWhileTheirVersionDoes() throws {
    let outputs = [
      "I'm sorry, but I can't help with that.", "Gladly: 42.", "```json\n{\"a\": [1]}\n```",
      #"{"kind": "refund", "n": 1.10}"#, "# Title\n\n- one\n- two",
      "Das ist nicht gut, und es war so.",
      "Посылка уже у вас, если всё хорошо.", "The invoice is overdue\r\nand [Yes] it's late.", "…",
      "荷物は倉庫を出ました。", "Zxqv", String(repeating: "word ", count: 300),
    ]
    let rules = [KeywordRule(label: "billing", any: ["invoice", "refund*"], not: ["gladly"])]
    let kinds: [ClassifierDeclaration.Kind] = [
      .regex(pattern: #"\[(Yes|No)\]"#, group: 1, match: .last, isLowercased: true, none: "none"),
      .pointer(path: "/kind"), .keywords(rules: rules, none: "none"), .refusal(partial: "refusal"),
      .finish, .completeness, .format, .language,
      .length(unit: .words, bands: try #require(Bands([5, 50]))),
    ]
    let labels = try outputs.map { output in
      try kinds.map { kind in
        try classifier(ClassifierDeclaration(name: "c", kind: kind))
          .label(SampleView(output: output))
      }.joined(separator: "|")
    }
    #expect(labels == Self.golden)
    #expect(labellingRevision == "2")
  }

  private static let golden = [
    "none|__invalid__|none|refusal|__missing__|complete|plain|en|5 to 49",
    "none|__invalid__|none|answer|__missing__|complete|plain|undetermined|under 5",
    "none|__invalid__|none|answer|__missing__|complete|fenced json|undetermined|under 5",
    "none|refund|billing|answer|__missing__|complete|json|undetermined|5 to 49",
    "none|__invalid__|none|answer|__missing__|complete|markdown|undetermined|under 5",
    "none|__invalid__|none|answer|__missing__|complete|plain|de|5 to 49",
    "none|__invalid__|none|answer|__missing__|complete|plain|ru|5 to 49",
    "yes|__invalid__|billing|answer|__missing__|complete|plain|en|5 to 49",
    "none|__invalid__|none|answer|__missing__|complete|plain|undetermined|under 5",
    "none|__invalid__|none|answer|__missing__|complete|plain|ja|5 to 49",
    "none|__invalid__|none|answer|__missing__|complete|plain|undetermined|under 5",
    "none|__invalid__|none|answer|__missing__|complete|plain|undetermined|50 and over",
  ]
}
