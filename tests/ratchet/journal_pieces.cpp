// What is written for a job, and read again: by the checkpoint's thread and by recovery.
#include <array>
#include <cstdlib>

#include "core/queries.h"
#include "core/row_batch.h"
#include "daemon/store/birth_pack.h"
#include "daemon/store/row_fold.h"
#include "tests/daemon/store/empty_store_view.h"
#include "tests/ratchet/piece.h"
#include "tests/ratchet/small_engine.h"

namespace pqd::ratchet {
namespace {

// A store's first life as its journal has it: sessions, then kRoundJobs jobs from submit to completion.
struct Journal {
  Journal() {
    SmallEngine engine;
    FixedIds ids;
    engine.subscribe(kRoundJobs);
    opening = engine.opening();
    const std::vector<Bytes> records = fixed_records(ids);
    for (size_t at = 0; at < records.size(); at += SmallEngine::kTurnJobs) {
      lives.push_back(engine.submit(std::span(records).subspan(at, SmallEngine::kTurnJobs)));
      std::vector<Bytes> completions;
      for (const DeliveryEffect& delivery : lives.back().effects.deliveries)
        completions.push_back(SmallEngine::completion_of(delivery));
      lives.push_back(engine.control(completions));
    }
  }

  std::vector<Commit> opening;
  std::vector<Commit> lives;
};

// The events of lives, as often as there are jobs, into commits of their own.
class CommitEncode final : public Piece {
 public:
  void round(Meter& meter) override {
    Submitted submitted{.session = 1, .owner_uid = kUid, .record = {0, 293}, .payload_hash = {}, .seq = 1};
    Assigned assigned{.session = 2, .subscription = 1, .until_ns = kStartNs + kSecondNs};
    Completed completed{};
    for (uint32_t done = 0; done < kRoundJobs; done += SmallEngine::kTurnJobs) {
      meter.begin();
      CommitBuilder builder(blocks_, 1, kStartNs);
      builder.add(TimePassed{kStartNs});
      for (uint32_t i = 0; i < SmallEngine::kTurnJobs; ++i) {
        submitted.job = assigned.job = completed.job = done + i;
        submitted.record.offset = i * 296;
        assigned.lease = assigned.delivery = done + i;
        builder.add(submitted);
        builder.add(assigned);
        builder.add(completed);
      }
      const Commit commit = builder.close({});
      meter.end(3 * SmallEngine::kTurnJobs + 1);
      if (commit.entry->size() <= sizeof(EntryHead)) std::abort();
    }
  }

 private:
  BlockPool blocks_;
};

class JournalReplay final : public Piece {
 public:
  void round(Meter& meter) override {
    State state;
    state.timers.start(kStartNs);
    for (const Commit& commit : journal_.opening) replay(state, commit, *commit.block_bytes);
    for (const Commit& commit : journal_.lives) {
      Bytes block = *commit.block_bytes;
      meter.begin();
      replay(state, commit, std::move(block));
      meter.end(commit.effects.deliveries.size());
    }
    if (state.tables.next_job != kRoundJobs + 1) std::abort();
  }

 private:
  static void replay(State& state, const Commit& commit, Bytes block) {
    const auto view = read_entry(*commit.entry);
    if (!view || !state.replay(commit.number, view->events, std::move(block))) std::abort();
  }

  Journal journal_;
};

void fold(RowFold& rows, const Commit& commit) {
  if (!rows.fold(commit.number, *commit.entry, commit.block_bytes)) std::abort();
}

class RowFoldOfLives final : public Piece {
 public:
  void round(Meter& meter) override {
    RowFold rows(store_, Tables{}, 0);
    for (const Commit& commit : journal_.opening) fold(rows, commit);
    meter.begin();
    for (const Commit& commit : journal_.lives) fold(rows, commit);
    const CheckpointBatch batch = rows.take();
    meter.end(kRoundJobs);
    if (batch.done_puts.size() != kRoundJobs) std::abort();
  }

 private:
  test::EmptyStoreView store_;
  Journal journal_;
};

// In full packs, each of the jobs of one commit.
class RowFoldOfBirths final : public Piece {
 public:
  RowFoldOfBirths() {
    FixedIds ids;
    opening_ = engine_.opening();
    for (std::vector<Commit>& half : births_) {
      const std::vector<Bytes> records = fixed_records(ids);
      for (size_t at = 0; at < records.size(); at += SmallEngine::kTurnJobs)
        half.push_back(engine_.submit(std::span(records).subspan(at, SmallEngine::kTurnJobs)));
    }
  }
  void round(Meter& meter) override {
    RowFold rows(store_, Tables{}, 0);
    for (const Commit& commit : opening_) fold(rows, commit);
    // The checkpoint before.
    for (const Commit& commit : births_[0]) fold(rows, commit);
    if (pack(rows.take()) == 0) std::abort();
    meter.begin();
    for (const Commit& commit : births_[1]) fold(rows, commit);
    const size_t bytes = pack(rows.take());
    meter.end(kRoundJobs);
    if (bytes == 0) std::abort();
  }

 private:
  static constexpr size_t kPackedJobs = 64;

  static size_t pack(const CheckpointBatch& batch) {
    if (batch.births.size() != kRoundJobs) std::abort();
    size_t bytes = 0;
    for (size_t at = 0; at < batch.births.size(); at += kPackedJobs) {
      const auto births = std::span(batch.births).subspan(at, kPackedJobs);
      bytes += pack_births(births, {births.front().commit, births.front().record.offset}).size();
    }
    return bytes;
  }

  test::EmptyStoreView store_;
  SmallEngine engine_;
  std::vector<Commit> opening_;
  std::array<std::vector<Commit>, 2> births_;
};

class RowRestore final : public Piece {
 public:
  RowRestore() {
    FixedIds ids;
    for (const Bytes& record : fixed_records(ids)) engine_.forget(engine_.submit(std::span(&record, 1)));
    engine_.state().jobs.for_each(
        [this](Slot slot) { rows_.push_back(encode_row(row_of(engine_.state(), slot))); });
    tables_ = engine_.state().tables.encode();
  }
  void round(Meter& meter) override {
    State state;
    state.timers.start(kStartNs);
    state.tables = Tables::decode(tables_).value();
    meter.begin();
    RowBatch batch;
    for (const Bytes& row : rows_) {
      if (!batch.has_room_for(row) && !state.restore(std::exchange(batch, {}))) std::abort();
      if (!batch.add(row)) std::abort();
    }
    if (!state.restore(std::move(batch))) std::abort();
    state.restored();
    meter.end(rows_.size());
    if (state.jobs.size() != rows_.size()) std::abort();
  }

 private:
  SmallEngine engine_;
  std::vector<Bytes> rows_;
  Bytes tables_;
};

}  // namespace

std::unique_ptr<Piece> make_commit_encode() { return std::make_unique<CommitEncode>(); }
std::unique_ptr<Piece> make_journal_replay() { return std::make_unique<JournalReplay>(); }
std::unique_ptr<Piece> make_row_fold() { return std::make_unique<RowFoldOfLives>(); }
std::unique_ptr<Piece> make_row_births() { return std::make_unique<RowFoldOfBirths>(); }
std::unique_ptr<Piece> make_row_restore() { return std::make_unique<RowRestore>(); }

}  // namespace pqd::ratchet
