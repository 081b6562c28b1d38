#include "bindings/cpp/inbox.h"

#include <algorithm>

namespace pqd {

uint64_t ClientInbox::take(ByteView record, uint64_t seen) {
  const auto view = read_delivery_record(record);
  if (!view) return seen;
  // Notices carry no number.
  const uint64_t number = view->head.number;
  if (number != 0 && number <= seen) return seen;
  switch (static_cast<DownKind>(view->head.head.kind)) {
    case DownKind::kDelivery: {
      DeliveredJob job(Bytes(record.begin(), record.end()), partition_);
      // Two sessions may both have brought it, when an attempt to reconnect failed half way.
      if (held_.emplace(job.token(), job.stop_flag()).second)
        add(std::move(job));
      else if (view->head.batch_last != 0)
        end_batch();
      break;
    }
    case DownKind::kCancelNotice:
      if (const auto found = held_.find(view->head.token); found != held_.end()) {
        if (const auto flag = found->second.lock()) *flag = true;
      }
      break;
    case DownKind::kBatchEnd:
      end_batch();
      break;
    case DownKind::kVoid:
    case DownKind::kAnswer:
      break;
  }
  return std::max(seen, number);
}

void ClientInbox::add(DeliveredJob job) {
  const bool last = job.batch() == 0 || job.view().head.batch_last != 0;
  if (!waiting_.empty() && waiting_.back().job.batch() != job.batch()) end_batch();
  waiting_.push_back({std::move(job), last});
  if (last) ++whole_;
  forget_dropped();
}

void ClientInbox::end_batch() {
  if (waiting_.empty() || waiting_.back().last) return;
  waiting_.back().last = true;
  ++whole_;
}

std::optional<DeliveredJob> ClientInbox::pop() {
  if (waiting_.empty()) return std::nullopt;
  if (waiting_.front().last) --whole_;
  std::optional<DeliveredJob> job(std::move(waiting_.front().job));
  waiting_.pop_front();
  return job;
}

std::vector<DeliveredJob> ClientInbox::pop_batch() {
  std::vector<DeliveredJob> batch;
  if (!has_batch()) return batch;
  for (bool last = false; !last; waiting_.pop_front()) {
    last = waiting_.front().last;
    batch.push_back(std::move(waiting_.front().job));
  }
  --whole_;
  return batch;
}

void ClientInbox::lose_leases() {
  waiting_.clear();
  whole_ = 0;
  for (auto& [token, flag] : held_) {
    if (const auto alive = flag.lock()) *alive = true;
  }
  held_.clear();
}

void ClientInbox::forget_dropped() {
  if (held_.size() < sweep_at_) return;
  std::erase_if(held_, [](const auto& entry) { return entry.second.expired(); });
  sweep_at_ = std::max<size_t>(1'024, 2 * held_.size());
}

}  // namespace pqd
