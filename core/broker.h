// The broker decides. Commands of clients, the deaths of sessions and the passing of time come in; events go
// into the commit under construction and are applied to the state at once. No clock, thread or I/O: time is
// what begin_turn says, and the one look outside, into the store of finished jobs, is handed in. Belongs to
// one thread.
//
// Every call but the constructor and the const ones lies between begin_turn and end_turn.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/access.h"
#include "core/changes.h"
#include "core/commit.h"
#include "core/control_record.h"
#include "core/limits.h"
#include "core/partition.h"
#include "core/rate_gate.h"
#include "core/recent.h"
#include "core/schedule_record.h"
#include "core/state.h"
#include "core/zone_rules.h"

namespace pqd {

// What is no longer in memory: finished jobs, and idempotency keys that a checkpoint covers.
class FinishedJobs {
 public:
  virtual ~FinishedJobs() = default;
  virtual std::optional<JobRow> find_finished(const JobId& id) = 0;
  // May be expired.
  virtual std::optional<KeptKey> find_key(const ShortHash& key) = 0;
};

struct BrokerOptions {
  QueueSettings defaults;                       // of queues that are created on first use
  std::map<std::string, QueueSettings> queues;  // those the configuration names
  std::map<std::string, QueueWeights> weights;  // of who takes turns in queues that are fair
  bool strict_queues = false;                   // no queue beside those and `default`
  size_t payload_bytes_max = limits::kPayloadBytesDefault;
  AccessRules access;           // who may do what; the daemon's user and root everything
  uint64_t seed = 1;            // of the generator for jitter
  ZoneSource* zones = nullptr;  // of schedules; nullptr = UTC alone. Outlives the broker
  uint32_t rate_limit = 0;      // submits per user and minute; 0 = unlimited
  // For whom another limit holds: "UID", "UID/SUBJECT", or "UID/*" for all others in whose name UID submits.
  std::map<std::string, uint32_t, std::less<>> user_rates;
  // Of how many partitions this is which: only queues that belong to it are served.
  PartitionNo partition = 0;
  uint32_t partitions = 1;
  RateGate* gate = nullptr;  // with several: who decides on rates for all. Outlives the broker
};

// The latest leases of a session that expired are remembered, so many: whoever reconnects is told of them
// again, because it may not have read that it was.
inline constexpr size_t kLostLeasesKept = 1'024;

// Why a submit, subscription or command for another partition's queue is refused. A receipt carries no text:
// the daemon writes this into its log, and answers questions with it.
inline constexpr std::string_view kElsewhereText =
    "this queue is in another partition of the daemon, and the client's library is too old to know of any: "
    "bring libpqd up to date";

class Broker {
 public:
  Broker(State& state, FinishedJobs& finished, BrokerOptions options);

  void begin_turn(TimeNs now, CommitBuilder& commit);
  // Timers that are due, admission, dispatch.
  void end_turn();
  // The latest time by which another turn is wanted; nothing = when something comes in.
  std::optional<TimeNs> next_timer_ns() const;

  // Once, first of all: a new engine serves this store. Brings the queues' settings up to the configuration,
  // but for those that were set at run time.
  void start_epoch(uint32_t epoch);

  // `groups`: those of its user that the rules of access may name. They are in no journal: a new engine is
  // told them again, before anything else of the session.
  void open_session(const SessionOpened& session, std::span<const uint32_t> groups = {});
  // A session that an earlier engine had opened. What it may not consume any more it is subscribed to no
  // longer.
  void know_session(SessionNo session, std::span<const uint32_t> groups);
  // The session's client went away with an earlier supervisor: it may come back and resume until then, after
  // that it counts as dead. Meanwhile it is given nothing new. Not in the journal; to be said again after
  // each start.
  void expect_return(SessionNo session, TimeNs until);
  // Its leases count as deaths of the consumer.
  void close_session(SessionNo session);
  // `to` proves by the secret's hash that it is the same client as `claimed`, which ends: leases move, unseen
  // deliveries are delivered again, and it is told which jobs it should stop: those whose cancellation was
  // asked for, and those whose lease has expired, as far as that is known (kLostLeasesKept). False when it is
  // not there, belongs to another user or has another secret.
  bool resume_session(SessionNo claimed, SessionNo to, const ShortHash& proof, uint64_t deliveries_seen);

  // One submit record that stands in the commit's block. A refused one is taken out of the block again.
  void submit(SessionNo session, uint8_t lane, uint64_t seq, const BlobRef& record);
  // The records of one atomic submit, with sequence numbers from `first_seq` on: all or none.
  void submit_batch(SessionNo session, uint8_t lane, uint64_t first_seq, std::span<const BlobRef> records);
  // A record of the control lane other than a query.
  void control(SessionNo session, uint64_t seq, ByteView record);
  // A record that is not even one; `kind` as it says.
  void refuse_record(SessionNo session, uint8_t lane, uint64_t seq, Error error, uint8_t kind);
  // Everything of the lane up to `position` has been handed in.
  // A turn in which the lane had nothing but jobs of durability `memory`, their settlements and queries
  // leaves its position out of the journal: it is in the session's memory, see daemon/engine/README.md.
  // Unless receipts are on their way to the session (`behind_receipts`: of earlier commits), because its
  // watermarks wait for these, and the jobs do not.
  void lane_advanced(SessionNo session, uint8_t lane, const LanePosition& position, bool behind_receipts);
  // Deliveries that an earlier engine had published; the next are numbered from there.
  void deliveries_counted(SessionNo session, uint64_t count);
  void receipts_taken(SessionNo session, uint64_t count);

  // While set, every submit is refused with this error (kNoSpace, kUnavailable); kOk = accept.
  void set_intake(Error refusal) { intake_ = refusal; }

  // Leases of the session whose delivery number is above `after`, in order, for publication after a restart.
  std::vector<DeliveryEffect> deliveries_after(SessionNo session, uint64_t after);

  const State& state() const { return state_; }
  const Recent& recent() const { return recent_; }
  Changes& changes() { return changes_; }
  // Nothing, of a session that is not there or whose client is not.
  const Rights& rights(SessionNo session) const;
  const BrokerOptions& options() const { return options_; }

  // Another partition has the queue of this name, or would have it.
  bool is_elsewhere(std::string_view queue) const;
  // The sessions that named such queues since the last call; one may be there several times.
  std::vector<SessionNo> take_misrouted() { return std::exchange(misrouted_, {}); }
  // Of the ids of jobs that schedules make here.
  uint32_t run_tag() const { return make_tag(0, options_.partition, options_.partitions); }

 private:
  struct Origin {  // of the record in hand
    SessionNo session = 0;
    uint8_t lane = 0;
    uint64_t seq = 0;
  };
  struct Candidate {  // a submit that passed its checks
    Origin origin;
    BlobRef record;
    SubmitView view;
    uint32_t owner_uid = 0;
    Error error = Error::kOk;
    uint32_t retry_after_ms = 0;  // 0 = as the error has it
    bool duplicate = false;
    JobId first{};    // of a duplicate: the job that was there before
    ShortHash key{};  // with an idempotency key: its hash, the payload's and the content's
    ShortHash payload_hash{};
    ShortHash content{};
    bool charged = false;  // to its user's rate, by the gate, and in no journal yet
    JobNo replaces = 0;    // the parked submit of the same id that this one is sent again for

    bool memory() const { return view.head.durability == static_cast<uint8_t>(Durability::kMemory); }
    bool resubmitted() const { return (view.head.head.flags & kFlagResubmitted) != 0; }
  };

  template <class Event>
  void emit(const Event& event) {
    note(event);
    state_.apply(event);
  }
  // Writes the event, after the turn's clock if this is the turn's first; a turn without events writes
  // nothing.
  template <class Event>
  void note(const Event& event) {
    changes_.note(event, state_, *commit_);
    // Events about jobs of durability `memory` change the state and are written nowhere.
    if (is_of_memory(event)) return;
    note_time();
    commit_->add(event);
  }
  // Its last hash is of these bytes of the commit's block.
  template <class Event>
  void note(const Event& event, const BlobRef& hashed) {
    changes_.note(event, state_, *commit_);
    if (is_of_memory(event)) return;
    note_time();
    commit_->add(event, hashed);
  }
  void note_time() {
    if (!time_noted_) commit_->add_unawaited(TimePassed{now()});
    time_noted_ = true;
  }
  TimeNs now() const { return state_.now(); }

  void must_journal(const Origin& origin);
  void journal_positions();
  void give_turns_to_firsts();
  // The bytes' place in the commit's block; nowhere, and only how many, for a job of durability `memory`.
  BlobRef add_blob(const JobCore& job, ByteView bytes);

  // broker_submit.cpp
  Candidate examine(const Origin& origin, const BlobRef& record);
  Error examine_id(Candidate& candidate) const;
  void examine_key(Candidate& candidate);
  std::optional<KeptKey> find_key(const ShortHash& key);
  void examine_keys_within(std::span<Candidate> batch) const;
  Error examine_batch(std::span<Candidate> batch);
  void drop_replaced(const Candidate& candidate);
  void drop_parked(JobNo job, Error code);
  uint8_t told_state(const JobId& id);
  Error examine_wish(const SubmitView& view, const Rights& rights) const;
  Error place(const Candidate& candidate, QueueNo queue, bool may_park);
  Error place_by_name(const Candidate& candidate);
  BlobRef payload_of(const Candidate& candidate) const;
  void accept(const Candidate& candidate, QueueNo queue, TypeNo type, bool parked);
  void answer(const Candidate& candidate);
  bool has_room(QueueNo queue, uint64_t jobs, uint64_t bytes) const;

  // broker_names.cpp
  bool may_make_queue(std::string_view name) const;
  Error examine_names(const Origin& origin, std::string_view queue, std::span<const std::string_view> types);
  void make_queue(std::string_view name);
  void count_names(const Origin& origin, uint32_t queues, uint32_t types);
  // Both name what nobody has named yet. REQUIRES: examine_names has nothing against it.
  QueueNo queue_for(const Origin& origin, std::string_view name);
  TypeNo type_for(const Origin& origin, std::string_view name);

  // broker_rate.cpp
  struct Charge {
    TimeNs tat = 0;
    bool awaited = false;  // not by jobs of durability `memory` alone
  };
  struct Rated {
    RateUser user;
    std::optional<RateLimit> limit;  // nothing: as fast as it can
    Charge* charge = nullptr;        // of this turn, in charges_; nullptr = none
  };
  uint32_t rate_of(uint32_t uid, std::string_view subject) const;
  // Both: nullptr when this user may submit as fast as it can; valid until the next call.
  Rated* rated(uint32_t uid, std::string_view subject);
  Rated* rated(const Candidate& candidate);
  std::optional<TimeNs> rate_wait(const Rated& who, uint64_t count);
  void examine_rate(Candidate& candidate, uint64_t count);
  // False: too fast.
  bool examine_batch_rate(std::span<Candidate> batch);
  TimeNs tat_of(const Rated& who) const;
  Charge& charge_of(Rated& who);
  void charge_rate(const Candidate& candidate);
  void give_rate_back(Candidate& candidate);
  void refund_rate(Slot parked);
  void note_charges();

  // broker_settle.cpp
  void settle(const Origin& origin, ByteView record);
  Slot lease_of(const Origin& origin, const SettleHead& head) const;
  bool already_settled(const SettleHead& head, RecordKind kind);
  void settle_lease(Slot slot, const SettleView& settle);
  void complete(Slot slot, ByteView result);
  void extend(Slot slot, const SettleView& settle);
  void end_attempt(Slot slot, Reason reason, ByteView error);

  // broker_command.cpp
  Error command(const Origin& origin, ByteView record);
  Error subscribe(const Origin& origin, ByteView record);
  Error unsubscribe(const Origin& origin, ByteView record);
  Error cancel(const Origin& origin, ByteView record);
  Error control_queue(const Origin& origin, ByteView record);
  Error redrive(const Origin& origin, ByteView record);
  void revive(const Origin& origin, JobRow&& row);

  // broker_queue.cpp
  const QueueSettings& configured(std::string_view queue) const;
  QueueSettings wanted_settings(const QueueEntry& entry) const;
  Error no_queue(const Origin& origin, std::string_view name);
  Error refuse_elsewhere(const Origin& origin);
  Error configure_queue(const Origin& origin, ByteView record);

  // broker_dead_letter.cpp
  std::optional<JobRow> row_by_id(const JobId& id);
  Error review(const Origin& origin, ByteView record);
  Error purge(const Origin& origin, ByteView record);

  // broker_cron.cpp
  Error set_schedule(const Origin& origin, ByteView record);
  Error remove_schedule(const Origin& origin, ByteView record);
  Error examine_schedule(const CronSetView& set, const SubmitView& job, const Rights& rights) const;
  std::shared_ptr<const ZoneRules> zone(std::string_view name) const;
  void fire_schedules();
  void fire(const Schedule& schedule);
  void make_run(const Schedule& schedule, TimeNs next_ns);

  // broker.cpp
  SessionNo heir_of(SessionNo claimed, const ShortHash& proof, uint32_t uid) const;
  void refuse(const Origin& origin, Error error, uint8_t kind, const JobId& id, uint32_t retry_after_ms = 0);
  void receipt(const Origin& origin, Error error, uint8_t flags, const JobId& id,
               uint32_t retry_after_ms = 0);
  void timer_due(Slot slot);
  void tell_lease_lost(Slot slot);
  void tell_again_of_lost(SessionNo from, SessionNo to);
  void close_overdue_sessions();
  void refuse_parked(Slot slot);
  void admit_parked(QueueNo queue);
  void give_key_turns();
  bool key_is_taken(QueueNo queue, std::string_view ordering_key) const;
  void dispatch(QueueNo queue);
  // broker_batch.cpp
  void form_full_batches(QueueNo queue);
  void form_batch(QueueNo queue, const CollectingKey& key);
  void assign_batch(Slot first, const ConsumerKey& to);
  static void mark_batch_ends(std::span<DeliveryEffect> deliveries);

  void assign(Slot slot, const ConsumerKey& to);
  DeliveryEffect delivery_of(Slot slot);
  bool may_see(const SessionEntry& session, const JobCore& job) const;
  uint64_t random_below(uint64_t bound);

  State& state_;
  FinishedJobs& finished_;
  const BrokerOptions options_;
  std::map<RateUser, Charge> charges_;      // of this turn: one event a user, however many submits
  std::optional<Rated> latest_rated_;       // whoever was asked for last: most often the next is the same
  std::map<uint32_t, uint32_t> uid_rates_;  // those of options_.user_rates that are for a uid itself
  std::unordered_map<SessionNo, Rights> rights_;
  CommitBuilder* commit_ = nullptr;
  bool time_noted_ = false;
  std::vector<std::pair<SessionNo, uint8_t>> journaled_lanes_;  // of this turn
  Recent recent_;
  Changes changes_;
  std::vector<SessionNo> misrouted_;
  Error intake_ = Error::kOk;
  std::map<SessionNo, TimeNs> expected_;  // sessions that may come back, and until when
  // By its last holder: see tell_lease_lost().
  std::unordered_map<SessionNo, std::deque<CancelNotice>> lost_;
  TimeNs fire_again_ns_ = 0;  // when schedules that wait for the outside are looked at again; 0 = none does
  uint64_t random_;
};

}  // namespace pqd
