// Sixteen lanes at a time, in GCC's vector extensions: they become AVX-512, AVX2, SSE or NEON by
// the flags of the compiler. Intrinsics appear only where no portable form exists.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

// Loops over the rows and vectors of a micro-kernel: unrolled they stay in registers, where there
// are registers for them.
#if defined(__AVX2__)
#define LLMAAS_UNROLL _Pragma("GCC unroll 8")
#else
#define LLMAAS_UNROLL
#endif

namespace llmaas {

constexpr int LANES = 16;

typedef float f32 __attribute__((vector_size(64)));
typedef int32_t i32 __attribute__((vector_size(64)));
typedef uint32_t u32 __attribute__((vector_size(64)));
typedef uint16_t u16 __attribute__((vector_size(32)));
typedef uint8_t u8 __attribute__((vector_size(64)));
typedef int8_t i8 __attribute__((vector_size(16)));

template <typename V>
static inline V load(const void* from) {
  V v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

template <typename V>
static inline void store(void* to, V v) {
  std::memcpy(to, &v, sizeof v);
}

static inline f32 splat(float x) { return f32{} + x; }

static inline f32 to_float(i32 v) { return __builtin_convertvector(v, f32); }

static inline f32 from_bf16(const uint16_t* p) {
  return (f32)(__builtin_convertvector(load<u16>(p), u32) << 16);
}

static inline uint16_t to_bf16(float x) {  // round to nearest, ties to even
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  return uint16_t((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

// Sixteen bfloat16, rounded as `to_bf16` does.
static inline void store_bf16(uint16_t* to, f32 v) {
#if defined(__AVX512BF16__)
  const __m256bh narrow = _mm512_cvtneps_pbh((__m512)v);
  std::memcpy(to, &narrow, 32);
#else
  const u32 bits = (u32)v;
  store(to, __builtin_convertvector((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16, u16));
#endif
}

// The larger of each two; of b where one of them is NaN.
static inline f32 larger(f32 a, f32 b) {
#if defined(__AVX512F__)
  return (f32)_mm512_max_ps((__m512)a, (__m512)b);
#else
  return a > b ? a : b;
#endif
}

static inline f32 smaller(f32 a, f32 b) {
#if defined(__AVX512F__)
  return (f32)_mm512_min_ps((__m512)a, (__m512)b);
#else
  return a < b ? a : b;
#endif
}

// The nearest whole number.
static inline i32 nearest(f32 x) {
#if defined(__AVX512F__)
  return (i32)_mm512_cvtps_epi32((__m512)x);
#else
  return __builtin_convertvector(x + (x < 0.0f ? splat(-0.5f) : splat(0.5f)), i32);
#endif
}

static inline f32 from_f16(const uint16_t* p) {
#if defined(__AVX512F__)
  return (f32)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i*)p));
#elif defined(__F16C__)
  f32 v;
  __m256 low = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)p));
  __m256 high = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)(p + 8)));
  std::memcpy(&v, &low, 32);
  std::memcpy((char*)&v + 32, &high, 32);
  return v;
#else
  // Exponent and fraction move into place; a multiplication repairs the bias, subnormals too.
  u32 half = __builtin_convertvector(load<u16>(p), u32);
  f32 magnitude = (f32)((half & 0x7fffu) << 13) * splat(0x1p112f);
  return (f32)((u32)magnitude | ((half & 0x8000u) << 16));
#endif
}

// acc[n] += sum over j < 4 of w[4n + j] * a[j]: unsigned weights, one group of four activations.
static inline i32 dot4(i32 acc, u8 w, const int8_t* a) {
#if defined(__AVX512VNNI__)
  int32_t four;
  std::memcpy(&four, a, 4);
  return (i32)_mm512_dpbusd_epi32((__m512i)acc, (__m512i)w, _mm512_set1_epi32(four));
#elif defined(__AVX2__)
  int32_t four;
  std::memcpy(&four, a, 4);
  const __m256i x = _mm256_set1_epi32(four), ones = _mm256_set1_epi16(1);
  const __m256i low_bits = _mm256_set1_epi8(0x7f), top = _mm256_set1_epi16(128);
  __m256i half[2];
  std::memcpy(half, &w, 64);
  for (int h = 0; h < 2; ++h) {
    // Seven bits and the eighth apart: two products of 8 bits would overflow the 16 of maddubs.
    __m256i low = _mm256_madd_epi16(
        _mm256_maddubs_epi16(_mm256_and_si256(half[h], low_bits), x), ones);
    __m256i high_bit = _mm256_and_si256(_mm256_srli_epi16(half[h], 7), _mm256_set1_epi8(1));
    half[h] = _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_maddubs_epi16(high_bit, x), top));
  }
  i32 product;
  std::memcpy(&product, half, 64);
  return acc + product;
#else
  for (int n = 0; n < LANES; ++n)
    for (int j = 0; j < 4; ++j) acc[n] += int32_t(w[4 * n + j]) * int32_t(a[j]);
  return acc;
#endif
}

// acc[n] += sum over j < 2 of w[2n + j] * a[j], all of bfloat16: one pair for all lanes.
static inline f32 dot2(f32 acc, u32 w, const uint16_t* a) {
  uint32_t two;
  std::memcpy(&two, a, 4);
#if defined(__AVX512BF16__)
  return (f32)_mm512_dpbf16_ps((__m512)acc, (__m512bh)(__m512i)w,
                               (__m512bh)_mm512_set1_epi32(int32_t(two)));
#else
  const u32 pair = u32{} + two;
  acc += (f32)(w << 16) * (f32)(pair << 16);
  return acc + (f32)(w & 0xffff0000u) * (f32)(pair & 0xffff0000u);
#endif
}

constexpr float LOG2_E = 1.44269504088896341f;

// 2^x for x from -126 to 127: x = n + f, a polynomial for 2^f (a relative error of 3e-7 for f in
// -0.5 .. 0.5), and n into the exponent.
static inline f32 exp2_within(f32 x) {
  const i32 n = nearest(x);
  const f32 f = x - to_float(n);
  f32 p = splat(1.5403530394e-4f);
  p = p * f + 1.3333558146e-3f;
  p = p * f + 9.6181291076e-3f;
  p = p * f + 5.5504108665e-2f;
  p = p * f + 2.4022650696e-1f;
  p = p * f + 6.9314718056e-1f;
  p = p * f + 1.0f;
  return p * (f32)((n + 127) << 23);
}

// 2^x for x <= 0; 0 far below it.
static inline f32 exp2_below(f32 x) {
  const f32 y = exp2_within(larger(x, splat(-126.0f)));
  return x < -126.0f ? splat(0.0f) : y;
}

static inline f32 exp(f32 x) {
  return exp2_within(smaller(larger(x * LOG2_E, splat(-126.0f)), splat(127.0f)));
}

// Reductions fold halves onto each other: four steps, in an order that never changes.
template <typename V, typename F>
static inline V fold(V v, F combine) {
  v = combine(v, (V)__builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  v = combine(v, (V)__builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
  v = combine(v, (V)__builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
  return combine(v, (V)__builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
}

static inline float sum(f32 v) {
  return fold(v, [](f32 a, f32 b) { return a + b; })[0];
}

static inline int32_t sum(i32 v) {
  return fold(v, [](i32 a, i32 b) { return a + b; })[0];
}

static inline float largest(f32 v) {
  return fold(v, [](f32 a, f32 b) { return a > b ? a : b; })[0];
}

}  // namespace llmaas
