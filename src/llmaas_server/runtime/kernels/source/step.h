// What every step has: a team, memory that is kept between steps, and phases.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <new>

#include "linear.h"
#include "team.h"

namespace llmaas {

// Memory on a cache line's border that grows and is not cleared.
template <typename T>
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { std::free(data_); }

  T* at_least(size_t count) {
    if (count <= count_) return data_;
    std::free(data_);
    count_ = count + count / 4;
    data_ = (T*)std::aligned_alloc(64, (count_ * sizeof(T) + 63) / 64 * 64);
    if (!data_) throw std::bad_alloc();
    return data_;
  }

 private:
  T* data_ = nullptr;
  size_t count_ = 0;
};

struct ActivationBuffer {
  Buffer<int8_t> q;
  Buffer<float> step, shift;

  Activations view(int rows, int k, int group) {
    const size_t whole = size_t(rows + ROWS - 1) / ROWS * ROWS;  // panels are whole
    const size_t scales = whole * (k / group);
    return {q.at_least(whole * k), step.at_least(scales), shift.at_least(scales), k, group};
  }
};

struct Workspace {
  Buffer<float> hidden, query, key, value, mixed;
  Buffer<uint16_t> keys, values;
  ActivationBuffer narrow, broad;
};

struct Engine {
  Team team;
  Workspace workspace;
  explicit Engine(int threads) : team(threads) {}
};

// Phases of one step: in each, pieces 0 .. count - 1 are taken by whoever is free. A phase ends when
// its pieces are done, not when all threads have come: who comes late finds the phases over.
class Phases {
 public:
  explicit Phases(int most) : phases_(most) {}

  // Called by every thread that takes part, in the same order; `phase` is the thread's own count.
  template <typename F>
  void each(int& phase, int count, int chunk, F&& f) {
    Phase& at = phases_[phase++];
    for (int i; (i = at.taken.fetch_add(chunk, std::memory_order_relaxed)) < count;) {
      const int end = std::min(count, i + chunk);
      for (int j = i; j < end; ++j) f(j);
      at.done.fetch_add(end - i, std::memory_order_release);
    }
    for (int spins = 0; at.done.load(std::memory_order_acquire) != count;) relax(spins);
  }

 private:
  struct alignas(64) Phase {
    std::atomic<int> taken{0}, done{0};
  };
  std::vector<Phase> phases_;
};

// Rows of one sequence, a few at a time: what one piece of attention works on.
struct Tile {
  static constexpr int MOST = 8;
  int first, count;
};

static inline std::vector<Tile> tiles_of(const int32_t* sequence, int rows) {
  std::vector<Tile> tiles;
  for (int r = 0; r < rows; ++r) {
    const bool joins = !tiles.empty() && tiles.back().count < Tile::MOST &&
                       sequence[tiles.back().first] == sequence[r];
    if (joins)
      ++tiles.back().count;
    else
      tiles.push_back({r, 1});
  }
  return tiles;
}

}  // namespace llmaas
