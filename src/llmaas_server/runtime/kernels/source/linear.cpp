#include "linear.h"

namespace llmaas {

namespace {

template <int BITS>
inline void unpack(const uint8_t* block, u8* w) {
  if constexpr (BITS == 8) {
    for (int s = 0; s < 8; ++s) w[s] = load<u8>(block + 64 * s);
  } else {
    for (int s = 0; s < 4; ++s) {
      const u8 both = load<u8>(block + 64 * s);
      w[s] = both & 0x0f;
      w[s + 4] = (u8)((u32)both >> 4) & 0x0f;
    }
  }
}

// out[r] = 16 outputs of row first + r, for M rows of one panel.
template <int BITS, int M>
void micro(const uint8_t* block, const Activations& a, int first, f32* out) {
  const int groups = a.k / a.group, chunks = a.group / CHUNK;
  const float* step = a.step + a.scale(first, 0);
  const float* shift = a.shift + a.scale(first, 0);
  const int8_t* q = a.inputs(first);
  f32 total[M] = {};
  for (int g = 0; g < groups; ++g) {
    i32 sums[M] = {};
    for (int c = 0; c < chunks; ++c) {
      u8 w[8];
      unpack<BITS>(block, w);
      __builtin_prefetch(block + 4096);
      LLMAAS_UNROLL
      for (int s = 0; s < 8; ++s)
        LLMAAS_UNROLL
        for (int r = 0; r < M; ++r) sums[r] = dot4(sums[r], w[s], q + s * ROWS * 4 + r * 4);
      block += CHUNK * BITS * 2, q += CHUNK * ROWS;
    }
    const f32 scale = from_f16((const uint16_t*)block);
    const f32 min = from_f16((const uint16_t*)(block + 32));
    LLMAAS_UNROLL
    for (int r = 0; r < M; ++r)
      total[r] += to_float(sums[r]) * (scale * step[r]) + min * shift[r];
    block += 64, step += ROWS, shift += ROWS;
  }
  LLMAAS_UNROLL
  for (int r = 0; r < M; ++r) out[r] = total[r];
}

// Rows beyond `rows` are those that the panel has room for: computed, and not looked at.
template <int BITS>
void micro_for(int rows, const uint8_t* block, const Activations& a, int first, f32* out) {
  if (rows == 1) return micro<BITS, 1>(block, a, first, out);
  if (rows == 2) return micro<BITS, 2>(block, a, first, out);
  if (rows <= 4) return micro<BITS, 4>(block, a, first, out);
  micro<BITS, 8>(block, a, first, out);
}

}  // namespace

void columns(const Linear& layer, int column, const Activations& a, int first, int rows,
             f32* out) {
  const uint8_t* block =
      layer.blocks + size_t(column) * (layer.k / layer.group) * block_bytes(layer.bits, layer.group);
  if (layer.bits == 4)
    micro_for<4>(rows, block, a, first, out);
  else
    micro_for<8>(rows, block, a, first, out);
  if (layer.bias) {
    const f32 bias = load<f32>(layer.bias + column * LANES);
    for (int r = 0; r < rows; ++r) out[r] += bias;
  }
}

}  // namespace llmaas
