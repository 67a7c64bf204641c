// Attention over a paged cache in bfloat16, in products of pairs that are summed in float32.
//
// A block holds BLOCK tokens of one KV head of one layer. Keys lie transposed, so that sixteen
// scores come from one vector, and values do not; pairs of what is summed over lie together:
//
//   keys    [blocks, kv_heads, head_dim / 2, BLOCK, 2]
//   values  [blocks, kv_heads, BLOCK / 2, head_dim, 2]
//
// A sequence's token t is token t % BLOCK of block table[t / BLOCK].
#pragma once

#include <vector>

#include "vectors.h"

namespace llmaas {

constexpr int BLOCK = LANES;

struct Cache {
  uint16_t* keys;
  uint16_t* values;
  int32_t kv_heads, head_dim;
  size_t at(int block, int head) const {
    return (size_t(block) * kv_heads + head) * head_dim * BLOCK;
  }
};

void write_cache(const Cache& cache, int block, int slot, int head, const float* key,
                 const float* value);

// One row of query and where its result goes. It sees tokens 0 .. `last`, but for those from
// `gap_begin` on and before `gap_end`.
struct QueryRow {
  const float* query;  // [head_dim], scaled already
  float* out;          // [head_dim]
  int32_t last, gap_begin, gap_end;
};

using QueryRows = std::vector<QueryRow>;

// Rows of query that share a sequence and a KV head. All rows share the loads of a block; a row's
// own arithmetic is the same whatever rows stand beside it.
void attend(const Cache& cache, const int32_t* table, int head, const QueryRows& rows);

}  // namespace llmaas
