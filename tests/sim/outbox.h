// What is on its way to one client: the rules of daemon/engine/session_outbox.h, over the simulator's memory.
#pragma once

#include "tests/sim/session_memory.h"

namespace pqd::sim {

struct Progress {
  uint64_t handed = 0, written = 0, done = 0, synced = 0;
};

class Outbox {
 public:
  explicit Outbox(SessionMemory& down) : down_(&down) {}

  void begin_at(const SessionEntry& entry);
  void add(uint64_t commit, const ReceiptEffect& effect) { receipts_.push_back({commit, effect}); }
  void add(uint64_t commit, const LaneEffect& effect) { marks_.push_back({commit, effect}); }
  void add(uint64_t commit, const DeliveryEffect& effect) { deliveries_.push_back({commit, effect, false}); }
  void add(uint64_t commit, const CancelNotice& notice);

  // Publishes what may be: what was decided. `receipt_slots`: how many unread receipts fit.
  void tell(const Progress& progress, size_t receipt_slots);
  // And the jobs; those of durability `memory` are noted. What somebody has in hand must never be taken as a
  // new job from the lane where it came from, by whichever engine.
  void deliver(const Progress& progress, State& state, std::set<JobId>& of_memory);
  void drop(State& state);
  size_t receipts_waiting() const { return receipts_.size(); }

 private:
  struct Waiting {
    uint64_t commit = 0;
    DeliveryEffect effect;
    bool notice = false;
  };

  void flush_receipts(const Progress& progress, size_t receipt_slots);
  void flush_marks(const Progress& progress);
  void told(uint8_t lane, uint64_t seq);

  SessionMemory* down_;
  std::deque<std::pair<uint64_t, ReceiptEffect>> receipts_;
  std::deque<std::pair<uint64_t, LaneEffect>> marks_;
  std::deque<Waiting> deliveries_;
  size_t marks_written_ = 0;  // of marks_, from the front: told as written already
};

}  // namespace pqd::sim
