// The door: a team of threads with its memory, and what this build uses of the processor.

#include "step.h"

using namespace llmaas;

extern "C" {

const char* llmaas_instructions() {
#if defined(__AVX512VNNI__)
  return "avx512-vnni";
#elif defined(__AVX2__)
  return "avx2";
#else
  return "portable";
#endif
}

Engine* llmaas_open(int threads) { return new Engine(threads); }

void llmaas_close(Engine* engine) { delete engine; }

}  // extern "C"
