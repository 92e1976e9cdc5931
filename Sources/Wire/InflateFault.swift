// What is wrong with a compressed body, as a value that costs nothing to throw.

/// Why a compressed body cannot be read, or not further; sticky: what follows is not read either.
public enum InflateFault: String, Error, Sendable, CaseIterable {
  /// The gzip or zlib header is not one, or asks for what does not exist.
  case malformedHeader = "malformed_header"
  /// The gzip header's own checksum is wrong.
  case headerChecksumMismatch = "header_checksum_mismatch"
  /// The zlib header asks for a dictionary that nobody has agreed on.
  case dictionaryNeeded = "dictionary_needed"
  /// Block type 3.
  case malformedBlockType = "malformed_block_type"
  /// A stored block whose length and its complement disagree.
  case malformedStoredLength = "malformed_stored_length"
  /// Code lengths of a dynamic block that no Huffman code has.
  case malformedCodeLengths = "malformed_code_lengths"
  /// Bits that are no code word, or a symbol that has no meaning.
  case malformedSymbol = "malformed_symbol"
  /// A distance to before the first byte.
  case distanceTooFar = "distance_too_far"
  /// The content's CRC-32 or Adler-32 is another than the one announced.
  case checksumMismatch = "checksum_mismatch"
  /// The content's length is another than the one announced.
  case lengthMismatch = "length_mismatch"
  /// The content is longer than allowed: a decompression bomb, or a bound set too low.
  case outputTooLong = "output_too_long"
}
