// What an accepted message can have, so that a run says what it exercised and a test what it must.
// A corpus that never has a trailer proves nothing about trailers, however many cases it counts.

import Wire

/// Something of a message that was read to its end, or a place at which its bytes were cut.
public enum WireFeature: UInt8, CaseIterable, Sendable {
  // How the body ends.
  case noBody, lengthZero, length, chunked, chunkedEmpty, untilClose, longBody
  case chunkExtension, quotedChunkExtension, manyChunks, trailer
  case answerToHead, noContent, notModified, interim, switchingProtocols
  // The life of the connection.
  case pipelined, oldVersion, oldVersionKeptAlive, close, upgrade, expectContinue
  // Lines.
  case leadingEmptyLine, query, absoluteTarget, starTarget, longTarget, noReason
  case noFields, manyFields, longValue, emptyValue, tabInValue, highByteInValue
  // Cuts.
  case cutInStartLine, cutInFields, cutInLineEnd, cutInLength, cutInChunkFrame, cutInPayload
  case cutInTrailer, cutBetweenMessages, everyByteAlone

  /// Whose messages can have it.
  public var sides: [WireSide] {
    switch self {
    case .untilClose, .answerToHead, .noContent, .notModified, .interim, .switchingProtocols,
      .noReason, .noFields:
      [.response]
    case .upgrade, .expectContinue, .leadingEmptyLine, .query, .absoluteTarget, .starTarget,
      .longTarget:
      [.request]
    default: [.request, .response]
    }
  }
}

/// A set of features; one word, because every case of millions fills some.
public struct WireFeatures: Equatable, Sendable {
  private var bits: UInt64 = 0

  public init() {}

  public mutating func insert(_ feature: WireFeature) { bits |= 1 << UInt64(feature.rawValue) }

  public mutating func formUnion(_ other: WireFeatures) { bits |= other.bits }

  public mutating func removeAll() { bits = 0 }

  public func contains(_ feature: WireFeature) -> Bool {
    bits & 1 << UInt64(feature.rawValue) != 0
  }
}

extension WireFault.Code {
  /// Whose bytes can meet it.
  public var sides: [WireSide] {
    switch self {
    case .malformedStatusLine, .bodyNotAllowed: [.response]
    case .targetTooLong, .malformedRequestLine, .unknownMethod, .malformedTarget, .missingHost,
      .repeatedHost, .malformedHost, .targetHostMismatch, .unsupportedExpectation:
      [.request]
    default: [.request, .response]
    }
  }
}
