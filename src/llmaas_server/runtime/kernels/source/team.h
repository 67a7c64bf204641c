// A team of threads that runs one function together, with barriers and shared counters.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace llmaas {

static inline void relax(int& spins) {
  // Spin first, since the others are nearly done; then let another process have the core.
  if (++spins < 2000) {
#if defined(__x86_64__)
    _mm_pause();
#endif
  } else {
    std::this_thread::yield();
  }
}

class Team {
 public:
  explicit Team(int size) : size_(size) {
    for (int i = 1; i < size; ++i) threads_.emplace_back([this, i] { serve(i); });
  }

  ~Team() {
    {
      std::lock_guard<std::mutex> hold(mutex_);
      closing_ = true;
      round_.fetch_add(1);
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

  int size() const { return size_; }

  // Every thread runs `work`; returns when all have. Called from one thread at a time.
  void run(const std::function<void()>& work) {
    work_ = &work;
    running_.store(size_ - 1);
    {
      std::lock_guard<std::mutex> hold(mutex_);
      round_.fetch_add(1);
    }
    wake_.notify_all();
    work();
    for (int spins = 0; running_.load(std::memory_order_acquire) != 0;) relax(spins);
  }

  void barrier() {
    const unsigned phase = phase_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) == size_ - 1) {
      arrived_.store(0, std::memory_order_relaxed);
      phase_.store(phase + 1, std::memory_order_release);
      return;
    }
    for (int spins = 0; phase_.load(std::memory_order_acquire) == phase;) relax(spins);
  }

 private:
  void serve(int) {
    unsigned seen = 0;
    while (true) {
      {
        std::unique_lock<std::mutex> hold(mutex_);
        wake_.wait(hold, [&] { return round_.load() != seen; });
        seen = round_.load();
        if (closing_) return;
      }
      (*work_)();
      running_.fetch_sub(1, std::memory_order_release);
    }
  }

  const int size_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool closing_ = false;
  const std::function<void()>* work_ = nullptr;
  std::atomic<unsigned> round_{0}, phase_{0};
  std::atomic<int> running_{0}, arrived_{0};
};

}  // namespace llmaas
