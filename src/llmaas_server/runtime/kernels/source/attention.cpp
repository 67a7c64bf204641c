#include "attention.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace llmaas {

void write_cache(const Cache& cache, int block, int slot, int head, const float* key,
                 const float* value) {
  uint16_t* k = cache.keys + cache.at(block, head) + slot * 2;
  uint16_t* v = cache.values + cache.at(block, head) + size_t(slot / 2) * cache.head_dim * 2 + slot % 2;
  for (int first = 0; first < cache.head_dim; first += LANES) {
    uint16_t narrow[LANES];
    store_bf16(narrow, load<f32>(key + first));
    for (int d = 0; d < LANES; d += 2)
      std::memcpy(k + size_t(first + d) * BLOCK, narrow + d, 4);
    store_bf16(narrow, load<f32>(value + first));
    for (int d = 0; d < LANES; ++d) v[size_t(first + d) * 2] = narrow[d];
  }
}

namespace {

constexpr int MOST = 8;  // rows at once: eight sums of two vectors and two values are 18 registers

// scores[r][16] = q[r] . keys of one block, for R rows.
template <int R>
void score_block(const uint16_t* keys, const uint16_t* const* q, int head_dim,
                 float* const* scores) {
  f32 total[R] = {};
  for (int d = 0; d < head_dim; d += 2) {
    const u32 pairs = load<u32>(keys + size_t(d) * BLOCK);
    LLMAAS_UNROLL
    for (int r = 0; r < R; ++r) total[r] = dot2(total[r], pairs, q[r] + d);
  }
  LLMAAS_UNROLL
  for (int r = 0; r < R; ++r) store(scores[r], total[r]);
}

// Vectors V of the output of R rows, over the tokens of all blocks.
template <int R, int V, typename F>
void mix(F&& values, int blocks, int head_dim, const uint16_t* const* weights,
         const float* inverse, float* const* out) {
  f32 total[R][V] = {};
  for (int b = 0; b < blocks; ++b) {
    const uint16_t* value = values(b);
    for (int t = 0; t < BLOCK; t += 2) {
      u32 pairs[V];
      for (int v = 0; v < V; ++v)
        pairs[v] = load<u32>(value + size_t(t) * head_dim + v * LANES * 2);
      LLMAAS_UNROLL
      for (int r = 0; r < R; ++r)
        for (int v = 0; v < V; ++v)
          total[r][v] = dot2(total[r][v], pairs[v], weights[r] + b * BLOCK + t);
    }
  }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) store(out[r] + v * LANES, total[r][v] * inverse[r]);
}

// The blocks of a sequence lie anywhere: ask for the next one while this one is worked on.
void prefetch(const uint16_t* block, int head_dim) {
  for (int line = 0; line < head_dim * BLOCK; line += 32) __builtin_prefetch(block + line);
}

// Calls f with rows r .. r + R - 1, R known to the compiler. What a row comes to does not depend
// on R: every row has sums of its own.
template <typename F>
void by_rows(int rows, F&& f) {
  int r = 0;
  for (; r + MOST <= rows; r += MOST) f(std::integral_constant<int, MOST>{}, r);
  for (; r + 3 <= rows; r += 3) f(std::integral_constant<int, 3>{}, r);
  for (; r < rows; ++r) f(std::integral_constant<int, 1>{}, r);
}

// Scores of one row to weights, of which the largest is 1; what the row does not see becomes 0.
// Returns the inverse of their sum.
float soften(float* row, uint16_t* weights, int width, const QueryRow& of) {
  const int seen = (of.last / LANES + 1) * LANES;
  for (int t = of.gap_begin; t < of.gap_end; ++t) row[t] = -INFINITY;
  for (int t = of.last + 1; t < seen; ++t) row[t] = -INFINITY;
  f32 most = splat(-INFINITY);
  for (int t = 0; t < seen; t += LANES) most = larger(most, load<f32>(row + t));
  const float peak = largest(most) * LOG2_E;
  f32 total = {};
  for (int t = 0; t < seen; t += LANES) {
    const f32 weight = exp2_below(load<f32>(row + t) * LOG2_E - peak);
    total += weight;
    store_bf16(weights + t, weight);
  }
  std::fill(weights + seen, weights + width, uint16_t(0));
  return 1.0f / sum(total);
}

template <typename T>
T* at_least(std::vector<T>& buffer, size_t size) {
  if (buffer.size() < size) buffer.resize(size);
  return buffer.data();
}

}  // namespace

void attend(const Cache& cache, const int32_t* table, int head, const QueryRows& rows) {
  thread_local std::vector<float> scores_kept, inverse_kept;
  thread_local std::vector<uint16_t> weights_kept, queries_kept;
  const int count = int(rows.size()), head_dim = cache.head_dim;
  int last = 0;
  for (const QueryRow& row : rows) last = std::max(last, row.last);
  const int blocks = last / BLOCK + 1, width = blocks * BLOCK;
  float* scores = at_least(scores_kept, size_t(count) * width);
  float* inverse = at_least(inverse_kept, count);
  uint16_t* weights = at_least(weights_kept, size_t(count) * width);
  uint16_t* queries = at_least(queries_kept, size_t(count) * head_dim);
  const auto keys = [&](int b) { return cache.keys + cache.at(table[b], head); };
  const auto values = [&](int b) { return cache.values + cache.at(table[b], head); };

  for (int r = 0; r < count; ++r)
    for (int d = 0; d < head_dim; d += LANES)
      store_bf16(queries + size_t(r) * head_dim + d, load<f32>(rows[r].query + d));
  for (int b = 0; b < blocks; ++b) {
    prefetch(b + 1 < blocks ? keys(b + 1) : values(0), head_dim);
    by_rows(count, [&](auto size, int r) {
      constexpr int R = decltype(size)::value;
      const uint16_t* query[R];
      float* to[R];
      for (int i = 0; i < R; ++i) {
        query[i] = queries + size_t(r + i) * head_dim;
        to[i] = scores + size_t(r + i) * width + b * BLOCK;
      }
      score_block<R>(keys(b), query, head_dim, to);
    });
  }
  for (int r = 0; r < count; ++r)
    inverse[r] = soften(scores + size_t(r) * width, weights + size_t(r) * width, width, rows[r]);
  for (int d = 0; d < head_dim; d += 2 * LANES) {
    const auto part = [&](int b) {
      if (b + 1 < blocks) prefetch(values(b + 1), head_dim);
      return values(b) + d * 2;
    };
    by_rows(count, [&](auto size, int r) {
      constexpr int R = decltype(size)::value;
      const uint16_t* weight[R];
      float* out[R];
      for (int i = 0; i < R; ++i) {
        weight[i] = weights + size_t(r + i) * width;
        out[i] = rows[r + i].out + d;
      }
      if (head_dim - d == LANES)
        mix<R, 1>(part, blocks, head_dim, weight, inverse + r, out);
      else
        mix<R, 2>(part, blocks, head_dim, weight, inverse + r, out);
    });
  }
}

}  // namespace llmaas
