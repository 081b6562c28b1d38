#include "daemon/engine/committer.h"

#include <algorithm>

#include "daemon/engine/fail_stop.h"
#include "shm/crash_point.h"

namespace pqd {

Committer::Committer(Store& store, Checkpointer& checkpointer, uint64_t last, const ChainHash& last_hash,
                     std::function<void()> news)
    : store_(store),
      checkpointer_(checkpointer),
      news_(std::move(news)),
      written_(last),
      done_(last),
      synced_(last),
      written_hash_(last_hash),
      syncs_([this] { run_syncs(); }),
      thread_([this] { run(); }) {}

Committer::~Committer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
  {
    const std::lock_guard lock(mutex_);
    all_written_ = true;
  }
  to_sync_.notify_one();
  syncs_.join();
}

void Committer::hand(Commit commit) {
  {
    const std::lock_guard lock(mutex_);
    handed_.push_back(std::move(commit));
  }
  changed_.notify_one();
}

bool Committer::commit_here(Commit& commit, bool early, const std::function<void()>& news) {
  if (!checkpointer_.has_room()) return false;
  {
    const std::lock_guard lock(mutex_);
    const bool to_sync = sync_wanted_ > synced_.load(std::memory_order_relaxed);
    if (writing_ || syncing_ || to_sync || !handed_.empty()) return false;
    writing_ = true;
  }
  write(commit, false);
  if (commit.needs_sync) {
    if (early) news();
    sync(commit.number, commit.hash, news);
  } else {
    news();
  }
  pass_on(commit);
  const std::lock_guard lock(mutex_);
  writing_ = false;
  return true;
}

// `done` first, and it is stored last: who sees a commit done that asked for a sync sees it synced and
// written as well, for whoever waits for that is told when it is done and not again.
Progress Committer::progress() const {
  Progress progress;
  progress.done = done_.load(std::memory_order_acquire);
  // It may have gone on since.
  progress.synced = std::min(synced_.load(std::memory_order_acquire), progress.done);
  progress.written = written_.load(std::memory_order_acquire);
  return progress;
}

bool Committer::wait_for_work(std::unique_lock<std::mutex>& lock) {
  const auto any = [this] { return !handed_.empty() || stopping_; };
  if (const auto patience = freed_.patience()) return changed_.wait_for(lock, *patience, any);
  changed_.wait(lock, any);
  return true;
}

void Committer::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!wait_for_work(lock)) {
      lock.unlock();
      // As long as there are commits that are no rows yet, memory is freed.
      if (checkpointer_.backlog() == 0) freed_.give_back();
      lock.lock();
      continue;
    }
    if (handed_.empty()) return;
    std::vector<Commit> group;
    group.swap(handed_);
    writing_ = true;
    lock.unlock();
    for (Commit& commit : group) {
      freed_.committed(commit.entry->size() + commit.block_bytes->size());
      write(commit, true);
      if (commit.needs_sync) to_sync_.notify_one();
      news_();
      // Off the acknowledgement path: this waits when folding does not keep up.
      pass_on(commit);
    }
    lock.lock();
    writing_ = false;
  }
}

void Committer::write(Commit& commit, bool syncs) {
  seal(commit, written_hash_);
  PQD_CRASH_POINT("commit-before-append");
  if (const auto ok = store_.append(commit.number, *commit.entry, *commit.block_bytes, commit.cuts); !ok)
    fail_stop(ok.error());
  PQD_CRASH_POINT("commit-appended");
  {
    const std::lock_guard lock(mutex_);
    written_.store(commit.number, std::memory_order_release);
    written_hash_ = commit.hash;
    if (commit.needs_sync && syncs) sync_wanted_ = commit.number;
    if (!commit.needs_sync && sync_wanted_ <= synced_.load(std::memory_order_relaxed))
      done_.store(commit.number, std::memory_order_release);
  }
  PQD_CRASH_POINT("commit-called-written");
}

void Committer::pass_on(const Commit& commit) {
  checkpointer_.add(commit.number, commit.entry, commit.block_bytes);
  PQD_CRASH_POINT("commit-handed-to-checkpoint");
}

void Committer::run_syncs() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto wanted = [this] { return sync_wanted_ > synced_.load(std::memory_order_relaxed); };
    to_sync_.wait(lock, [&] { return wanted() || all_written_; });
    if (!wanted()) return;
    const uint64_t number = written_.load(std::memory_order_relaxed);
    const ChainHash hash = written_hash_;
    syncing_ = true;
    lock.unlock();
    sync(number, hash, news_);
    lock.lock();
    syncing_ = false;
  }
}

void Committer::sync(uint64_t number, const ChainHash& hash, const std::function<void()>& news) {
  PQD_CRASH_POINT("commit-before-sync");
  if (const auto ok = store_.sync(number); !ok) fail_stop(ok.error());
  PQD_CRASH_POINT("commit-synced");
  {
    const std::lock_guard lock(mutex_);
    synced_.store(number, std::memory_order_release);
    // Commits that come after the last one that wants a sync are done with it.
    done_.store(sync_wanted_ <= number ? written_.load(std::memory_order_relaxed) : number,
                std::memory_order_release);
  }
  PQD_CRASH_POINT("commit-called-synced");
  news();
  checkpointer_.synced({number, hash});
}

}  // namespace pqd
