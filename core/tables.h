// The small tables: queues, type names, sessions, counters. A fold over the journal like the jobs, but few
// and small enough to be written whole at each checkpoint. Not thread-safe; the broker and the checkpointer
// each have their own.
#pragma once

#include <deque>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/rate_limit.h"
#include "core/schedules.h"

namespace pqd {

struct QueueEntry {
  std::string name;
  QueueSettings settings;
  bool paused = false;
  bool draining = false;
  uint64_t dead_letters = 0;
  QueueKeys overridden = 0;  // settings that were set at run time; who said so last, and when
  uint32_t overridden_uid = 0;
  TimeNs overridden_ns = 0;
};

struct SubscriptionEntry {
  uint32_t number = 0;
  QueueNo queue = 0;
  uint32_t credits = 0;
  std::vector<TypeNo> types;
};

inline constexpr size_t kLanes = 5;  // four of submits, one of control records
inline constexpr uint8_t kControlLane = 4;

struct SessionEntry {
  SessionNo number = 0;
  uint32_t uid = 0;
  uint32_t pid = 0;
  uint32_t tag = 0;
  ShortHash secret_hash{};
  // The session that its client was known as before, and what proves it; 0 = none. A client that never
  // learned of this session, because the daemon died over its welcome, comes back under that name.
  SessionNo resumed_from = 0;
  ShortHash resumed_hash{};
  std::array<LanePosition, kLanes> lanes{};
  std::array<uint64_t, 4> last_counter{};   // of the ids seen per lane
  uint64_t deliveries = 0;                  // deliveries numbered so far
  uint64_t receipts = 0;                    // receipts numbered so far
  std::deque<ReceiptIssued> kept_receipts;  // the latest ones, up to number `receipts`, not yet taken
  std::vector<SubscriptionEntry> subscriptions;
};

struct ClosedTag {
  uint32_t tag = 0;
  uint32_t uid = 0;
};
inline constexpr size_t kClosedTags = 4096;

// Queues and types that a user was the first to name.
struct NamesTaken {
  uint32_t queues = 0;
  uint32_t types = 0;
};

class Tables {
 public:
  // Counters.
  JobNo next_job = 1;
  uint64_t next_lease = 1;
  uint64_t next_ready_seq = 1;
  uint32_t epoch = 0;
  TimeNs now_ns = 0;
  RateTable rates;

  const QueueEntry& queue(QueueNo queue) const { return queues_[queue]; }
  size_t queue_count() const { return queues_.size(); }
  std::string_view type(TypeNo type) const { return types_[type]; }
  size_t type_count() const { return types_.size(); }
  std::optional<QueueNo> find_queue(std::string_view name) const;
  std::optional<TypeNo> find_type(std::string_view name) const;
  NamesTaken names_taken(uint32_t uid) const;
  const SessionEntry* session(SessionNo session) const;
  const std::map<SessionNo, SessionEntry>& sessions() const { return sessions_; }
  // The user of an open session; kNobody when there is none of this number.
  static constexpr uint32_t kNobody = 0xFFFFFFFF;
  uint32_t uid_of(SessionNo session) const;
  // The user whom the ids of this tag belong to: open sessions and the latest kClosedTags closed ones.
  std::optional<uint32_t> uid_of_tag(uint32_t tag) const;

  const Schedules& schedules() const { return schedules_; }

  void apply(const TimePassed& e);
  void apply(const EpochStarted& e);
  void apply(const QueueCreated& e);
  void apply(const QueueConfigured& e);
  void apply(const QueueOverridden& e);
  void apply(const QueueControlled& e);
  void apply(const TypeNamed& e);
  void apply(const NamesCounted& e) { names_taken_[e.uid] = {e.queues, e.types}; }
  void apply(const SessionOpened& e);
  void apply(const SessionClosed& e);
  void apply(const SessionResumed& e);
  void apply(const Subscribed& e);
  void apply(const Unsubscribed& e);
  void apply(const LaneAdvanced& e);
  void apply(const ReceiptIssued& e);
  void apply(const ReceiptsTaken& e);
  void apply(const DeliveriesCounted& e);
  // `id` moves the counter of its lane in the open session that has its tag: the session's own, unless a
  // sibling resubmitted it.
  void apply(const Submitted& e, const JobId& id);
  void apply(const Assigned& e);
  void apply(const Reheld& e);
  void apply(const Readied& e);
  void apply(const Admitted& e);
  void apply(const KeyTurn& e);
  void apply(const BatchFormed& e);
  void apply(const Redriven& e);
  void apply(const CronSet& e, ByteView record) { schedules_.apply(e, record, now_ns); }
  void apply(const CronRemoved& e) { schedules_.apply(e); }
  void apply(const CronFired& e) { schedules_.apply(e); }
  void apply(const RateCharged& e) { rates.set({e.uid, e.subject}, e.tat_ns, now_ns); }
  // A job of `queue` entered (+1) or left (-1) the dead letter queue.
  void count_dead_letter(QueueNo queue, int by);

  Bytes encode() const;
  static std::expected<Tables, Error> decode(ByteView bytes);

 private:
  SessionEntry* find_session(SessionNo session);
  SessionEntry* find_session_of_tag(uint32_t tag);
  void saw_ready_seq(uint64_t ready_seq);

  std::vector<QueueEntry> queues_;
  std::vector<std::string> types_;
  std::unordered_map<std::string, QueueNo> queue_numbers_;
  std::unordered_map<std::string, TypeNo> type_numbers_;
  std::map<uint32_t, NamesTaken> names_taken_;  // by uid
  std::map<SessionNo, SessionEntry> sessions_;
  std::deque<ClosedTag> closed_tags_;
  Schedules schedules_;
  // Found last: most often the next who asks means the same.
  mutable QueueNo latest_queue_ = 0;
  mutable TypeNo latest_type_ = 0;
};

}  // namespace pqd
