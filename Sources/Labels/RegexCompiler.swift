// From a pattern's tree to instructions for the machine. Counted repeats are written out, which is
// why their size is bounded.

/// Writes instructions for a tree.
struct RegexCompiler {
  private(set) var program: [LinearRegex.Instruction] = []
  private(set) var sets: [ScalarSet] = []

  mutating func finish() { program.append(.match) }

  mutating func emit(_ node: RegexSyntax.Node) throws(RegexSyntax.Fault) {
    if program.count > 20_000 {
      throw RegexSyntax.Fault(offset: 0, reason: "more than 20,000 steps; use smaller counts")
    }
    switch node {
    case .empty: break
    case .scalar(let value): program.append(.scalar(value))
    case .set(let set):
      sets.append(set)
      program.append(.set(sets.count - 1))
    case .any(let newlines): program.append(.any(newlines: newlines))
    case .assertion(let assertion): program.append(.assert(assertion))
    case .sequence(let nodes): for node in nodes { try emit(node) }
    case .choice(let nodes): try emitChoice(nodes)
    case .group(let index, let inner):
      program.append(.open(index))
      try emit(inner)
      program.append(.close(index))
    case .repeated(let inner, let least, let most, let isLazy):
      try emitRepeated(inner, least, most, isLazy)
    }
  }

  private mutating func emitChoice(
    _ nodes: [RegexSyntax.Node]
  ) throws(RegexSyntax.Fault) {
    var jumps: [Int] = []
    for (index, node) in nodes.enumerated() {
      if index == nodes.count - 1 {
        try emit(node)
        break
      }
      let split = program.count
      program.append(.split(split + 1, 0))
      try emit(node)
      jumps.append(program.count)
      program.append(.jump(0))
      program[split] = .split(split + 1, program.count)
    }
    for jump in jumps { program[jump] = .jump(program.count) }
  }

  private mutating func emitRepeated(
    _ inner: RegexSyntax.Node, _ least: Int, _ most: Int?, _ isLazy: Bool
  ) throws(RegexSyntax.Fault) {
    for _ in 0..<least { try emit(inner) }
    func split(_ into: Int, _ past: Int) -> LinearRegex.Instruction {
      isLazy ? .split(past, into) : .split(into, past)
    }
    guard let most else {
      let start = program.count
      program.append(.jump(0))
      try emit(inner)
      program.append(.jump(start))
      program[start] = split(start + 1, program.count)
      return
    }
    var splits: [Int] = []
    for _ in least..<most {
      splits.append(program.count)
      program.append(.jump(0))
      try emit(inner)
    }
    for index in splits { program[index] = split(index + 1, program.count) }
  }
}
