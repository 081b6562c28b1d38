#include "daemon/store/row_reader.h"

#include <utility>

namespace pqd {

RowReader::RowReader(const StoreView& store, size_t queue_count)
    : store_(store), queue_count_(queue_count), thread_([this] { run(); }) {}

RowReader::~RowReader() {
  {
    const std::lock_guard lock(mutex_);
    unwanted_ = true;
  }
  taken_.notify_one();
  thread_.join();
}

std::optional<RowBatch> RowReader::next() {
  std::optional<RowBatch> batch;
  {
    std::unique_lock lock(mutex_);
    handed_.wait(lock, [this] { return !batches_.empty() || ended_; });
    if (batches_.empty()) return std::nullopt;
    batch = std::move(batches_.front());
    batches_.pop_front();
  }
  taken_.notify_one();
  return batch;
}

StoreResult<void> RowReader::result() {
  const std::lock_guard lock(mutex_);
  return result_;
}

void RowReader::run() {
  bool readable = true;
  auto result = store_.for_each_live([&](JobNo job, ByteView row) {
    if (!filling_.has_room_for(row) && !hand(std::exchange(filling_, {}))) return false;
    readable = read(job, row);
    return readable;
  });
  if (result && !readable)
    result = std::unexpected(StoreError{
        Error::kSystemError,
        "the row of a live job cannot be read: the store is damaged, restore it from a backup", true});
  if (result && !filling_.rows.empty()) hand(std::move(filling_));
  {
    const std::lock_guard lock(mutex_);
    result_ = std::move(result);
    ended_ = true;
  }
  handed_.notify_one();
}

bool RowReader::read(JobNo job, ByteView row) {
  if (!filling_.add(row)) return false;
  const JobCore& core = filling_.rows.back().core;
  return core.no == job && core.queue < queue_count_;
}

bool RowReader::hand(RowBatch&& batch) {
  {
    std::unique_lock lock(mutex_);
    taken_.wait(lock, [this] { return batches_.size() < kBatchesMax || unwanted_; });
    if (unwanted_) return false;
    batches_.push_back(std::move(batch));
  }
  handed_.notify_one();
  return true;
}

}  // namespace pqd
