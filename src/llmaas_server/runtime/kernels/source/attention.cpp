#include "attention.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace llmaas {

void write_cache(const Cache& cache, int block, int slot, int head, const float* key,
                 const float* value) {
  uint16_t* k = cache.keys + cache.at(block, head) + slot;
  uint16_t* v = cache.values + cache.at(block, head) + size_t(slot) * cache.head_dim;
  for (int d = 0; d < cache.head_dim; ++d) {
    k[size_t(d) * BLOCK] = to_bf16(key[d]);
    v[d] = to_bf16(value[d]);
  }
}

namespace {

// scores[r][16] = q[r] . keys of one block, for R rows.
template <int R>
void score_block(const uint16_t* keys, const float* const* q, int head_dim,
                               float* const* scores) {
  f32 total[R] = {};
  for (int d = 0; d < head_dim; ++d) {
    const f32 key = from_bf16(keys + size_t(d) * BLOCK);
    LLMAAS_UNROLL
    for (int r = 0; r < R; ++r) total[r] += key * q[r][d];
  }
  LLMAAS_UNROLL
  for (int r = 0; r < R; ++r) store(scores[r], total[r]);
}

// out[r][0..15] += weights[r][t] * values[t][0..15], over all tokens of one block.
template <int R>
void mix_block(const uint16_t* values, int head_dim, const float* const* weights,
                             float* const* out) {
  for (int d = 0; d < head_dim; d += 2 * LANES) {
    const bool pair = d + LANES < head_dim;
    f32 a[R], b[R];
    for (int r = 0; r < R; ++r) {
      a[r] = load<f32>(out[r] + d);
      b[r] = pair ? load<f32>(out[r] + d + LANES) : f32{};
    }
    for (int t = 0; t < BLOCK; ++t) {
      const uint16_t* value = values + size_t(t) * head_dim + d;
      const f32 va = from_bf16(value);
      const f32 vb = pair ? from_bf16(value + LANES) : f32{};
      LLMAAS_UNROLL
      for (int r = 0; r < R; ++r) {
        a[r] += va * weights[r][t];
        b[r] += vb * weights[r][t];
      }
    }
    for (int r = 0; r < R; ++r) {
      store(out[r] + d, a[r]);
      if (pair) store(out[r] + d + LANES, b[r]);
    }
  }
}

// The blocks of a sequence lie anywhere: ask for the next one while this one is worked on.
void prefetch(const uint16_t* block, int head_dim) {
  for (int line = 0; line < head_dim * BLOCK; line += 32) __builtin_prefetch(block + line);
}

template <typename F>
void by_rows(int rows, F&& f) {
  int r = 0;
  for (; r + 6 <= rows; r += 6) f(std::integral_constant<int, 6>{}, r);
  for (; r + 3 <= rows; r += 3) f(std::integral_constant<int, 3>{}, r);
  for (; r < rows; ++r) f(std::integral_constant<int, 1>{}, r);
}

// Softmax over the scores of one row; what the row does not see becomes 0.
void softmax(float* row, int width, const QueryRow& of) {
  for (int t = of.gap_begin; t < of.gap_end; ++t) row[t] = -INFINITY;
  for (int t = of.last + 1; t < width; ++t) row[t] = -INFINITY;
  f32 most = splat(-INFINITY);
  for (int t = 0; t < width; t += LANES) {
    const f32 v = load<f32>(row + t);
    most = v > most ? v : most;
  }
  const float peak = largest(most);
  f32 total = {};
  for (int t = 0; t < width; t += LANES) {
    const f32 v = load<f32>(row + t);
    const f32 weight = v > -INFINITY ? exp(v - peak) : splat(0.0f);
    total += weight;
    store(row + t, weight);
  }
  const float inverse = 1.0f / sum(total);
  for (int t = 0; t < width; t += LANES) store(row + t, load<f32>(row + t) * inverse);
}

}  // namespace

void attend(const Cache& cache, const int32_t* table, int head, const QueryRows& rows) {
  thread_local std::vector<float> scores;
  const int count = int(rows.size()), head_dim = cache.head_dim;
  int last = 0;
  for (const QueryRow& row : rows) last = std::max(last, row.last);
  const int blocks = last / BLOCK + 1, width = blocks * BLOCK;
  if (scores.size() < size_t(count) * width) scores.resize(size_t(count) * width);
  const auto keys = [&](int b) { return cache.keys + cache.at(table[b], head); };
  const auto values = [&](int b) { return cache.values + cache.at(table[b], head); };

  for (int b = 0; b < blocks; ++b) {
    prefetch(b + 1 < blocks ? keys(b + 1) : values(0), head_dim);
    by_rows(count, [&](auto size, int r) {
      constexpr int R = decltype(size)::value;
      const float* query[R];
      float* to[R];
      for (int i = 0; i < R; ++i) {
        query[i] = rows[r + i].query;
        to[i] = scores.data() + size_t(r + i) * width + b * BLOCK;
      }
      score_block<R>(keys(b), query, head_dim, to);
    });
  }
  for (int r = 0; r < count; ++r) {
    softmax(scores.data() + size_t(r) * width, width, rows[r]);
    std::fill(rows[r].out, rows[r].out + head_dim, 0.0f);
  }
  for (int b = 0; b < blocks; ++b) {
    if (b + 1 < blocks) prefetch(values(b + 1), head_dim);
    by_rows(count, [&](auto size, int r) {
      constexpr int R = decltype(size)::value;
      const float* weights[R];
      float* out[R];
      for (int i = 0; i < R; ++i) {
        weights[i] = scores.data() + size_t(r + i) * width + b * BLOCK;
        out[i] = rows[r + i].out;
      }
      mix_block<R>(values(b), head_dim, weights, out);
    });
  }
}

}  // namespace llmaas
