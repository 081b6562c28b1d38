// A simulated program with libpqd inside: what the library does (ids, tickets, what is sent again after a
// reconnect, repeats dropped by number) and what a program may do with it, well behaved or not.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <vector>

#include "core/control_record.h"
#include "core/watch_record.h"
#include "tests/sim/session_memory.h"
#include "tests/sim/trace.h"
#include "tests/support/check/history.h"

namespace pqd::sim {

// What a program wants of a job; the rest is left to the queue.
struct Wish {
  std::string queue, type, payload, ordering_key, idempotency_key, subject;
  Mode mode = Mode::kPriority;
  uint8_t priority = kPriorityNormal;
  Delivery delivery = Delivery::kAtLeastOnce;
  Durability durability = Durability::kFsync;
  uint16_t max_attempts = 0, flags = 0;
  int64_t not_before_ms = 0;
  uint32_t queue_timeout_ms = kTimeoutDefault, processing_timeout_ms = kTimeoutDefault;
  uint32_t backoff_first_ms = kTimeoutDefault, backoff_cap_ms = kTimeoutDefault;
};

struct InHand {  // a job that the program works on, or has settled and still remembers
  uint64_t number = 0;
  LeaseToken token;
  JobId id;
  uint32_t subscription = 0;
  bool asked_to_stop = false;
  bool guessed = false;  // its lease: it may hit one that is on its way here, and is on no record
};

class Client {
 public:
  Client(check::History& history, const Trace& trace, uint64_t name, uint32_t uid)
      : history_(history), trace_(trace), name_(name), uid_(uid) {}

  uint64_t name() const { return name_; }
  uint32_t uid() const { return uid_; }
  bool connected() const { return session_ != nullptr && session_->welcomed && welcome_seen_; }
  bool away() const { return session_ == nullptr; }
  SessionMemory* session() { return session_; }

  // Opens a session that proves the earlier one, if there was one.
  void connect(Supervisor& supervisor);
  // Its memory goes: the supervisor died, or the connection ended.
  void lost();
  // The process ends, and with it what it knew.
  void die();

  // Takes in what was published: watermarks, receipts, deliveries.
  void look(TimeNs now);

  // Room for so many records in the lane?
  bool room(uint8_t lane, size_t count) const;
  std::vector<JobId> submit(const std::vector<Wish>& wishes, TimeNs now);
  void control(Bytes record);
  // Wants to be told of changes: over engines and sessions, until it says that it does not any more.
  void watch(WatchHead head, const std::string& queue, const std::string& type);
  void unwatch();
  size_t watches() const { return watches_.size(); }
  // A schedule of this name that makes the wished jobs, also in another's place; and none of this name.
  void set_schedule(const std::string& name, const std::string& spec, const std::string& zone,
                    const Wish& wish, bool replace);
  void remove_schedule(const std::string& name);
  void settle(const InHand& job, RecordKind kind, std::string_view body, uint16_t flags,
              uint32_t extend_ms = 0, uint8_t progress = 0);

  std::vector<InHand>& in_hand() { return in_hand_; }
  const std::deque<InHand>& remembered() const { return remembered_; }
  void remember(const InHand& job);
  const std::vector<JobId>& own() const { return own_; }
  size_t waiting() const { return tickets_.size(); }

  TimeNs stalled_until = 0;
  bool subscribed = false;

 private:
  struct Ticket {
    uint8_t lane = 0;
    uint64_t seq = 0;
    RecordKind kind = RecordKind::kSubmit;
    Durability durability = Durability::kFsync;
    bool deferred = false;
    Bytes record;
    size_t history = SIZE_MAX;                  // of a submit, settlement or schedule
    check::Outcome told = check::Outcome::kOk;  // once the watermark has passed it
    JobId told_first{};                         // the job that it is a duplicate of
  };

  struct Watching {
    WatchHead head;
    std::string queue, type;
    bool sent = false, begun = false;
  };

  uint64_t write(uint8_t lane, Bytes record);
  void begin_watches_again();
  void send_watches();
  void take_events();
  void send_again();
  std::set<size_t> not_to_be_sent_again() const;
  void end(const Ticket& ticket, check::Outcome outcome);
  void take_receipts();
  void pass_watermarks();
  void take_deliveries();

  check::History& history_;
  const Trace& trace_;
  uint64_t name_;
  uint32_t uid_;
  SessionMemory* session_ = nullptr;
  bool welcome_seen_ = false;
  SessionNo earlier_ = 0;  // to be proved at the next connect
  ShortHash earlier_secret_{};
  uint64_t deliveries_seen_ = 0;
  // By the engine that formed it and its number there: one of durability `memory` leaves its number free.
  using Batch = std::pair<uint32_t, uint64_t>;
  Batch batch_{};            // that the latest delivery belongs to; number 0 = none
  std::set<Batch> batches_;  // those before
  std::array<uint64_t, 4> counters_{};
  std::deque<Ticket> tickets_;
  std::deque<Watching> watches_;
  uint64_t requests_ = 0;  // numbered so far
  uint32_t engine_epoch_ = 0;
  std::vector<InHand> in_hand_;
  std::deque<InHand> remembered_;
  std::vector<JobId> own_;
  TimeNs now_ = 0;
};

}  // namespace pqd::sim
