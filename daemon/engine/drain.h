// Takes records out of the sessions' lanes and hands them to the broker: control records and the most urgent
// lanes first, 64 of a lane at a time, sessions in turns. A record is copied once, from the lane into the
// commit's block, and looked at there. Questions are left with their session, to be answered after the turn.
// What cannot be a record ends its session. One thread.
#pragma once

#include <functional>
#include <vector>

#include "core/broker.h"
#include "daemon/engine/session_ports.h"

namespace pqd {

class Drain {
 public:
  Drain(Broker& broker, SessionPorts& ports) : broker_(broker), ports_(ports) {}

  // Between begin_turn and end_turn. Ends when nothing is left, the commit is full, the turn long enough,
  // something urgent was taken and a round of the rest, or a round was and `enough` says so; true when
  // records may be left. `skew_ns`: from the broker's clock to the system's, which clients name times by.
  bool run(
      CommitBuilder& commit, int64_t skew_ns = 0, const std::function<bool()>& enough = [] { return false; });
  // The last run() took something from a lane that is more urgent than the usual one.
  bool took_urgent() const { return urgent_; }

 private:
  static constexpr uint32_t kQuantum = 64;
  static constexpr uint32_t kTurnRecords = 8'192;

  // Takes up to a quantum of this lane from each session; how many there were.
  uint32_t take_lane(CommitBuilder& commit, size_t lane);
  uint32_t take_quantum(CommitBuilder& commit, SessionPort& port, size_t lane);
  // One record, or all of one atomic submit; how many, 0 when there is none.
  uint32_t take_submit(CommitBuilder& commit, SessionPort& port, size_t lane);
  uint32_t take_batch(CommitBuilder& commit, SessionPort& port, size_t lane, const BlobRef& first);
  uint32_t take_control(SessionPort& port);
  // The next record of the lane, in the block; nothing when there is none or it is broken.
  std::optional<BlobRef> copy_record(CommitBuilder& commit, SessionPort& port, size_t lane);
  void note_positions();

  Broker& broker_;
  SessionPorts& ports_;
  std::vector<std::pair<SessionPort*, size_t>> advanced_;
  std::vector<BlobRef> batch_;
  Bytes scratch_;
  int64_t skew_ms_ = 0;  // in this turn
  bool urgent_ = false;
  size_t first_ = 0;       // the session whose turn it is
  size_t next_first_ = 0;  // and in the next turn
};

}  // namespace pqd
