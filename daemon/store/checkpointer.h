// Takes what has been committed over into rows, off the acknowledgement path, on a thread of its own: folds
// the commits it is handed, writes a checkpoint every interval, at a size, or on request, and writes the
// witness on the way. The first error ends its work and is told once; the process has to end then.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "daemon/store/row_fold.h"
#include "daemon/store/store.h"
#include "daemon/store/witness.h"

namespace pqd {

struct CheckpointerOptions {
  int64_t interval_ms = 1'000;
  // Rows gathered: a checkpoint before the interval is over. The more, the more jobs are born and finished in
  // between and have one row instead of two; see README.md, "Checkpoints".
  size_t bytes = 24u << 20;
  size_t fold_bytes = 4u << 20;  // handed in: folded before the interval is over
  size_t handed_bytes_max = 64u << 20;
  // While this says so, when `wanted_bytes` of commits are folded: memory lets go of records that are in
  // rows.
  const std::atomic<bool>* wanted = nullptr;
  size_t wanted_bytes = 24u << 20;
};

class Checkpointer {
 public:
  struct Callbacks {
    std::function<void(uint64_t covered)> covered;  // rows up to this commit are in the store
    std::function<void(const StoreError&)> failed;
  };

  // The callbacks run on the checkpointer's thread. What `fold` has gathered already is written at once.
  Checkpointer(Store& store, Witness& witness, RowFold fold, CheckpointerOptions options,
               Callbacks callbacks);
  // Finishes the checkpoint in hand and ends the thread.
  ~Checkpointer();

  // The next commit, in order, once it is written; the bytes are shared with whoever wrote them. Waits while
  // handed_bytes_max are not folded yet: the callbacks must not wait for the thread that adds.
  void add(uint64_t number, std::shared_ptr<const Bytes> entry, std::shared_ptr<const Bytes> block);
  // add() would not wait.
  bool has_room() const;
  // This commit survives power loss by now.
  void synced(const Testimony& testimony);
  // A checkpoint as soon as everything added so far is folded. `covered` tells when.
  void request();
  // Commits added and not covered yet.
  uint64_t backlog() const;

 private:
  struct Handed {
    uint64_t number;
    std::shared_ptr<const Bytes> entry;
    std::shared_ptr<const Bytes> block;
  };

  using Clock = std::chrono::steady_clock;
  struct Turn {
    std::deque<Handed> commits;
    bool flush = false;
    bool last = false;
  };

  void run();
  StoreResult<void> take_turn(const Turn& turn);
  Turn next_turn();
  StoreResult<void> record_testimony();
  StoreResult<void> checkpoint();
  // Rows enough for one, or wanted early.
  bool due() const;
  bool anything() const { return !handed_.empty() || testimony_.has_value(); }
  bool urgent() const {
    return requested_ || stopping_ ||
           handed_bytes_ >= std::min(options_.fold_bytes, options_.handed_bytes_max);
  }

  Store& store_;
  Witness& witness_;
  RowFold fold_;
  CheckpointerOptions options_;
  Callbacks callbacks_;
  size_t folded_bytes_ = 0;                    // of the thread: of commits since the last checkpoint
  std::optional<Clock::time_point> flush_at_;  // of the thread: when the interval in progress is over

  mutable std::mutex mutex_;  // guards the following
  std::condition_variable changed_;
  std::condition_variable taken_;
  std::deque<Handed> handed_;
  size_t handed_bytes_ = 0;
  std::optional<Testimony> testimony_;
  bool requested_ = false;
  bool stopping_ = false;
  bool failed_ = false;
  uint64_t added_;
  uint64_t covered_;

  std::thread thread_;
};

}  // namespace pqd
