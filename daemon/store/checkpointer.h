// Takes what has been committed over into rows, off the acknowledgement path, on a thread of its own: folds
// the commits it is handed, writes a checkpoint every interval, at a size, or on request, and writes the
// witness on the way. The first error ends its work and is told once; the process has to end then.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "daemon/store/row_fold.h"
#include "daemon/store/witness.h"

namespace pqd {

struct CheckpointerOptions {
  int64_t interval_ms = 1'000;
  size_t bytes = 16u << 20;
};

class Checkpointer {
 public:
  struct Callbacks {
    std::function<void(uint64_t covered)> covered;  // rows up to this commit are in the store
    std::function<void(const StoreError&)> failed;
  };

  // The callbacks run on the checkpointer's thread.
  Checkpointer(Store& store, Witness& witness, RowFold fold, CheckpointerOptions options,
               Callbacks callbacks);
  // Finishes the checkpoint in hand and ends the thread.
  ~Checkpointer();

  // The next commit, in order, once it is written; the bytes are shared with whoever wrote them.
  void add(uint64_t number, std::shared_ptr<const Bytes> entry, std::shared_ptr<const Bytes> block);
  // This commit survives power loss by now.
  void synced(const Testimony& testimony);
  // A checkpoint as soon as everything added so far is folded. `covered` tells when.
  void request();
  // Commits added and not covered yet.
  size_t backlog() const;

 private:
  struct Handed {
    uint64_t number;
    std::shared_ptr<const Bytes> entry;
    std::shared_ptr<const Bytes> block;
  };

  void run();
  bool work(std::deque<Handed> commits, bool flush);
  bool flush();

  Store& store_;
  Witness& witness_;
  RowFold fold_;
  CheckpointerOptions options_;
  Callbacks callbacks_;

  mutable std::mutex mutex_;  // guards the following
  std::condition_variable changed_;
  std::deque<Handed> handed_;
  std::optional<Testimony> testimony_;
  bool requested_ = false;
  bool stopping_ = false;
  size_t backlog_ = 0;

  std::thread thread_;
};

}  // namespace pqd
