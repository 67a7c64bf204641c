// Linear layers over affine blocks: w = scale * q + min, one scale and one min for a group of
// inputs (32 for decoders, which need it; hundreds for encoders, which do not).
//
// A block holds 16 outputs x `group` inputs, and a layer is blocks[n / 16][k / group]:
//
//   for every 32 inputs, at 4 bits: 4 vectors of 64 bytes; vector s has inputs 4s..4s+3 in its low
//           nibbles and inputs 16+4s..16+4s+3 in its high ones, byte 4n + j for output n, input j
//           at 8 bits: 8 vectors of 64 bytes, the same without the nibbles
//   then 16 scales and 16 mins in float16
//
// Activations are int8 with one scale for each group: x = step * a. A row's result depends on no
// other row, so an answer does not depend on its neighbours in the batch.
#pragma once

#include <cmath>

#include "vectors.h"

namespace llmaas {

constexpr int CHUNK = 32;  // inputs between two looks at memory; a group is a multiple of it
constexpr int ROWS = 8;  // rows of the micro-kernel: 8 weights + 8 sums + 8 totals = 24 registers

struct Linear {
  const uint8_t* blocks;
  const float* bias;  // null: none
  int32_t n, k;
  int32_t bits;   // 4 or 8
  int32_t group;  // inputs that share a scale
};

// Rows of int8 in groups, in panels of eight rows, so that the micro-kernel walks straight
// through memory. `step` scales a group, `shift` is step * (sum of the group).
//
//   q  [rows / 8, k / 4, 8 rows, 4 inputs]      step, shift  [rows / 8, k / group, 8 rows]
struct Activations {
  int8_t* q;
  float* step;
  float* shift;
  int32_t k, group;
  int8_t* inputs(int row) const { return q + size_t(row / ROWS) * ROWS * k + row % ROWS * 4; }
  size_t scale(int row, int g) const {
    return (size_t(row / ROWS) * (k / group) + g) * ROWS + row % ROWS;
  }
};

static inline size_t block_bytes(int bits, int group) { return size_t(group) * bits * 2 + 64; }

static inline f32 absolute(f32 x) { return x < 0.0f ? -x : x; }

// `values(i)` gives vector i of group `g` of row `r`.
template <typename F>
static inline void quantize_group(const Activations& to, int r, int g, F&& values) {
  const int vectors = to.group / LANES;
  f32 most = {};
  for (int i = 0; i < vectors; ++i) {
    most = larger(most, absolute(values(i)));
  }
  const float peak = largest(most);
  const float inverse = peak > 0 ? 127.0f / peak : 0.0f;
  int8_t* q = to.inputs(r) + size_t(g) * to.group * ROWS;
  i32 total = {};
  for (int i = 0; i < vectors; ++i) {
    const i32 whole = nearest(values(i) * inverse);
    int8_t bytes[LANES];
    store(bytes, __builtin_convertvector(whole, i8));
    for (int s = 0; s < 4; ++s) std::memcpy(q + (i * 4 + s) * ROWS * 4, bytes + s * 4, 4);
    total += whole;
  }
  to.step[to.scale(r, g)] = peak / 127.0f;
  to.shift[to.scale(r, g)] = peak / 127.0f * float(sum(total));
}

static inline void quantize_row(const float* x, const Activations& to, int r) {
  for (int g = 0; g < to.k / to.group; ++g)
    quantize_group(to, r, g, [&](int i) { return load<f32>(x + g * to.group + i * LANES); });
}

// Outputs 16 * column .. + 15 of `rows` <= 8 rows from `first` on (a multiple of 8), bias added.
// Writes up to the next power of two of rows.
void columns(const Linear& layer, int column, const Activations& a, int first, int rows, f32* out);

// The same for rows 0 .. rows - 1; `put(row, vector)` takes each result.
template <typename F>
static inline void for_rows(const Linear& layer, int column, const Activations& a, int rows,
                            F&& put) {
  f32 out[ROWS];
  for (int first = 0; first < rows; first += ROWS) {
    const int count = rows - first < ROWS ? rows - first : ROWS;
    columns(layer, column, a, first, count, out);
    for (int r = 0; r < count; ++r) put(first + r, out[r]);
  }
}

}  // namespace llmaas
