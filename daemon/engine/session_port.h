// The engine's end of one client's session: both memory files mapped, the lanes' readers, and what is on its
// way into Down. Made from a grant of the supervisor; goes when the client does. One thread.
#pragma once

#include <memory>

#include "core/tables.h"
#include "daemon/engine/session_outbox.h"
#include "daemon/engine/session_questions.h"
#include "daemon/loop/event_loop.h"
#include "daemon/supervisor/engine_link.h"
#include "shm/ring.h"

namespace pqd {

class SessionPort {
 public:
  // Takes the grant's descriptors over, also when it fails. `entry`: what the store knows of the session, so
  // that reading goes on where the last commit stood.
  static std::expected<std::unique_ptr<SessionPort>, SysError> open(const SessionGrant& grant,
                                                                    const SessionEntry& entry);

  SessionNo number() const { return grant_.session; }
  const SessionGrant& grant() const { return grant_; }
  RingReader& lane(size_t index) { return lanes_[index]; }
  const RingReader& lane(size_t index) const { return lanes_[index]; }
  // Loads every lane's tail; true when there is a record to take in a lane that may be read now.
  bool refresh();
  // The client knows that this record of the lane was decided, by an engine that is gone, and no journal has
  // it: it was a query, a job of durability `memory` or a settlement of one, and went with that engine.
  bool decided_before(size_t lane, uint64_t sequence) const { return sequence <= decided_before_[lane]; }
  // Nothing more is taken from this lane until the client has read what it was told, and, from the control
  // lane, until it has answers to what it has asked.
  bool held_back(size_t lane) const;
  // The first broken rule, if any.
  RingViolation violation() const;
  // How many receipts the client says it has read: believed as far as it can be.
  uint64_t receipts_taken() const;

  // The next of its questions may be answered: there are few under way, and it has read what it was told.
  bool may_answer() const { return questions_.may_begin() && !answers_wait(); }
  // The client is gone. What it had published is still taken, but nobody waits for answers.
  void leave() {
    leaving = true;
    questions_.forget();
  }

  SessionOutbox& outbox() { return outbox_; }
  SessionQuestions& questions() { return questions_; }
  DownHeader& down() { return down_.header(); }
  int doorbell() const { return client_doorbell_.get(); }
  // Tells the client which engine serves it, and wakes it.
  void announce(uint64_t epoch, EngineState state);

  WatchId watch = 0;
  uint64_t receipts_noted = 0;  // the count that the broker was told last
  bool leaving = false;         // see leave()
  bool faulty = false;          // it broke the rules, or was taken over: nothing more is taken
  bool taken_over = false;      // its client came back under another session
  bool told_misrouted = false;  // the log has a line about it: it asks for another partition's queues

 private:
  SessionPort() = default;

  // As much as the ring holds waits beside it.
  bool answers_wait() const { return outbox_.answer_bytes_waiting() >= grant_.sizes.answers_bytes; }

  SessionGrant grant_;
  UniqueFd client_doorbell_;
  UniqueFd engine_doorbell_;
  UpSegment up_;
  DownSegment down_;
  std::array<RingReader, kLaneCount> lanes_;
  std::array<uint64_t, kLaneCount> decided_before_{};
  SessionOutbox outbox_;
  SessionQuestions questions_;
};

}  // namespace pqd
