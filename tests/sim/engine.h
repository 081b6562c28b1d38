// One life of the engine: the real broker, state, recovery and fold into rows, with the commit line and the
// sessions as daemon/engine has them, over a fake store. Everything that the broker is told the model is told
// as well, and judged after each step.
#pragma once

#include <deque>
#include <memory>

#include "core/broker.h"
#include "core/watch.h"
#include "daemon/store/recovery.h"
#include "daemon/store/row_fold.h"
#include "tests/sim/fake_store.h"
#include "tests/sim/model.h"
#include "tests/sim/outbox.h"
#include "tests/sim/trace.h"
#include "tests/sim/watch_judge.h"

namespace pqd::sim {

struct Figures {
  uint64_t turns = 0, commits = 0, checkpoints = 0;
  uint64_t events = 0;  // told to those who watch
};

// What outlives the engine.
struct Surroundings {
  Supervisor supervisor;
  FakeStore store;
  Model model;
  std::map<uint64_t, Model> models;  // by the commit that ended with it; those that a crash may go back to
  Trace trace;
  size_t receipt_slots = 64;
  size_t event_slots = 64;                    // for who watches: events in Down, not read
  size_t watch_line = limits::kWatchLineMax;  // and those that wait for room there
  bool walk = true;  // the invariants, after every turn
  Figures figures{};
};

class Engine {
 public:
  // Recovers, and takes its first turn; serves once that commit is done.
  Engine(Surroundings& around, BrokerOptions options, TimeNs now);

  bool serving() const { return serving_; }
  // Sessions come and go, lanes are read, jobs go out. `greed`: at most so many records of a lane.
  void turn(TimeNs now, Random& random, uint64_t greed);
  // The open commit goes to the committer, if something is in it and there is room for it.
  bool hand();
  // The committer writes the next commit.
  bool write_one();
  void sync();
  // Folds what is written, up to some commit, into rows.
  void checkpoint(Random& random);
  // And it dies before that is whole.
  void begin_checkpoint(Random& random);
  // What may go out, to one client after the other; killed in the middle of it, after so many `looks`.
  void publish(uint64_t looks = UINT64_MAX);
  void set_intake(Error refusal);

  Progress progress() const;
  // Nobody who watches waits for an event.
  bool all_told() const;
  bool idle() { return handed_.empty() && !has_effects(); }
  TimeNs first_due() const { return broker_->next_timer_ns().value_or(INT64_MAX); }
  State& state() { return *state_; }
  // Asked after everything is written: rows, tables and a replay from the start are the same as memory.
  void demand_same_everywhere();
  std::optional<JobRow> find_row(const JobId& id);

 private:
  void fold_some(Random& random);

  class Rows final : public FinishedJobs, public RecordSource {
   public:
    explicit Rows(FakeStore& store) : store_(store) {}
    std::optional<JobRow> find_finished(const JobId& id) override;
    std::optional<KeptKey> find_key(const ShortHash& key) override { return *store_.find_key(key); }
    RecordsRead find_records(JobNo job, const JobId& id) override;

   private:
    FakeStore& store_;
  };
  struct Port {
    Outbox outbox;
    std::array<uint64_t, kLanes> read{};            // number of the last record taken
    std::array<uint64_t, kLanes> decided_before{};  // as its client knows: of an engine that is gone
    uint64_t receipts_noted = 0;
    SessionWatches watches;
    std::map<uint64_t, WatchJudge> judges;  // by request
  };
  struct Opening {
    SessionNo session = 0;
    uint64_t commit = 0;
    bool resumed = false;
  };

  void recover_state();
  void inherit_sessions();
  void first_turn(TimeNs now);
  bool has_events() const { return building_ && !building_->empty(); }
  // What is in it may be written later than its effects leave.
  bool lets_effects_go() {
    return building_ && building_->can_wait() && !building_->effects().empty() &&
           building_->number() % 2 == 1;
  }
  bool has_effects() { return building_ && !(building_->empty() && building_->effects().empty()); }
  CommitBuilder& open_commit();
  void begin(TimeNs now);
  void end();
  void judge();
  void spread(uint64_t commit, const Effects& effects);
  void count_deliveries();
  void add_port(SessionMemory& memory, const SessionEntry& entry);
  bool open_session(const SessionMemory& memory);
  void close_session(SessionNo session);
  void open_sessions();
  void close_sessions();
  void drain(SessionNo session, uint8_t lane, uint64_t greed);
  size_t count_watches() const;
  size_t count_watches(uint32_t uid) const;
  void answer_questions();
  void begin_watch(SessionNo session, ByteView record);
  void tell_watches(Port& port, SessionMemory& memory, uint64_t done);
  void demand_new(const UpRecord& record, uint8_t lane);
  void take_batch(SessionMemory& memory, uint8_t lane, size_t at, uint32_t count);
  void compare();
  void welcome();
  void demand_replay_agrees();
  void demand_figures_agree();

  Surroundings& around_;
  Rows rows_;
  BrokerOptions options_;
  uint32_t epoch_ = 0;
  std::unique_ptr<State> state_;
  std::unique_ptr<Broker> broker_;
  std::optional<RowFold> fold_;
  std::map<SessionNo, Port> ports_;
  std::vector<Opening> opening_;
  std::optional<CommitBuilder> building_;
  std::deque<Commit> handed_;            // not written yet
  std::deque<Commit> written_;           // not folded yet
  std::map<uint64_t, bool> needs_sync_;  // of commits above the last sync
  uint64_t last_ = 0, first_commit_ = 0, handed_to_ = 0;
  ChainHash last_hash_{};
  size_t receipts_judged_ = 0, deliveries_judged_ = 0, notices_judged_ = 0, changes_judged_ = 0;
  std::deque<Change> stream_;  // every change since the start
  std::vector<std::pair<SessionNo, Bytes>> questions_;
  bool serving_ = false;
};

}  // namespace pqd::sim
