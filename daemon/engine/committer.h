// Makes commits durable, on a thread of its own, so that one commit fills while another syncs: takes all that
// were handed to it meanwhile, seals and writes each, then syncs once for all of them if any asked for it. A
// small one that comes when nothing is under way is better made durable by who has it: two threads less have
// to be woken. Tells how far it got; acts on nothing. A failed write ends the process (fail_stop). When a
// flood of them is over, the thread gives memory back that was freed: nobody waits for it then.
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
  // `last`, with its hash: the last commit that the store holds. `news` is called by the committer's thread
  // when progress() has moved.
  Committer(Store& store, Checkpointer& checkpointer, uint64_t last, const ChainHash& last_hash,
            std::function<void()> news);
  // Finishes what was handed to it.
  ~Committer();

  // REQUIRES: in order, not sealed. `early`: tell when it is written, somebody waits for that alone.
  void hand(Commit commit, bool early);
  // Does the same on the caller's thread, so that nobody has to be woken; `news` takes the place of the other
  // one. False, and nothing is done, while the committer's thread is at work or folding is behind.
  bool commit_here(Commit& commit, bool early, const std::function<void()>& news);
  Progress progress() const;

 private:
  struct Handed {
    Commit commit;
    bool early = false;
  };

  void run();
  // Until there is something to do: false when there was nothing for so long that memory may be given back.
  bool wait_for_work(std::unique_lock<std::mutex>& lock);
  void write(std::span<Handed> group, const std::function<void()>& news);

  Store& store_;
  Checkpointer& checkpointer_;
  std::function<void()> news_;
  // Writer: whoever has `writing_`. release, and acquire in progress(): who sees a number may tell others
  // what hangs on it.
  std::atomic<uint64_t> written_;
  std::atomic<uint64_t> done_;
  std::atomic<uint64_t> synced_;

  std::mutex mutex_;  // guards the following
  std::condition_variable changed_;
  std::vector<Handed> handed_;
  bool writing_ = false;  // one of the two threads does
  bool stopping_ = false;

  ChainHash last_hash_;  // of the latest commit; belongs to whoever has `writing_`

  FreedMemory freed_;  // of the thread

  std::thread thread_;
};

}  // namespace pqd
