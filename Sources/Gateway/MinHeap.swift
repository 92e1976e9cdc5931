// The least of many first: a binary heap in an array.

/// Adds and takes in logarithmic time.
struct MinHeap<Element: Comparable & Sendable>: Sendable {
  /// Each is no greater than the two at twice its place, counted from 1.
  private var elements: [Element] = []

  var first: Element? { elements.first }
  var isEmpty: Bool { elements.isEmpty }

  mutating func add(_ element: Element) {
    elements.append(element)
    var place = elements.count - 1
    while place > 0, elements[place] < elements[(place - 1) / 2] {
      elements.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  /// Takes the least.
  mutating func take() -> Element? {
    guard let last = elements.popLast() else { return nil }
    guard let least = elements.first else { return last }
    elements[0] = last
    var place = 0
    while let child = lesserChild(of: place), elements[child] < elements[place] {
      elements.swapAt(place, child)
      place = child
    }
    return least
  }

  private func lesserChild(of place: Int) -> Int? {
    let (left, right) = (2 * place + 1, 2 * place + 2)
    guard right < elements.count else { return left < elements.count ? left : nil }
    return elements[right] < elements[left] ? right : left
  }
}
