// Makes commits durable, on two threads of its own, so that one commit fills while another is written and a
// third one syncs: the one seals and writes what it is handed, in order; the other syncs, once for all that
// was written by then, as soon as any of it asked for that. A small one that comes when nothing is under way
// is better made durable by who has it: nobody else has to be woken. Tells how far it got; acts on nothing. A
// failed write or sync ends the process (fail_stop). When a flood of commits is over, the thread that writes
// gives memory back that was freed: nobody waits for it then.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "core/commit.h"
#include "daemon/engine/freed_memory.h"
#include "daemon/store/checkpointer.h"
#include "daemon/store/store.h"

namespace pqd {

// Commit numbers; written >= done >= synced.
struct Progress {
  uint64_t written = 0;  // survives the death of any process
  uint64_t done = 0;     // every commit up to it is as durable as it asked for
  uint64_t synced = 0;   // survives power loss

  friend bool operator==(const Progress&, const Progress&) = default;
};

class Committer {
 public:
  // `last`, with its hash: the last commit that the store holds. `news` is called by either of the
  // committer's threads when progress() has moved.
  Committer(Store& store, Checkpointer& checkpointer, uint64_t last, const ChainHash& last_hash,
            std::function<void()> news);
  // Finishes what was handed to it.
  ~Committer();

  // REQUIRES: in order, not sealed.
  void hand(Commit commit);
  // Does the same on the caller's thread, so that nobody has to be woken; `news` takes the place of the other
  // one, and is called before a sync only if somebody waits for what is written (`early`). False, and nothing
  // is done, while the committer's threads are at work or folding is behind.
  bool commit_here(Commit& commit, bool early, const std::function<void()>& news);
  Progress progress() const;

 private:
  void run();
  // Until there is something to do: false when there was nothing for so long that memory may be given back.
  bool wait_for_work(std::unique_lock<std::mutex>& lock);
  // `syncs`: the other thread does, if the commit asks for it.
  void write(Commit& commit, bool syncs);
  // What is written makes rows, whoever has written it.
  void pass_on(const Commit& commit);
  void run_syncs();
  // What is written up to `number`, whose hash that is.
  void sync(uint64_t number, const ChainHash& hash, const std::function<void()>& news);

  Store& store_;
  Checkpointer& checkpointer_;
  std::function<void()> news_;
  // Written with mutex_ held. release, and acquire in progress(): who sees a number may tell others what
  // hangs on it.
  std::atomic<uint64_t> written_;
  std::atomic<uint64_t> done_;
  std::atomic<uint64_t> synced_;

  std::mutex mutex_;  // guards the following
  std::condition_variable changed_;
  std::condition_variable to_sync_;
  std::vector<Commit> handed_;
  bool writing_ = false;      // the thread that writes does, or a caller in its place
  bool syncing_ = false;      // the other one does, or has not told everybody yet
  uint64_t sync_wanted_ = 0;  // the latest commit written that asked for a sync
  ChainHash written_hash_;    // of commit written_; whoever has `writing_` reads it without the mutex
  bool stopping_ = false;
  bool all_written_ = false;  // and no more will come

  FreedMemory freed_;  // of the thread that writes

  std::thread syncs_;
  std::thread thread_;
};

}  // namespace pqd
