// What the broker does for a job, by the turn.
#include <cstdlib>

#include "tests/ratchet/piece.h"
#include "tests/ratchet/small_engine.h"

namespace pqd::ratchet {
namespace {

// Calls f(records of one turn) for all.
template <class F>
void by_turns(std::span<const Bytes> records, F&& f) {
  for (size_t at = 0; at < records.size(); at += SmallEngine::kTurnJobs)
    f(records.subspan(at, SmallEngine::kTurnJobs));
}

std::vector<Bytes> completions_of(const Commit& commit) {
  std::vector<Bytes> records;
  for (const DeliveryEffect& delivery : commit.effects.deliveries)
    records.push_back(SmallEngine::completion_of(delivery));
  return records;
}

// Nobody consumes: the line of ready jobs grows with each round.
class BrokerSubmit final : public Piece {
 public:
  void round(Meter& meter) override {
    const std::vector<Bytes> records = fixed_records(ids_);
    by_turns(records, [&](std::span<const Bytes> turn) {
      meter.begin();
      const Commit commit = engine_.submit(turn);
      meter.end(turn.size());
      engine_.forget(commit);
    });
    submitted_ += kRoundJobs;
    if (engine_.state().jobs.size() != submitted_) std::abort();
  }

 private:
  SmallEngine engine_;
  FixedIds ids_;
  size_t submitted_ = 0;
};

// The same keys in every round, by other jobs; or each under one of its own.
class KeyedSubmit final : public Piece {
 public:
  explicit KeyedSubmit(bool known) : known_(known) {
    if (known_) submit_all([](auto&& work, size_t) { work(); });
  }
  void round(Meter& meter) override {
    submit_all([&](auto&& work, size_t jobs) {
      meter.begin();
      work();
      meter.end(jobs);
    });
    if (engine_.state().jobs.size() != (known_ ? kRoundJobs : keys_)) std::abort();
  }

 private:
  template <class Around>
  void submit_all(Around&& around) {
    std::vector<Bytes> records;
    for (uint32_t i = 0; i < kRoundJobs; ++i) {
      SubmitView job = fixed_job(ids_.next());
      const std::string key = "key:" + std::to_string(1'000'000 + (known_ ? i : keys_++));
      job.idempotency_key = key;
      records.push_back(record_of(job));
    }
    by_turns(records, [&](std::span<const Bytes> turn) {
      // Nothing is forgotten: there is no store that would know the keys then.
      around([&] { engine_.submit(turn); }, turn.size());
    });
  }

  bool known_;
  SmallEngine engine_;
  FixedIds ids_;
  size_t keys_ = 0;
};

class BrokerSettle final : public Piece {
 public:
  BrokerSettle() { engine_.subscribe(kRoundJobs); }
  void round(Meter& meter) override {
    const std::vector<Bytes> records = fixed_records(ids_);
    by_turns(records, [&](std::span<const Bytes> turn) {
      const Commit delivered = engine_.submit(turn);
      const std::vector<Bytes> completions = completions_of(delivered);
      engine_.forget(delivered);
      meter.begin();
      const Commit settled = engine_.control(completions);
      meter.end(completions.size());
      engine_.forget(settled);
    });
    if (engine_.state().jobs.size() != 0) std::abort();
  }

 private:
  SmallEngine engine_;
  FixedIds ids_;
};

// All that the engine's worker does for a job but for rings, answers and the disk.
class Life final : public Piece {
 public:
  explicit Life(bool priorities) : priorities_(priorities) { engine_.subscribe(kRoundJobs); }
  void round(Meter& meter) override {
    const std::vector<Bytes> records = fixed_records(ids_, priorities_);
    by_turns(records, [&](std::span<const Bytes> turn) {
      meter.begin();
      const Commit delivered = engine_.submit(turn);
      meter.end(0);
      const std::vector<Bytes> completions = completions_of(delivered);
      meter.begin();
      engine_.forget(delivered);
      const Commit settled = engine_.control(completions);
      engine_.forget(settled);
      meter.end(completions.size());
    });
    if (engine_.state().jobs.size() != 0) std::abort();
  }

 private:
  bool priorities_;
  SmallEngine engine_;
  FixedIds ids_;
};

}  // namespace

std::unique_ptr<Piece> make_broker_submit() { return std::make_unique<BrokerSubmit>(); }
std::unique_ptr<Piece> make_key_new() { return std::make_unique<KeyedSubmit>(false); }
std::unique_ptr<Piece> make_key_known() { return std::make_unique<KeyedSubmit>(true); }
std::unique_ptr<Piece> make_broker_settle() { return std::make_unique<BrokerSettle>(); }
std::unique_ptr<Piece> make_life_fifo() { return std::make_unique<Life>(false); }
std::unique_ptr<Piece> make_life_priority() { return std::make_unique<Life>(true); }

}  // namespace pqd::ratchet
