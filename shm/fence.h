// The one full fence that the wake protocol is built on.
#pragma once

#include <atomic>

namespace pqd {

// TSan does not model fences and g++ says so. Here that costs nothing: this fence only orders our own store
// before our own load, and whatever data crosses does so by the release and acquire on the cursors.
inline void full_fence() {
#if defined(__SANITIZE_THREAD__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtsan"
#endif
  std::atomic_thread_fence(std::memory_order_seq_cst);
#if defined(__SANITIZE_THREAD__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
}

}  // namespace pqd
