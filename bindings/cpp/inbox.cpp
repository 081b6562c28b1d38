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
      DeliveredJob job(Bytes(record.begin(), record.end()));
      held_.insert_or_assign(job.token(), job.stop_flag());
      waiting_.push_back(std::move(job));
      forget_dropped();
      break;
    }
    case DownKind::kCancelNotice:
      if (const auto found = held_.find(view->head.token); found != held_.end()) {
        if (const auto flag = found->second.lock()) *flag = true;
      }
      break;
    case DownKind::kVoid:
    case DownKind::kAnswer:
      break;
  }
  return std::max(seen, number);
}

std::optional<DeliveredJob> ClientInbox::pop() {
  if (waiting_.empty()) return std::nullopt;
  std::optional<DeliveredJob> job(std::move(waiting_.front()));
  waiting_.pop_front();
  return job;
}

void ClientInbox::lose_leases() {
  waiting_.clear();
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
