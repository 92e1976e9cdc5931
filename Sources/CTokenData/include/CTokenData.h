// The tokens of two public byte-pair vocabularies, in rank order. README.md says where they are
// from; the format: the count of tokens, four bytes little-endian, then for each token a byte of
// length and that many bytes.
#ifndef LEEWAY_TOKEN_DATA_H
#define LEEWAY_TOKEN_DATA_H

#include <stddef.h>
#include <stdint.h>

const uint8_t *_Nonnull leeway_cl100k_base(void);
size_t leeway_cl100k_base_size(void);
const uint8_t *_Nonnull leeway_o200k_base(void);
size_t leeway_o200k_base_size(void);

#endif
