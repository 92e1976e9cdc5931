// Embedded rather than a resource of the package: the executable stays one file.
#include "CTokenData.h"

// #embed is of C23; clang has it in every mode.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const uint8_t cl100k_base[] = {
#embed "cl100k_base.tokens"
};

static const uint8_t o200k_base[] = {
#embed "o200k_base.tokens"
};

const uint8_t *leeway_cl100k_base(void) { return cl100k_base; }
size_t leeway_cl100k_base_size(void) { return sizeof cl100k_base; }
const uint8_t *leeway_o200k_base(void) { return o200k_base; }
size_t leeway_o200k_base_size(void) { return sizeof o200k_base; }
