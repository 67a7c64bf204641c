// An encoder of the BERT family over packed rows: no padding, each sequence sees itself alone.
//
// Embeddings (words, positions and types, summed and normalized by the caller) in, the last hidden
// states out. Residual, LayerNorm and quantization of a row are one pass.

#include "attention.h"
#include "step.h"

using namespace llmaas;

extern "C" {

struct EncoderLayer {
  Linear query, key, value, output;
  const float* attention_norm;  // [hidden]
  const float* attention_norm_bias;
  Linear up, down;
  const float* mlp_norm;
  const float* mlp_norm_bias;
};

struct Encoder {
  const EncoderLayer* layers;
  int32_t num_layers, hidden, heads, intermediate;
  float epsilon;
};

struct EncoderBatch {
  float* hidden;            // [rows, hidden], in and out
  const int32_t* sequence;  // [rows], ascending from 0
  int32_t rows;
};

}  // extern "C"

namespace {

// x Phi(x): Phi - 1/2 is odd, and within 4.6 of the middle a polynomial of our own fitting (of least
// largest error) gives x Phi(x) to 1e-4 in float32. Beyond, Phi is 0 or 1 to 2e-6.
f32 gelu(f32 x) {
  const f32 t = larger(smaller(x, splat(4.6f)), splat(-4.6f)), u = t * t;
  f32 p = splat(-1.1813561741e-12f);
  p = p * u + 1.4859900455e-10f;
  p = p * u + -8.3307346576e-09f;
  p = p * u + 2.7650495799e-07f;
  p = p * u + -6.1043039916e-06f;
  p = p * u + 9.5720779680e-05f;
  p = p * u + -1.1120525059e-03f;
  p = p * u + 9.8037433746e-03f;
  p = p * u + -6.6297485883e-02f;
  p = p * u + 3.9886571991e-01f;
  return x * (t * p + 0.5f);
}

constexpr int PANEL = 32;  // rows whose widened activations stay in the first cache

class EncoderStep {
 public:
  EncoderStep(Engine& engine, const Encoder& m, const EncoderBatch& b)
      : m_(m),
        b_(b),
        team_(engine.team),
        phases_(m.num_layers * 9 + 1),
        tiles_(tiles_of(b.sequence, b.rows)),
        head_dim_(m.hidden / m.heads) {
    Workspace& w = engine.workspace;
    const size_t size = size_t(b.rows) * m.hidden;
    query_ = w.query.at_least(size);
    key_ = w.key.at_least(size);
    value_ = w.value.at_least(size);
    mixed_ = w.mixed.at_least(size);
    const EncoderLayer& any = m.layers[0];
    narrow_ = w.narrow.view(b.rows, m.hidden, any.query.group);
    broad_ = w.broad.view(b.rows, m.intermediate, any.down.group);
    for (int r = 0; r < b.rows; ++r) {
      if (r == 0 || b.sequence[r] != b.sequence[r - 1]) begin_.push_back(r);
    }
    begin_.push_back(b.rows);
    int blocks = 0;
    for (size_t s = 0; s + 1 < begin_.size(); ++s) {
      first_block_.push_back(blocks);
      blocks += (length(int(s)) + BLOCK - 1) / BLOCK;
    }
    table_.resize(blocks);
    for (int i = 0; i < blocks; ++i) table_[i] = i;
    const size_t cached = size_t(blocks) * m.hidden * BLOCK;
    cache_ = {w.keys.at_least(cached), w.values.at_least(cached), m.heads, head_dim_};
    // Slots behind a sequence's end are multiplied by zero: they must not hold NaN.
    std::fill(cache_.keys, cache_.keys + cached, uint16_t(0));
    std::fill(cache_.values, cache_.values + cached, uint16_t(0));
  }

  void run() {
    team_.run([this] { work(); });
  }

 private:
  void work() {
    int phase = 0;
    const auto each = [&](int count, int chunk, auto&& f) { phases_.each(phase, count, chunk, f); };
    const int panels = (b_.rows + PANEL - 1) / PANEL;
    each(b_.rows, 8, [&](int r) { quantize_row(hidden(r), narrow_, r); });
    for (int l = 0; l < m_.num_layers; ++l) {
      const EncoderLayer& layer = m_.layers[l];
      const int width = m_.hidden / LANES;
      each(3 * width, 1, [&](int c) { project(layer, c / width, c % width); });
      each(b_.rows, 8, [&](int r) { place(r); });
      each(int(tiles_.size()) * m_.heads, 1, [&](int i) { attend_tile(i); });
      each(b_.rows, 8, [&](int r) { quantize_row(row(mixed_, r), narrow_, r); });
      each(width, 1, [&](int c) { add_to_hidden(layer.output, narrow_, c); });
      each(b_.rows, 8, [&](int r) {
        normalize(layer.attention_norm, layer.attention_norm_bias, r);
      });
      each(m_.intermediate / broad_.group * panels, 1, [&](int i) {
        widen(layer.up, i % (m_.intermediate / broad_.group), i / (m_.intermediate / broad_.group));
      });
      each(width, 1, [&](int c) { add_to_hidden(layer.down, broad_, c); });
      each(b_.rows, 8, [&](int r) { normalize(layer.mlp_norm, layer.mlp_norm_bias, r); });
    }
  }

  float* row(float* of, int r) const { return of + size_t(r) * m_.hidden; }
  float* hidden(int r) const { return row(b_.hidden, r); }
  int length(int s) const { return begin_[s + 1] - begin_[s]; }

  void project(const EncoderLayer& layer, int which, int c) {
    const Linear& linear = which == 0 ? layer.query : which == 1 ? layer.key : layer.value;
    float* to = which == 0 ? query_ : which == 1 ? key_ : value_;
    const float scale = which == 0 ? 1.0f / std::sqrt(float(head_dim_)) : 1.0f;
    for_rows(linear, c, narrow_, b_.rows,
             [&](int r, f32 v) { store(row(to, r) + c * LANES, v * scale); });
  }

  void place(int r) {
    const int s = b_.sequence[r], at = r - begin_[s];
    for (int h = 0; h < m_.heads; ++h)
      write_cache(cache_, first_block_[s] + at / BLOCK, at % BLOCK, h,
                  row(key_, r) + h * head_dim_, row(value_, r) + h * head_dim_);
  }

  void attend_tile(int item) {
    const Tile tile = tiles_[item / m_.heads];
    const int head = item % m_.heads, s = b_.sequence[tile.first];
    QueryRows rows;
    for (int r = tile.first; r < tile.first + tile.count; ++r)
      rows.push_back({row(query_, r) + head * head_dim_, row(mixed_, r) + head * head_dim_,
                      length(s) - 1, 0, 0});
    attend(cache_, table_.data() + first_block_[s], head, rows);
  }

  void add_to_hidden(const Linear& layer, const Activations& a, int c) {
    for_rows(layer, c, a, b_.rows, [&](int r, f32 v) {
      float* at = hidden(r) + c * LANES;
      store(at, load<f32>(at) + v);
    });
  }

  // gelu(up) for one group of the next layer's activations, of the rows of one panel.
  void widen(const Linear& layer, int group, int panel) {
    thread_local std::vector<float> kept;
    const int width = broad_.group, first = panel * PANEL;
    const int count = std::min(PANEL, b_.rows - first);
    if (kept.size() < size_t(PANEL) * width) kept.resize(size_t(PANEL) * width);
    float* wide = kept.data();
    for (int c = 0; c < width / LANES; ++c) {
      f32 out[ROWS];
      for (int r = 0; r < count; r += ROWS) {
        const int rows = std::min(ROWS, count - r);
        columns(layer, group * (width / LANES) + c, narrow_, first + r, rows, out);
        for (int i = 0; i < rows; ++i)
          store(wide + size_t(r + i) * width + c * LANES, gelu(out[i]));
      }
    }
    for (int r = 0; r < count; ++r)
      quantize_group(broad_, first + r, group,
                     [&](int i) { return load<f32>(wide + size_t(r) * width + i * LANES); });
  }

  void normalize(const float* weight, const float* bias, int r) {
    float* x = hidden(r);
    f32 total = {};
    for (int i = 0; i < m_.hidden; i += LANES) total += load<f32>(x + i);
    const float mean = sum(total) / float(m_.hidden);
    f32 squares = {};
    for (int i = 0; i < m_.hidden; i += LANES) {
      const f32 off = load<f32>(x + i) - mean;
      squares += off * off;
    }
    const float scale = 1.0f / std::sqrt(sum(squares) / float(m_.hidden) + m_.epsilon);
    for (int i = 0; i < m_.hidden; i += LANES)
      store(x + i, (load<f32>(x + i) - mean) * scale * load<f32>(weight + i) + load<f32>(bias + i));
    quantize_row(x, narrow_, r);
  }

  const Encoder& m_;
  const EncoderBatch& b_;
  Team& team_;
  Phases phases_;
  std::vector<Tile> tiles_;
  const int head_dim_;
  std::vector<int> begin_, first_block_;
  std::vector<int32_t> table_;
  Cache cache_{};
  float *query_, *key_, *value_, *mixed_;
  Activations narrow_{}, broad_{};
};

}  // namespace

extern "C" void llmaas_encoder_step(Engine* engine, const Encoder* model,
                                    const EncoderBatch* batch) {
  EncoderStep(*engine, *model, *batch).run();
}
