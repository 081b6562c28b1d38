#include "daemon/store/expired_keys.h"

#include "core/idempotency.h"
#include "daemon/store/rocksdb_bytes.h"

namespace pqd {
namespace {

class ExpiredKeys final : public rocksdb::CompactionFilter {
 public:
  explicit ExpiredKeys(TimeNs now) : now_(now) {}

  // A value that is not one stays: it is damage for a reader to find, not ours to sweep away.
  bool Filter(int /*level*/, const rocksdb::Slice& /*key*/, const rocksdb::Slice& value,
              std::string* /*new_value*/, bool* /*value_changed*/) const override {
    ByteReader reader(view(value));
    const auto kept = reader.pod<KeptKey>();
    return !reader.failed() && reader.remaining() == 0 && kept.expires_ns <= now_;
  }
  const char* Name() const override { return "pqd.expired_keys"; }

 private:
  TimeNs now_;
};

class Factory final : public rocksdb::CompactionFilterFactory {
 public:
  explicit Factory(std::shared_ptr<const CheckpointClock> clock) : clock_(std::move(clock)) {}

  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context& /*context*/) override {
    return std::make_unique<ExpiredKeys>(clock_->load(std::memory_order_relaxed));
  }
  const char* Name() const override { return "pqd.expired_keys"; }

 private:
  std::shared_ptr<const CheckpointClock> clock_;
};

}  // namespace

std::shared_ptr<rocksdb::CompactionFilterFactory> expired_keys(std::shared_ptr<const CheckpointClock> clock) {
  return std::make_shared<Factory>(std::move(clock));
}

}  // namespace pqd
