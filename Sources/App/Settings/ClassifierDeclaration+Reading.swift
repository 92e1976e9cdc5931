// How an app's outputs become labels, as declared in thresholds/.
//
// The analyzer itself judges patterns and pointers while settings are read: what passes here is
// what it can run, and a bad one is a fault with its line instead of a failed night.

import Analyzer
import Drift
import Labels

extension ClassifierDeclaration {
  private static let kinds = [
    "regex", "pointer", "keywords", "equals", "field", "refusal", "tool", "finish", "completeness",
    "format", "language", "length", "latency", "trained",
  ]

  /// Reads a list of declarations. Names must differ; `equals` needs a classifier of the list.
  static func read(_ list: SettingsNode, trained: TrainedModels) -> [ClassifierDeclaration] {
    var classifiers: [ClassifierDeclaration] = []
    var references: [(of: String, node: SettingsNode)] = []
    for element in list.list() {
      guard let section = element.mapping() else { continue }
      if let classifier = one(section, trained: trained) {
        if classifiers.contains(where: { $0.name == classifier.name }) {
          element.fault("classifier '\(classifier.name)' is declared twice", "rename one of them")
        }
        if case .equals(let of) = classifier.kind { references.append((of, element)) }
        classifiers.append(classifier)
      }
    }
    for (of, node) in references {
      let others = classifiers.filter { if case .equals = $0.kind { false } else { true } }
      if !others.contains(where: { $0.name == of }) {
        node.fault(
          "'of' names '\(node.shown(of))', which is no classifier with labels of its own here",
          NearestName.advice(for: of, among: others.map(\.name)))
      }
    }
    return classifiers
  }

  private static func one(
    _ section: SettingsMapping, trained: TrainedModels
  ) -> ClassifierDeclaration? {
    let name = section.need("name", "give the classifier a name")?.classifierName()
    let advice = "one of \(kinds.joined(separator: ", "))"
    guard let word = section.need("kind", advice)?.word(kinds) else { return nil }
    let kind: Kind?
    switch word {
    case "regex": kind = regex(section)
    case "pointer": kind = pointer(section)
    case "keywords": kind = keywords(section)
    case "equals":
      kind = section.need("of", "name the classifier to compare with the reference")?
        .line("a classifier's name").map { .equals(classifier: $0) }
    case "field":
      kind = section.need("column", "name the imported label column")?
        .line("a column's name").map { .field(name: $0) }
    case "tool":
      kind = .tool(
        isEvery: section.take("every")?.flag() ?? false,
        none: section.take("none")?.line("a label") ?? "none")
    case "finish": kind = .finish
    case "completeness": kind = .completeness
    case "format": kind = .format
    case "language": kind = .language
    case "length":
      let unit = section.take("unit")?.word(LengthUnit.allCases.map(\.rawValue))
      kind = bands(section, "[50, 200, 1000]").map {
        .length(unit: unit.flatMap(LengthUnit.init) ?? .characters, bands: $0)
      }
    case "latency":
      kind = bands(section, "[1000, 5000, 20000], in milliseconds").map { .latency(bands: $0) }
    case "trained": kind = self.trained(section, trained)
    default:
      kind = .refusal(partial: section.take("partial")?.word(["refusal", "answer"]) ?? "refusal")
    }
    section.finish()
    guard let name, let kind else { return nil }
    return ClassifierDeclaration(name: name, kind: kind)
  }

  private static func keywords(_ section: SettingsMapping) -> Kind? {
    let none = section.take("none")?.line("a label") ?? "none"
    let list = section.need(
      "rules", "write a list such as [{ label: billing, any: [invoice, refund*] }]")
    guard let list else { return nil }
    let rules = list.list().compactMap { element -> KeywordRule? in
      guard let rule = element.mapping() else { return nil }
      let label = rule.need("label", "name the label of the rule")?.line("a label")
      func phrases(_ key: String) -> [String] {
        rule.take(key)?.list().compactMap { $0.line("a word or a phrase") } ?? []
      }
      let (any, all, not) = (phrases("any"), phrases("all"), phrases("not"))
      rule.finish()
      return label.map { KeywordRule(label: $0, any: any, all: all, not: not) }
    }
    return tried(
      .keywords(rules: rules, none: none), at: list,
      "each rule has a label, and words under 'any' or 'all'; '*' at the end is any ending")
  }

  private static func bands(_ section: SettingsMapping, _ example: String) -> Bands? {
    guard let list = section.need("bands", "write the edges, as in \(example)") else { return nil }
    let edges = list.list().compactMap { $0.integer(in: 1...1_000_000_000) }
    guard edges.count == list.list().count else { return nil }
    let bands = Bands(edges)
    if bands == nil { list.fault("the edges do not ascend", "as in \(example)") }
    return bands
  }

  private static func trained(_ section: SettingsMapping, _ trained: TrainedModels) -> Kind? {
    let file = section.need("file", "name a file of thresholds/classifiers, without its .json")
    let probabilityMin = section.take("probabilityMin")?.decimal(in: 0...1) ?? 0
    let unsure = section.take("unsure")?.line("a label") ?? "unsure"
    guard let file, let name = file.line("a file's name") else { return nil }
    do {
      return .trained(
        model: try trained.model(name), probabilityMin: probabilityMin, unsure: unsure)
    } catch {
      file.fault(error.message, error.hint)
      return nil
    }
  }

  private static func regex(_ section: SettingsMapping) -> Kind? {
    let node = section.need("pattern", "write the regular expression in single quotes")
    let capture = Int(section.take("capture")?.integer(in: 0...99) ?? 0)
    let match =
      section.take("match")?.word(["first", "last"]).flatMap(Match.init(rawValue:)) ?? .first
    let isLowercased = section.take("lowercase")?.flag() ?? false
    let none = section.take("none")?.line("a label") ?? SpecialLabel.missing.rawValue
    guard let node, let pattern = node.text("a regular expression") else { return nil }
    return tried(
      .regex(
        pattern: pattern, group: capture, match: match, isLowercased: isLowercased, none: none),
      at: node, "in single quotes YAML leaves backslashes alone; see the analyzer's syntax")
  }

  private static func pointer(_ section: SettingsMapping) -> Kind? {
    let node = section.need("pointer", "write a JSON pointer, as in /answer/kind")
    guard let node, let path = node.text("a JSON pointer") else { return nil }
    return tried(.pointer(path: path), at: node, "begin it with '/', as in /answer/kind")
  }

  /// Faults a declaration that the analyzer does not take.
  private static func tried(_ kind: Kind, at node: SettingsNode, _ advice: String) -> Kind {
    let trial = ClassifierDeclaration(name: node.name, kind: kind)
    do {
      _ = try makeClassifiers([trial])
    } catch {
      node.fault(error.message, advice)
    }
    return kind
  }
}

extension SettingsNode {
  /// A classifier's name: it stands in reports, file names and metric labels.
  fileprivate func classifierName() -> String? {
    guard let text = line("a name") else { return nil }
    guard SettingsName.isValid(text) else {
      fault("classifier name '\(shown(text))' cannot be used", SettingsName.advice)
      return nil
    }
    return text
  }
}
