// What the queues must do, written a second time and as plainly as possible, from the contract and from
// "Rules of the queues" in core/README.md: maps and scans, no index, no thought of speed. It is told what the
// broker is told, in the same order, and says what must come of it: receipts, states, times. Who gets which
// job it does not choose but judges, because the rules leave some of that free. Copied as a whole where a
// commit ends, so that after a crash it can go on from the commit that survived.
//
// Every fault is thrown (fault.h).
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/broker.h"
#include "tests/sim/fault.h"
#include "tests/sim/turns.h"
#include "tests/sim/zones.h"

namespace pqd::sim {

struct ModelAttempt {
  uint16_t attempt = 0;
  Reason reason = Reason::kNone;
  SessionNo session = 0;
  std::string error;
};

struct ModelJob {
  JobId id;
  uint64_t arrival = 0;  // order of acceptance; a redriven job arrives anew
  SessionNo submitter = 0;
  uint8_t lane = 0;
  uint64_t seq = 0;
  uint32_t owner = 0;
  std::string queue, type, key, payload;
  std::string subject, scope;  // scope: of its idempotency key
  Mode mode = Mode::kFifo;
  uint8_t priority = 0;
  Delivery delivery = Delivery::kAtLeastOnce;
  Durability durability = Durability::kFsync;
  uint64_t queue_timeout_ms = 0, lease_ms = 0, backoff_first_ms = 0, backoff_cap_ms = 0;
  bool jitter = false;
  JobState state = JobState::kPending;
  Pending pending = Pending::kReady;
  TimeNs not_before = 0;                        // also the end of a backoff
  TimeNs deadline = 0;                          // when something happens to it by itself; 0 = never
  TimeNs retry_earliest = 0, retry_latest = 0;  // of a backoff whose end the broker may choose
  TimeNs ready_at = 0;
  uint64_t ready_order = 0;
  uint64_t batch = 0;       // that it became ready with, or is in hand with; 0 = none
  std::string group;        // in whose turn it is ready
  uint64_t batch_told = 0;  // as its deliveries name it
  uint16_t attempts = 0, max_attempts = 0, failures = 0, deaths = 0;
  SessionNo holder = 0;
  uint32_t subscription = 0;
  uint64_t delivery_number = 0;
  LeaseToken token;
  bool cancel_requested = false;
  bool redriven = false, reviewed = false, purged = false;
  uint8_t progress = 0;
  Reason reason = Reason::kNone;
  std::string note, result;
  std::vector<ModelAttempt> history;
  std::vector<std::pair<uint32_t, std::string>> reviews;  // by whom, what was found

  uint8_t rank() const { return mode == Mode::kPriority ? priority : kPriorityNormal; }
  bool held_by_consumer() const { return state == JobState::kAssigned || state == JobState::kProcessing; }
  bool waits(Pending for_what) const { return state == JobState::kPending && pending == for_what; }
  bool parked() const { return waits(Pending::kParked); }
  bool in_memory() const { return durability == Durability::kMemory; }
  bool dead_letter() const {
    return (state == JobState::kFailed || state == JobState::kTimeout) && !purged && !in_memory();
  }
};

struct ModelSubscription {
  std::string queue;
  uint32_t credits = 0;
  std::set<std::string> types;  // none = every type
};

// What an idempotency key leads to.
struct ModelKey {
  JobId first;
  std::string content;
  TimeNs until = 0;
};

struct ModelSession {
  uint32_t uid = 0, tag = 0;
  std::set<uint32_t> groups;
  ShortHash secret{};
  SessionNo resumed_from = 0;
  ShortHash resumed_secret{};
  std::array<uint64_t, 4> last_counter{};
  std::array<uint64_t, 4> journaled_counter{};  // the last that a new engine knows of
  uint64_t deliveries = 0, receipts = 0;
  std::map<uint32_t, ModelSubscription> subscriptions;
  TimeNs away_until = 0;   // 0 = it is here
  std::deque<JobId> lost;  // leases that expired, the latest of them
};

struct ModelSchedule {
  std::string spec, zone, queue;
  Bytes record;  // of its jobs, the id apart
  uint32_t owner = 0;
  TimeNs set_at = 0;
  TimeNs due = 0;   // the next run, or the one that waits
  TimeNs last = 0;  // when the last one was due; 0 = none yet
  Error last_code = Error::kOk;
};

struct FairTurns {  // of one rank
  int64_t clock = 0;
  std::map<std::string, int64_t> times;  // by group
};

struct ModelQueue {
  QueueSettings settings;
  QueueKeys overridden = 0;  // set at run time; who said so last, and when
  uint32_t overridden_by = 0;
  TimeNs overridden_at = 0;
  bool paused = false, draining = false;
  Turns turns;
  std::map<uint8_t, FairTurns> fair;  // by rank
};

class Model {
 public:
  explicit Model(BrokerOptions options) : options_(std::move(options)) {}

  void set_options(BrokerOptions options) { options_ = std::move(options); }

  // One for each call of the broker.
  void begin_turn(TimeNs now);
  void start_epoch(uint32_t epoch);
  void open_session(const SessionOpened& session, const std::vector<uint32_t>& groups);
  void know_session(SessionNo session);
  void expect_return(SessionNo session, TimeNs until);
  // An earlier engine may have numbered deliveries up to this one that no journal tells of.
  void deliveries_counted(SessionNo session, uint64_t count) { sessions_.at(session).deliveries = count; }
  void close_session(SessionNo session);
  bool resume_session(SessionNo claimed, SessionNo to, const ShortHash& proof, uint64_t seen);
  void submit(SessionNo session, uint8_t lane, uint64_t seq, ByteView record);
  void submit_batch(SessionNo session, uint8_t lane, uint64_t first_seq,
                    const std::vector<ByteView>& records);
  void control(SessionNo session, uint64_t seq, ByteView record);
  void refuse_record(SessionNo session, uint8_t lane, uint64_t seq, Error error) {
    refuse(session, lane, seq, error, {});
  }
  void set_intake(Error refusal) { intake_ = refusal; }
  // The broker's end of turn, with what it did: receipts and deliveries.
  void end_turn(std::span<const ReceiptEffect> receipts, std::span<const DeliveryEffect> deliveries,
                const State& state);

  // What the calls before the end of the turn must have brought; empties the lists.
  void judge_receipts(std::span<const ReceiptEffect> receipts);
  void judge_redelivered(std::span<const DeliveryEffect> deliveries);
  // A new engine publishes what the session has not got yet.
  void judge_inherited(SessionNo session, uint64_t after, std::span<const DeliveryEffect> deliveries);
  void judge_notices(std::span<const CancelNotice> notices);
  void judge_changes(std::span<const Change> changes, const State& state);

  // Everything that can be asked must have the same answer here and there.
  // The session sees everything.
  bool operates(SessionNo session) const;
  void compare(const State& state) const;
  // Of the jobs that have ended: those of durability `memory`, which are in no store, or the others.
  void compare_finished(bool of_memory, const std::function<std::optional<JobRow>(const JobId&)>& find) const;
  // What became of jobs by being closed since the last call.
  std::vector<JobId> take_finished() { return std::exchange(just_finished_, {}); }

  // A new engine knows nothing of what was not in the journal: jobs of durability `memory` among it.
  void restarted();

  const std::map<JobId, ModelJob>& live() const { return live_; }
  const std::map<JobId, ModelJob>& finished() const { return finished_; }
  const ModelJob* find(const JobId& id) const;
  const std::map<SessionNo, ModelSession>& sessions() const { return sessions_; }
  const std::map<std::string, ModelQueue>& queues() const { return queues_; }
  const std::map<std::string, ModelSchedule>& schedules() const { return schedules_; }
  TimeNs now() const { return now_; }
  // The earliest time at which something is due; nothing = never.
  std::optional<TimeNs> next_due() const;
  // When the next of the idempotency keys is free again.
  std::optional<TimeNs> next_free_key() const;

 private:
  struct Expected {
    ReceiptIssued receipt;
    std::string queue;  // of an admission
  };
  struct Offer;  // a submit under examination

  // model_submit.cpp
  Offer examine(SessionNo session, uint8_t lane, uint64_t seq, ByteView record) const;
  Error examine_id(Offer& offer) const;
  void examine_key(Offer& offer) const;
  static void examine_keys_within(std::vector<Offer>& offers);
  Error place(const Offer& offer, bool may_park);
  // model_rate.cpp: a user and how many submits it wants to be taken at once; the milliseconds to wait if
  // that is too fast, 0 = it never may, nothing = it is not.
  using RatedUser = std::pair<uint32_t, std::string>;
  uint64_t rate_of(const RatedUser& user) const;
  std::optional<RatedUser> rated(uint32_t uid, std::string_view subject) const;
  std::optional<uint32_t> too_fast(const RatedUser& user, uint64_t count) const;
  void pay(uint32_t uid, const std::string& subject);
  void give_back(const ModelJob& parked);
  void examine_rate(std::span<Offer> offers) const;
  void accept(const Offer& offer, bool parked);
  void answer(const Offer& offer);
  ModelQueue* queue_for(const std::string& name);
  bool has_room(const std::string& queue, uint64_t jobs, uint64_t bytes) const;
  bool anybody_parked(const std::string& queue) const;
  bool key_taken(const std::string& queue, const std::string& key) const;
  std::optional<uint32_t> uid_of_tag(uint32_t tag) const;

  // model_change.cpp
  void changed(const ModelJob& job, ChangeKind kind, JobState after, Reason reason = Reason::kNone);

  // model_settle.cpp
  Error settle(SessionNo session, ByteView record);
  bool counted_before(const SettleHead& head) const;
  void end_attempt(ModelJob& job, Reason reason, std::string error);
  void let_go(ModelJob& job);
  void finish(ModelJob& job, JobState state, Reason reason);
  void forget_parked(const JobId& id);
  void left_line(const std::string& queue, const std::string& key);
  // None is admitted before one that came before it with its ordering key.
  std::map<JobId, uint8_t> parked_ranks() const;

  // model_command.cpp
  Error command(SessionNo session, ByteView record);
  Error subscribe(SessionNo session, ByteView record);
  Error cancel(SessionNo session, ByteView record);
  Error control_queue(SessionNo session, ByteView record);
  Error configure_queue(SessionNo session, ByteView record);
  const QueueSettings& configured(const std::string& queue) const;
  Error redrive(SessionNo session, ByteView record);
  Error purge(SessionNo session, ByteView record);
  Error review(SessionNo session, ByteView record);
  bool may_see(SessionNo session, const ModelJob& job) const;

  // model_access.cpp
  bool is_master(uint32_t uid) const;
  bool given(SessionNo session, const std::function<bool(const AccessRule&)>& wanted) const;
  bool is_admin(SessionNo session) const;
  Error may_submit(SessionNo session, const SubmitView& view) const;
  bool may_consume(SessionNo session, const std::string& queue, const std::set<std::string>& types) const;

  // model_schedule.cpp
  Error set_schedule(SessionNo session, ByteView record);
  Error remove_schedule(SessionNo session, ByteView record);
  const MovedClock* clock_of(const std::string& zone) const;
  void fire_schedules();
  void fire(const std::string& name, ModelSchedule& schedule);
  void compare_schedules(const State& state) const;

  // model_fair.cpp
  std::string group_of(const ModelJob& job) const;
  int64_t turn_of(const std::string& queue, const std::string& group) const;
  void fair_anew(const std::string& queue);
  void regroup(const std::string& queue);
  void pass_turn(const ModelJob& job, FairTurns& turns) const;
  const ModelJob* next_in_turn(const std::vector<const ModelJob*>& jobs, const FairTurns* turns) const;
  void count_turns(const std::string& queue, std::map<JobId, uint64_t>& before) const;
  bool turns_are_guessed(const ModelJob& job) const;

  // model_turn.cpp
  void timer_due(ModelJob& job);
  void become_ready(ModelJob& job);
  bool collect_together(const ModelJob& one, const ModelJob& other) const;
  void form_batch(const ModelJob& one_of_them);
  void form_full_batches(const std::string& queue, const State& state);
  void give_key_turns();
  void give_turns_to_firsts();
  void admit(const std::string& queue);
  void judge_dispatch(const DeliveryEffect& delivery);
  void judge_turn(const ModelJob& job, const DeliveryEffect& delivery);
  void give(ModelJob& job, const DeliveryEffect& delivery);
  void judge_consumer(ModelQueue& queue, const ModelJob& job, const DeliveryEffect& delivery);
  bool may_dispatch(const std::string& queue) const;
  // The types of the queue that somebody has credit for.
  struct Wanted {
    bool every_type = false;
    std::set<std::string> types;
    bool has(const std::string& type) const { return every_type || types.contains(type); }
  };
  Wanted wanted(const std::string& queue) const;
  // Turns in hand: a batch counts once.
  uint64_t active(const std::string& queue) const;
  // The queue's subscriptions, each with whether it has credit left.
  struct Subscriber {
    SessionNo session = 0;
    uint32_t number = 0;
    const ModelSubscription* subscription = nullptr;
    bool has_credit = false;
  };
  std::vector<Subscriber> subscribers(const std::string& queue) const;
  std::vector<Taker> takers(const std::string& queue, const std::string& type) const;
  void note_exhausted(const std::string& queue);
  void members_changed(const std::string& queue);
  void refuse(SessionNo session, uint8_t lane, uint64_t seq, Error error, const JobId& id,
              uint32_t retry_after_ms = 0);
  void receipt(SessionNo session, uint8_t lane, uint64_t seq, Error error, uint8_t flags, const JobId& id,
               uint32_t retry_after_ms = 0);
  void compare_job(const State& state, const ModelJob& job) const;
  void compare_queue(const State& state, const std::string& name) const;
  void settings_changed(const std::string& queue);
  void compare_explanation(const State& state, const ModelJob& job, const Wanted& types,
                           const std::map<JobId, uint8_t>& ranks,
                           const std::map<JobId, uint64_t>& turns) const;
  bool first_of_key(const ModelJob& job) const;
  uint64_t parked_before(const ModelJob& job, const std::map<JobId, uint8_t>& ranks) const;
  void adopt_jitter(const State& state);

  BrokerOptions options_;
  TimeNs now_ = 0;
  uint32_t epoch_ = 0;
  Error intake_ = Error::kOk;
  uint64_t next_arrival_ = 1;
  uint64_t next_ready_order_ = 1;
  uint64_t last_lease_ = 0;
  std::map<JobId, ModelJob> live_;      // parked submits among them
  std::map<JobId, ModelJob> finished_;  // the latest life of each
  std::map<SessionNo, ModelSession> sessions_;
  std::map<uint32_t, uint32_t> closed_tags_;
  std::map<std::string, ModelKey> keys_;  // by scope
  std::map<RatedUser, TimeNs> paid_until_;
  std::map<std::string, ModelQueue> queues_;
  std::map<std::string, ModelSchedule> schedules_;
  std::vector<JobId> key_turns_;  // those that may have become the first of their key, in this order
  std::vector<Expected> receipts_;
  std::vector<std::pair<SessionNo, JobId>> redelivered_;
  std::vector<std::pair<SessionNo, JobId>> notices_;
  std::map<JobId, std::deque<Change>> changes_;  // to be told, by job
  std::vector<JobId> just_finished_;
  std::vector<JobId>
      rest_of_batch_;  // must follow the delivery before, under the same name to the same consumer
  uint64_t batch_told_ = 0;
  Taker batch_taker_;
};

}  // namespace pqd::sim
