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
      last_hash_(last_hash),
      thread_([this] { run(); }) {}

Committer::~Committer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Committer::hand(Commit commit, bool early) {
  {
    const std::lock_guard lock(mutex_);
    handed_.push_back({std::move(commit), early});
  }
  changed_.notify_one();
}

bool Committer::commit_here(Commit& commit, bool early, const std::function<void()>& news) {
  if (!checkpointer_.has_room()) return false;
  {
    const std::lock_guard lock(mutex_);
    if (writing_ || !handed_.empty()) return false;
    writing_ = true;
  }
  Handed handed{std::move(commit), early};
  write(std::span(&handed, 1), news);
  const std::lock_guard lock(mutex_);
  writing_ = false;
  return true;
}

// `done` first, and write() stores it last: who sees a commit done that asked for a sync sees it synced and
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
    std::vector<Handed> group;
    group.swap(handed_);
    writing_ = true;
    lock.unlock();
    for (const Handed& handed : group)
      freed_.committed(handed.commit.entry->size() + handed.commit.block_bytes->size());
    write(group, news_);
    lock.lock();
    writing_ = false;
  }
}

void Committer::write(std::span<Handed> group, const std::function<void()>& news) {
  const Commit* to_sync = nullptr;
  bool early = false;
  for (auto& [commit, at_once] : group) {
    seal(commit, last_hash_);
    last_hash_ = commit.hash;
    PQD_CRASH_POINT("commit-before-append");
    if (const auto ok = store_.append(commit.number, *commit.entry, *commit.block_bytes, commit.cuts); !ok)
      fail_stop(ok.error());
    PQD_CRASH_POINT("commit-appended");
    if (commit.needs_sync) to_sync = &commit;
    early |= at_once;
    written_.store(commit.number, std::memory_order_release);
    PQD_CRASH_POINT("commit-called-written");
    if (to_sync == nullptr) done_.store(commit.number, std::memory_order_release);
  }
  if (to_sync != nullptr) {
    if (early) news();
    const uint64_t last = group.back().commit.number;
    PQD_CRASH_POINT("commit-before-sync");
    if (const auto ok = store_.sync(last); !ok) fail_stop(ok.error());
    PQD_CRASH_POINT("commit-synced");
    synced_.store(last, std::memory_order_release);
    done_.store(last, std::memory_order_release);
    PQD_CRASH_POINT("commit-called-synced");
  }
  news();
  // Off the acknowledgement path: this waits when folding does not keep up.
  for (const auto& [commit, at_once] : group)
    checkpointer_.add(commit.number, commit.entry, commit.block_bytes);
  PQD_CRASH_POINT("commit-handed-to-checkpoint");
  if (to_sync != nullptr) checkpointer_.synced({group.back().commit.number, last_hash_});
}

}  // namespace pqd
