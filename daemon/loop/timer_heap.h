// One-shot timers in the order of their deadlines: a binary heap of which each node can be taken out. Knows
// no clock. Not thread-safe. Allocates only when more timers are armed than ever before (and for a handler
// whose captures std::function cannot hold in place).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace pqd {

// The slot in the low half, its generation in the high half: an id that is spent never names another timer.
// 0 is never given out.
using TimerId = uint64_t;

class TimerHeap {
 public:
  using Handler = std::function<void()>;

  TimerId add(int64_t deadline_ns, Handler handler);
  // False when the timer has run or was cancelled before.
  bool cancel(TimerId id);
  // The earliest handler with a deadline not after `now_ns`; equal deadlines in the order they were added.
  std::optional<Handler> take_due(int64_t now_ns);

  bool empty() const { return heap_.empty(); }
  // REQUIRES: not empty.
  int64_t next_deadline_ns() const { return heap_.front().deadline_ns; }

 private:
  struct Node {
    int64_t deadline_ns;
    uint64_t order;
    uint32_t slot;
  };
  struct Slot {
    Handler handler;
    uint32_t generation = 1;
    size_t position = 0;  // in heap_, while armed
    bool armed = false;
  };

  static bool before(const Node& a, const Node& b);
  void place(size_t position, const Node& node);
  void sift_up(size_t position);
  void sift_down(size_t position);
  Handler remove(uint32_t slot);

  std::vector<Node> heap_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  uint64_t next_order_ = 0;
};

}  // namespace pqd
