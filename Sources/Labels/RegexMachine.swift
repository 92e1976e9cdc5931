// Runs a compiled pattern: every alternative still alive is a thread, all threads read the same
// scalar, and no two threads stand at the same instruction. That is the bound on the time.

extension LinearRegex {
  /// The state of one search; reused for the next, so that a last match costs no allocation each.
  struct Machine {
    private struct Thread {
      var instruction: Int
      var start: Int
      var groupStart: Int
      var groupEnd: Int
    }

    let program: [Instruction]
    let sets: [ScalarSet]
    let starts: Starts
    /// The group whose range is recorded.
    let group: Int
    var stepsLeft = 0

    private var current: [Thread] = []
    private var next: [Thread] = []
    private var stack: [Thread] = []
    /// The generation at which an instruction was last entered.
    private var entered: [Int]
    private var generation = 0

    init(program: [Instruction], sets: [ScalarSet], starts: Starts, group: Int) {
      self.program = program
      self.sets = sets
      self.starts = starts
      self.group = group
      entered = Array(repeating: 0, count: program.count)
    }

    /// The leftmost match that begins at or after `from`.
    mutating func run(_ text: [UInt32], from: Int) throws(Exhausted) -> Match? {
      var best: Thread?
      var bestEnd = 0
      var position = from
      current.removeAll(keepingCapacity: true)
      generation += 1
      while true {
        if current.isEmpty {
          if best != nil || (starts.isAnchored && position > 0) { break }
          if !starts.isAnywhere, !starts.isAnchored {
            position = try skip(text, from: position)
            if position >= text.count { break }
          }
        }
        if best == nil, !starts.isAnchored || position == 0 {
          let seed = Thread(instruction: 0, start: position, groupStart: -1, groupEnd: -1)
          try add(seed, text, position, toNext: false)
        }
        generation += 1
        next.removeAll(keepingCapacity: true)
        var index = 0
        while index < current.count {
          let thread = current[index]
          index += 1
          if case .match = program[thread.instruction] {
            best = thread
            bestEnd = position
            break  // What follows has a lower preference.
          }
          guard position < text.count else { continue }
          if accepts(program[thread.instruction], text[position]) {
            var moved = thread
            moved.instruction += 1
            try add(moved, text, position + 1, toNext: true)
          }
        }
        swap(&current, &next)
        if position >= text.count { break }
        position += 1
      }
      return best.map { match(of: $0, end: bestEnd) }
    }

    private func match(of thread: Thread, end: Int) -> Match {
      let whole = thread.start..<end
      if group == 0 { return Match(whole: whole, group: whole) }
      let isSet = thread.groupStart >= 0 && thread.groupEnd >= thread.groupStart
      return Match(whole: whole, group: isSet ? thread.groupStart..<thread.groupEnd : nil)
    }

    private mutating func skip(_ text: [UInt32], from: Int) throws(Exhausted) -> Int {
      var position = from
      while position < text.count, !starts.contains(text[position]) { position += 1 }
      stepsLeft -= position - from
      if stepsLeft <= 0 { throw Exhausted() }
      return position
    }

    private func accepts(_ instruction: Instruction, _ scalar: UInt32) -> Bool {
      switch instruction {
      case .scalar(let wanted): wanted == scalar
      case .set(let index): sets[index].contains(scalar)
      case .any(let newlines): newlines || (scalar != 10 && scalar != 13)
      default: false
      }
    }

    /// Follows everything that reads no scalar, in order of preference.
    private mutating func add(
      _ thread: Thread, _ text: [UInt32], _ position: Int, toNext: Bool
    ) throws(Exhausted) {
      stack.append(thread)
      while var top = stack.popLast() {
        stepsLeft -= 1
        if stepsLeft <= 0 {
          stack.removeAll()
          throw Exhausted()
        }
        if entered[top.instruction] == generation { continue }
        entered[top.instruction] = generation
        switch program[top.instruction] {
        case .jump(let target):
          top.instruction = target
          stack.append(top)
        case .split(let first, let second):
          top.instruction = second
          stack.append(top)
          top.instruction = first
          stack.append(top)
        case .open(let index):
          if index == group { top.groupStart = position }
          top.instruction += 1
          stack.append(top)
        case .close(let index):
          if index == group { top.groupEnd = position }
          top.instruction += 1
          stack.append(top)
        case .assert(let assertion):
          guard holds(assertion, text, position) else { continue }
          top.instruction += 1
          stack.append(top)
        case .scalar, .set, .any, .match:
          if toNext { next.append(top) } else { current.append(top) }
        }
      }
    }

    private func holds(_ assertion: Assertion, _ text: [UInt32], _ position: Int) -> Bool {
      switch assertion {
      case .textStart: position == 0
      case .textEnd: position == text.count
      case .lineStart: position == 0 || text[position - 1] == 10
      case .lineEnd: position == text.count || text[position] == 10
      case .word: isBoundary(text, position)
      case .notWord: !isBoundary(text, position)
      }
    }

    private func isBoundary(_ text: [UInt32], _ position: Int) -> Bool {
      let before = position > 0 && isWord(text[position - 1])
      let after = position < text.count && isWord(text[position])
      return before != after
    }
  }
}

/// ASCII letters, digits and the low line, as in RE2.
private func isWord(_ scalar: UInt32) -> Bool {
  switch scalar {
  case 48...57, 65...90, 95, 97...122: true
  default: false
  }
}
