// The rows of live jobs, read and decoded on a thread of its own, while who asked for them puts the ones
// before into a State: the two halves of what a start with very many live jobs takes. The store must not be
// written to meanwhile. Owner: one thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "core/row_batch.h"
#include "daemon/store/store_view.h"

namespace pqd {

class RowReader {
 public:
  // `queue_count`: of the checkpoint's tables; a row of another queue is damaged.
  RowReader(const StoreView& store, size_t queue_count);
  // Ends the thread, also in the middle.
  ~RowReader();
  RowReader(const RowReader&) = delete;
  RowReader& operator=(const RowReader&) = delete;

  // In the order of their numbers. Nothing: there are no more, see result().
  std::optional<RowBatch> next();
  // REQUIRES: next() has returned nothing. kSystemError: the store cannot be read, or a row of it.
  StoreResult<void> result();

 private:
  // So far ahead of who takes them: one and a half MiB.
  static constexpr size_t kBatchesMax = 16;

  void run();
  bool read(JobNo job, ByteView row);
  bool hand(RowBatch&& batch);  // false: nobody wants it any more

  const StoreView& store_;
  size_t queue_count_;
  RowBatch filling_;  // of the thread

  std::mutex mutex_;  // guards the following
  std::condition_variable handed_;
  std::condition_variable taken_;
  std::deque<RowBatch> batches_;
  StoreResult<void> result_;
  bool ended_ = false;
  bool unwanted_ = false;

  std::thread thread_;
};

}  // namespace pqd
