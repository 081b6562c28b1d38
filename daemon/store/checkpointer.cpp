#include "daemon/store/checkpointer.h"

#include <chrono>

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
    wake = first || handed_bytes_ >= options_.bytes;
  }
  if (wake) changed_.notify_one();
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
  bool more = true;
  while (more) {
    std::deque<Handed> commits;
    more = wait_for_work(commits);
    StoreResult<void> done = fold(commits);
    if (done) done = flush();
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

bool Checkpointer::wait_for_work(std::deque<Handed>& commits) {
  std::unique_lock lock(mutex_);
  // An idle daemon sleeps here; the first thing that comes in begins an interval, which gathers a batch.
  changed_.wait(lock, [this] { return anything() || urgent(); });
  changed_.wait_for(lock, std::chrono::milliseconds(options_.interval_ms), [this] { return urgent(); });
  commits.swap(handed_);
  handed_bytes_ = 0;
  requested_ = false;
  taken_.notify_all();
  return !stopping_;
}

StoreResult<void> Checkpointer::fold(const std::deque<Handed>& commits) {
  for (const Handed& commit : commits) {
    StoreResult<void> done = fold_.fold(commit.number, *commit.entry, *commit.block);
    if (done && fold_.pending_bytes() >= options_.bytes) done = flush();
    if (!done) return done;
  }
  return {};
}

StoreResult<void> Checkpointer::flush() {
  std::optional<Testimony> testimony;
  {
    const std::lock_guard lock(mutex_);
    testimony.swap(testimony_);
  }
  StoreResult<void> done;
  if (testimony) done = witness_.record(*testimony);
  if (done && fold_.pending()) done = store_.checkpoint(fold_.take());
  if (!done) return done;
  {
    const std::lock_guard lock(mutex_);
    covered_ = fold_.folded();
  }
  callbacks_.covered(fold_.folded());
  return {};
}

}  // namespace pqd
