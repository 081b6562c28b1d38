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
  const std::lock_guard lock(mutex_);
  handed_.push_back({number, std::move(entry), std::move(block)});
  ++backlog_;
}

void Checkpointer::synced(const Testimony& testimony) {
  const std::lock_guard lock(mutex_);
  testimony_ = testimony;
}

void Checkpointer::request() {
  {
    const std::lock_guard lock(mutex_);
    requested_ = true;
  }
  changed_.notify_one();
}

size_t Checkpointer::backlog() const {
  const std::lock_guard lock(mutex_);
  return backlog_;
}

void Checkpointer::run() {
  bool alive = true;
  bool stopping = false;
  while (alive && !stopping) {
    std::deque<Handed> commits;
    {
      std::unique_lock lock(mutex_);
      // No notification at add(): the interval gathers a batch, and an idle daemon sleeps through it.
      changed_.wait_for(lock, std::chrono::milliseconds(options_.interval_ms),
                        [this] { return requested_ || stopping_; });
      if (!requested_ && !stopping_ && handed_.empty() && !testimony_) {
        changed_.wait(lock, [this] { return requested_ || stopping_ || !handed_.empty() || testimony_; });
      }
      commits.swap(handed_);
      requested_ = false;
      stopping = stopping_;
    }
    alive = work(std::move(commits), true);
  }
}

bool Checkpointer::work(std::deque<Handed> commits, bool flush_at_end) {
  for (const Handed& commit : commits) {
    const auto folded = fold_.fold(commit.number, *commit.entry, *commit.block);
    if (!folded) {
      callbacks_.failed(folded.error());
      return false;
    }
    if (fold_.pending_bytes() >= options_.bytes && !flush()) return false;
  }
  return !flush_at_end || flush();
}

bool Checkpointer::flush() {
  std::optional<Testimony> testimony;
  {
    const std::lock_guard lock(mutex_);
    testimony.swap(testimony_);
  }
  StoreResult<void> done;
  if (testimony) done = witness_.record(*testimony);
  if (done && fold_.pending()) done = store_.checkpoint(fold_.take());
  if (!done) {
    callbacks_.failed(done.error());
    return false;
  }
  {
    const std::lock_guard lock(mutex_);
    backlog_ = handed_.size();
  }
  callbacks_.covered(fold_.folded());
  return true;
}

}  // namespace pqd
