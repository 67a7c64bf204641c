// A team of threads that runs one function together. It waits for nobody: a thread that the system
// does not run just now takes no part.
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
  explicit Team(int size) {
    for (int i = 1; i < size; ++i) threads_.emplace_back([this] { serve(); });
  }

  ~Team() {
    {
      std::lock_guard<std::mutex> hold(mutex_);
      closing_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

  // Every thread that is awake in time runs `work`; returns when it is done and none is inside.
  // Called from one thread at a time. `work` must come to its end whoever takes part in it.
  void run(const std::function<void()>& work) {
    {
      std::lock_guard<std::mutex> hold(mutex_);
      work_ = &work;
      ++round_;
    }
    wake_.notify_all();
    work();
    {
      std::lock_guard<std::mutex> hold(mutex_);
      work_ = nullptr;
    }
    for (int spins = 0; inside_.load(std::memory_order_acquire) != 0;) relax(spins);
  }

 private:
  void serve() {
    unsigned seen = 0;
    std::unique_lock<std::mutex> hold(mutex_);
    while (true) {
      wake_.wait(hold, [&] { return closing_ || round_ != seen; });
      if (closing_) return;
      seen = round_;
      if (!work_) continue;  // the others have done it already
      const auto* work = work_;
      inside_.fetch_add(1, std::memory_order_relaxed);
      hold.unlock();
      (*work)();
      inside_.fetch_sub(1, std::memory_order_release);
      hold.lock();
    }
  }

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool closing_ = false;
  unsigned round_ = 0;
  const std::function<void()>* work_ = nullptr;
  std::atomic<int> inside_{0};
};

}  // namespace llmaas
