#include "daemon/store/checkpointer.h"

#include "shm/crash_point.h"

namespace pqd {

Checkpointer::Checkpointer(Store& store, Witness& witness, RowFold fold, CheckpointerOptions options,
                           Callbacks callbacks)
    : store_(store),
      witness_(witness),
      fold_(std::move(fold)),
      options_(options),
      callbacks_(std::move(callbacks)),
      added_(fold_.folded()),
      covered_(fold_.folded()),
      thread_([this] { run(); }) {}

Checkpointer::~Checkpointer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Checkpointer::add(uint64_t number, std::shared_ptr<const Bytes> entry,
                       std::shared_ptr<const Bytes> block) {
  bool wake = false;
  {
    std::unique_lock lock(mutex_);
    taken_.wait(lock, [this] { return handed_bytes_ < options_.handed_bytes_max || failed_; });
    if (failed_) return;
    const bool first = !anything();
    handed_bytes_ += entry->size() + block->size();
    handed_.push_back({number, std::move(entry), std::move(block)});
    added_ = number;
    wake = first || urgent();
  }
  if (wake) changed_.notify_one();
}

bool Checkpointer::has_room() const {
  const std::lock_guard lock(mutex_);
  return handed_bytes_ < options_.handed_bytes_max || failed_;
}

void Checkpointer::synced(const Testimony& testimony) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = !anything();
    testimony_ = testimony;
  }
  if (first) changed_.notify_one();
}

void Checkpointer::request() {
  {
    const std::lock_guard lock(mutex_);
    requested_ = true;
  }
  changed_.notify_one();
}

uint64_t Checkpointer::backlog() const {
  const std::lock_guard lock(mutex_);
  return added_ - covered_;
}

void Checkpointer::run() {
  if (fold_.pending()) flush_at_ = Clock::now();  // a recovery's tail
  for (bool last = false; !last;) {
    const Turn turn = next_turn();
    last = turn.last;
    const StoreResult<void> done = take_turn(turn);
    if (done) continue;
    {
      const std::lock_guard lock(mutex_);
      failed_ = true;
      handed_.clear();
    }
    taken_.notify_all();
    callbacks_.failed(done.error());
    return;
  }
}

Checkpointer::Turn Checkpointer::next_turn() {
  std::unique_lock lock(mutex_);
  if (!flush_at_) {
    // An idle daemon sleeps here; the first thing that comes in begins an interval, which gathers a batch.
    changed_.wait(lock, [this] { return anything() || urgent(); });
    flush_at_ = Clock::now() + std::chrono::milliseconds(options_.interval_ms);
  }
  const bool early = changed_.wait_until(lock, *flush_at_, [this] { return urgent(); });
  Turn turn;
  // Early turns may follow each other without end, and the witness and what is gathered are due all the same.
  turn.flush = !early || requested_ || stopping_ || Clock::now() >= *flush_at_;
  turn.last = stopping_;
  turn.commits.swap(handed_);
  handed_bytes_ = 0;
  requested_ = false;
  taken_.notify_all();
  return turn;
}

StoreResult<void> Checkpointer::take_turn(const Turn& turn) {
  for (const Handed& commit : turn.commits) {
    StoreResult<void> done = fold_.fold(commit.number, *commit.entry, commit.block);
    folded_bytes_ += commit.entry->size() + commit.block->size();
    if (done && due()) done = checkpoint();
    if (!done) return done;
  }
  if (!turn.flush) return {};
  flush_at_.reset();
  if (auto done = record_testimony(); !done) return done;
  return checkpoint();
}

bool Checkpointer::due() const {
  // relaxed: a hint, of the worker.
  const bool wanted = options_.wanted != nullptr && options_.wanted->load(std::memory_order_relaxed);
  return fold_.pending_bytes() >= options_.bytes || (wanted && folded_bytes_ >= options_.wanted_bytes);
}

StoreResult<void> Checkpointer::record_testimony() {
  std::optional<Testimony> testimony;
  {
    const std::lock_guard lock(mutex_);
    testimony.swap(testimony_);
  }
  if (!testimony) return {};
  PQD_CRASH_POINT("witness-due");
  auto done = witness_.record(*testimony);
  PQD_CRASH_POINT("witness-written");
  return done;
}

StoreResult<void> Checkpointer::checkpoint() {
  if (fold_.pending()) {
    PQD_CRASH_POINT("checkpoint-due");
    if (auto done = store_.checkpoint(fold_.take()); !done) return done;
    PQD_CRASH_POINT("checkpoint-written");
  }
  folded_bytes_ = 0;
  {
    const std::lock_guard lock(mutex_);
    covered_ = fold_.folded();
  }
  callbacks_.covered(fold_.folded());
  PQD_CRASH_POINT("checkpoint-covered");
  return {};
}

}  // namespace pqd
