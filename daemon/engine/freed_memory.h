// Memory that a flood of commits has left behind. The allocator keeps what was freed in the arena of each
// thread for the next time, after a few hundred thousand jobs 100 to 200 MiB; once the flood is over its
// pages go back to the system. Not in between: they would be wanted again at once. Belongs to one thread.
#pragma once

#include <malloc.h>

#include <chrono>
#include <cstddef>
#include <optional>

namespace pqd {

class FreedMemory {
 public:
  // For so long no commit came. The checkpoint after the last one is written by then as a rule.
  static constexpr std::chrono::milliseconds kQuiet{2'000};
  // So many bytes of commits are worth it: looking through the arenas costs some ten milliseconds.
  static constexpr size_t kWorthBytes = 16u << 20;

  // What a start has read is worth it, too.
  explicit FreedMemory(size_t committed = kWorthBytes) : committed_(committed) {}

  void committed(size_t bytes) { committed_ += bytes; }
  // How long to wait for more of them before give_back(); nothing = it is not worth it.
  std::optional<std::chrono::milliseconds> patience() const {
    return committed_ >= kWorthBytes ? std::optional(kQuiet) : std::nullopt;
  }
  void give_back() {
    ::malloc_trim(0);
    committed_ = 0;
  }

 private:
  size_t committed_;
};

}  // namespace pqd
