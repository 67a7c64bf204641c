// One step of a decoder of the Llama family (RMSNorm, rotary positions, grouped queries, SwiGLU):
// embeddings of some rows in, logits of some rows out, keys and values into the cache.
//
// The whole step is one call and one job of the team, with no Python between two layers. A plain C interface, so that it builds in seconds and needs no headers of torch.

#include "attention.h"
#include "step.h"

using namespace llmaas;

extern "C" {

struct DecoderLayer {
  const float* attention_norm;  // [hidden]
  Linear query, key, value;
  const float* query_norm;  // [head_dim] or null
  const float* key_norm;
  Linear output;
  const float* mlp_norm;  // [hidden]
  Linear gate, up, down;
  uint16_t* keys;  // this layer's part of the cache
  uint16_t* values;
};

struct Decoder {
  const DecoderLayer* layers;
  const float* final_norm;
  Linear head;
  int32_t num_layers, hidden, heads, kv_heads, head_dim, intermediate;
  float epsilon, scaling;
};

// Rows of one step. Row r is token index[r] of sequence[r], and sees the tokens before it but for
// those from gap[r][0] on and before gap[r][1]: other continuations of the same prefix.
struct DecoderBatch {
  const float* embeddings;    // [rows, hidden]
  const float* cosine;        // [rows, head_dim / 2]
  const float* sine;
  const int32_t* sequence;    // [rows], ascending
  const int32_t* index;       // [rows]
  const int32_t* gap;         // [rows, 2]
  const int32_t* tables;      // [sequences, table_width] blocks
  const int32_t* logit_rows;  // [num_logits]
  float* logits;              // [num_logits, vocabulary]
  int32_t rows, table_width, num_logits;
};

}  // extern "C"

namespace {

constexpr int GROUP = CHUNK;  // what a decoder's activations need: one scale for 32 inputs

float inverse_rms(const float* x, int n, float epsilon) {
  f32 total = {};
  for (int i = 0; i < n; i += LANES) {
    const f32 v = load<f32>(x + i);
    total += v * v;
  }
  return 1.0f / std::sqrt(sum(total) / float(n) + epsilon);
}

void norm_head(float* x, const float* weight, int n, float epsilon) {
  if (!weight) return;
  const float scale = inverse_rms(x, n, epsilon);
  for (int i = 0; i < n; ++i) x[i] *= weight[i] * scale;
}

// Rotates halves: (x1, x2) -> (x1 cos - x2 sin, x2 cos + x1 sin), then scales.
void rotate(float* x, const float* cosine, const float* sine, int head_dim, float scale) {
  const int half = head_dim / 2;
  for (int i = 0; i < half; ++i) {
    const float a = x[i], b = x[i + half];
    x[i] = (a * cosine[i] - b * sine[i]) * scale;
    x[i + half] = (b * cosine[i] + a * sine[i]) * scale;
  }
}

f32 silu(f32 x) { return x / (1.0f + exp(-x)); }

class DecoderStep {
 public:
  DecoderStep(Engine& engine, const Decoder& m, const DecoderBatch& b)
      : m_(m),
        b_(b),
        team_(engine.team),
        phases_(m.num_layers * 8 + 2),
        tiles_(tiles_of(b.sequence, b.rows)) {
    Workspace& w = engine.workspace;
    const int width = m.heads * m.head_dim, kv = m.kv_heads * m.head_dim;
    const int most = std::max(b.rows, b.num_logits);
    hidden_ = w.hidden.at_least(size_t(b.rows) * m.hidden);
    std::copy(b.embeddings, b.embeddings + size_t(b.rows) * m.hidden, hidden_);
    query_ = w.query.at_least(size_t(b.rows) * width);
    mixed_ = w.mixed.at_least(size_t(b.rows) * width);
    key_ = w.key.at_least(size_t(b.rows) * kv);
    value_ = w.value.at_least(size_t(b.rows) * kv);
    // One buffer for both: a row's input to attention is used up before its output comes.
    w.narrow.view(most, std::max(m.hidden, width), GROUP);
    normed_ = w.narrow.view(most, m.hidden, GROUP);
    attended_ = w.narrow.view(most, width, GROUP);
    gated_ = w.broad.view(b.rows, m.intermediate, GROUP);
  }

  void run() {
    team_.run([this] { work(); });
  }

 private:
  void work() {
    int phase = 0;
    const auto each = [&](int count, int chunk, auto&& f) { phases_.each(phase, count, chunk, f); };
    for (int l = 0; l < m_.num_layers; ++l) {
      const DecoderLayer& layer = m_.layers[l];
      const int qkv = (layer.query.n + layer.key.n + layer.value.n) / LANES;
      each(b_.rows, 4, [&](int r) { normalize(layer.attention_norm, r, r); });
      each(qkv, 1, [&](int c) { project(layer, c); });
      each(b_.rows, 4, [&](int r) { place(layer, r); });
      each(int(tiles_.size()) * m_.kv_heads, 1, [&](int i) { attend_tile(layer, i); });
      each(m_.hidden / LANES, 1, [&](int c) { add_to_hidden(layer.output, attended_, c); });
      each(b_.rows, 4, [&](int r) { normalize(layer.mlp_norm, r, r); });
      each(m_.intermediate / GROUP, 1, [&](int c) { gate(layer, c); });
      each(m_.hidden / LANES, 1, [&](int c) { add_to_hidden(layer.down, gated_, c); });
    }
    each(b_.num_logits, 1, [&](int r) { normalize(m_.final_norm, b_.logit_rows[r], r); });
    each(m_.head.n / LANES, 16, [&](int c) {
      write(m_.head, normed_, c, b_.num_logits, b_.logits);
    });
  }

  float* hidden(int r) const { return hidden_ + size_t(r) * m_.hidden; }
  float* query(int r, int head) const { return query_ + (size_t(r) * m_.heads + head) * m_.head_dim; }
  float* mixed(int r, int head) const { return mixed_ + (size_t(r) * m_.heads + head) * m_.head_dim; }
  float* key(int r, int head) const { return key_ + (size_t(r) * m_.kv_heads + head) * m_.head_dim; }
  float* value(int r, int head) const {
    return value_ + (size_t(r) * m_.kv_heads + head) * m_.head_dim;
  }
  const int32_t* table(int r) const { return b_.tables + size_t(b_.sequence[r]) * b_.table_width; }
  Cache cache(const DecoderLayer& layer) const {
    return {layer.keys, layer.values, m_.kv_heads, m_.head_dim};
  }

  void normalize(const float* weight, int from, int to) {
    const float* x = hidden(from);
    const float scale = inverse_rms(x, m_.hidden, m_.epsilon);
    for (int g = 0; g < m_.hidden / GROUP; ++g)
      quantize_group(normed_, to, g, [&](int i) {
        const int at = g * GROUP + i * LANES;
        return load<f32>(x + at) * load<f32>(weight + at) * scale;
      });
  }

  void write(const Linear& layer, const Activations& a, int c, int rows, float* to) {
    for_rows(layer, c, a, rows,
             [&](int r, f32 v) { store(to + size_t(r) * layer.n + c * LANES, v); });
  }

  void project(const DecoderLayer& layer, int c) {
    const int q = layer.query.n / LANES, k = layer.key.n / LANES;
    if (c < q)
      write(layer.query, normed_, c, b_.rows, query_);
    else if (c < q + k)
      write(layer.key, normed_, c - q, b_.rows, key_);
    else
      write(layer.value, normed_, c - q - k, b_.rows, value_);
  }

  void place(const DecoderLayer& layer, int r) {
    const int d = m_.head_dim, index = b_.index[r], block = table(r)[index / BLOCK];
    const float* cosine = b_.cosine + size_t(r) * d / 2;
    const float* sine = b_.sine + size_t(r) * d / 2;
    for (int h = 0; h < m_.heads; ++h) {
      norm_head(query(r, h), layer.query_norm, d, m_.epsilon);
      rotate(query(r, h), cosine, sine, d, m_.scaling);
    }
    for (int h = 0; h < m_.kv_heads; ++h) {
      norm_head(key(r, h), layer.key_norm, d, m_.epsilon);
      rotate(key(r, h), cosine, sine, d, 1.0f);
      write_cache(cache(layer), block, index % BLOCK, h, key(r, h), value(r, h));
    }
  }

  void attend_tile(const DecoderLayer& layer, int item) {
    const Tile tile = tiles_[item / m_.kv_heads];
    const int head = item % m_.kv_heads, group = m_.heads / m_.kv_heads;
    QueryRows rows;
    for (int r = tile.first; r < tile.first + tile.count; ++r) {
      for (int h = head * group; h < (head + 1) * group; ++h)
        rows.push_back({query(r, h), mixed(r, h), b_.index[r], b_.gap[2 * r], b_.gap[2 * r + 1]});
    }
    attend(cache(layer), table(tile.first), head, rows);
    for (int r = tile.first; r < tile.first + tile.count; ++r) {
      const int first = head * group * m_.head_dim, last = first + group * m_.head_dim;
      for (int g = first / GROUP; g < last / GROUP; ++g)
        quantize_group(attended_, r, g,
                       [&](int i) { return load<f32>(mixed(r, 0) + g * GROUP + i * LANES); });
    }
  }

  void add_to_hidden(const Linear& layer, const Activations& a, int c) {
    for_rows(layer, c, a, b_.rows, [&](int r, f32 v) {
      float* at = hidden(r) + c * LANES;
      store(at, load<f32>(at) + v);
    });
  }

  // silu(gate) * up for 32 outputs: one group of the next layer's activations.
  void gate(const DecoderLayer& layer, int c) {
    f32 g[2][ROWS], u[2][ROWS];
    for (int first = 0; first < b_.rows; first += ROWS) {
      const int count = std::min(ROWS, b_.rows - first);
      for (int half = 0; half < 2; ++half) {
        columns(layer.gate, 2 * c + half, normed_, first, count, g[half]);
        columns(layer.up, 2 * c + half, normed_, first, count, u[half]);
        for (int r = 0; r < count; ++r) g[half][r] = silu(g[half][r]) * u[half][r];
      }
      for (int r = 0; r < count; ++r)
        quantize_group(gated_, first + r, c, [&](int i) { return g[i][r]; });
    }
  }

  const Decoder& m_;
  const DecoderBatch& b_;
  Team& team_;
  Phases phases_;
  std::vector<Tile> tiles_;
  float *hidden_, *query_, *key_, *value_, *mixed_;
  Activations normed_{}, attended_{}, gated_{};
};

}  // namespace

extern "C" void llmaas_decoder_step(Engine* engine, const Decoder* model,
                                    const DecoderBatch* batch) {
  DecoderStep(*engine, *model, *batch).run();
}
