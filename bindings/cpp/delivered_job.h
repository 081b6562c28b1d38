// A job in a consumer's hands, until it is settled. It owns one copy of everything it shows, so that it
// outlives the ring, a reconnect and the client. Movable, not copyable; any one thread.
#pragma once

#include <memory>

#include "core/down_record.h"
#include "core/partition.h"

namespace pqd {

class DeliveredJob {
 public:
  DeliveredJob() = default;
  // REQUIRES: `record` holds a delivery that read_delivery_record() accepts.
  explicit DeliveredJob(Bytes record, PartitionNo partition = 0);
  DeliveredJob(DeliveredJob&&) noexcept = default;
  DeliveredJob& operator=(DeliveredJob&&) noexcept = default;

  const JobId& id() const { return view_.head.id; }
  const LeaseToken& token() const { return view_.head.token; }
  uint32_t subscription() const { return view_.head.subscription; }
  uint16_t attempt() const { return view_.head.attempt; }  // 1-based
  uint16_t max_attempts() const { return view_.head.max_attempts; }
  int64_t lease_until_ms() const { return view_.head.lease_until_ms; }  // Unix milliseconds, as delivered
  uint8_t priority() const { return view_.head.priority; }
  // The batch that it was delivered with; 0 = none. Tells jobs that came one after the other apart, no more.
  uint32_t batch() const { return view_.head.batch; }
  Mode mode() const { return static_cast<Mode>(view_.head.mode); }
  Delivery delivery() const { return static_cast<Delivery>(view_.head.delivery); }
  Durability durability() const { return static_cast<Durability>(view_.head.durability); }
  uint32_t owner_uid() const { return view_.head.owner_uid; }
  std::string_view queue() const { return view_.queue; }
  std::string_view type() const { return view_.type; }
  std::string_view subject() const { return view_.subject; }
  std::string_view traceparent() const { return view_.traceparent; }
  std::string_view ordering_key() const { return view_.ordering_key; }
  std::string_view metadata() const { return view_.metadata; }
  ByteView payload() const { return view_.payload; }
  const DeliveryView& view() const { return view_; }
  PartitionNo partition() const { return partition_; }  // whose session it came through
  // True once the client has learnt that the consumer should stop; Client::cancel_requested() looks for news
  // first.
  const std::shared_ptr<bool>& stop_flag() const { return stop_; }

 private:
  Bytes record_;  // moving a vector keeps its bytes where they are, and the views with them
  DeliveryView view_;
  PartitionNo partition_ = 0;
  std::shared_ptr<bool> stop_;
};

}  // namespace pqd
