#include "daemon/loop/timer_heap.h"

#include <utility>

namespace pqd {

bool TimerHeap::before(const Node& a, const Node& b) {
  return std::pair{a.deadline_ns, a.order} < std::pair{b.deadline_ns, b.order};
}

TimerId TimerHeap::add(int64_t deadline_ns, Handler handler) {
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t slot = free_.back();
  free_.pop_back();
  slots_[slot].handler = std::move(handler);
  slots_[slot].armed = true;
  heap_.emplace_back();
  place(heap_.size() - 1, {deadline_ns, next_order_++, slot});
  sift_up(heap_.size() - 1);
  return uint64_t{slots_[slot].generation} << 32 | slot;
}

bool TimerHeap::cancel(TimerId id) {
  const auto slot = static_cast<uint32_t>(id);
  if (slot >= slots_.size() || !slots_[slot].armed || slots_[slot].generation != id >> 32) return false;
  remove(slot);
  return true;
}

std::optional<TimerHeap::Handler> TimerHeap::take_due(int64_t now_ns) {
  if (heap_.empty() || heap_.front().deadline_ns > now_ns) return std::nullopt;
  return remove(heap_.front().slot);
}

TimerHeap::Handler TimerHeap::remove(uint32_t slot) {
  const size_t position = slots_[slot].position;
  const Node last = heap_.back();
  heap_.pop_back();
  if (position < heap_.size()) {
    place(position, last);
    sift_up(position);
    sift_down(slots_[last.slot].position);
  }
  slots_[slot].armed = false;
  // 0 is skipped, so that no id is 0.
  if (++slots_[slot].generation == 0) slots_[slot].generation = 1;
  free_.push_back(slot);
  return std::exchange(slots_[slot].handler, nullptr);
}

void TimerHeap::place(size_t position, const Node& node) {
  heap_[position] = node;
  slots_[node.slot].position = position;
}

void TimerHeap::sift_up(size_t position) {
  const Node node = heap_[position];
  while (position > 0 && before(node, heap_[(position - 1) / 2])) {
    place(position, heap_[(position - 1) / 2]);
    position = (position - 1) / 2;
  }
  place(position, node);
}

void TimerHeap::sift_down(size_t position) {
  const Node node = heap_[position];
  for (size_t child = 2 * position + 1; child < heap_.size(); child = 2 * position + 1) {
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], node)) break;
    place(position, heap_[child]);
    position = child;
  }
  place(position, node);
}

}  // namespace pqd
